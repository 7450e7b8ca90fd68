"""The regional HTTPS edges, the certificates that they show and the APIs that they serve."""
