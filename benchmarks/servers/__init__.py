"""The servers of the local cloud below clients that are broken, slow or hostile."""
