"""The control API of a running local cloud: its application, its client and its documents."""

# Every path of the control API begins with this; all others are those of the AWS API.
PREFIX = "/_deploytool/"
