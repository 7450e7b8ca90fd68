"""The control API of a running local cloud: its application, its client and its documents."""
