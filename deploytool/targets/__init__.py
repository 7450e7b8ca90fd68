"""The composition root: the only package that knows which target it is, AWS or the local cloud."""
