"""The regional HTTPS edges, the certificates that they present and the APIs that they serve."""
