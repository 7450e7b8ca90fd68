"""A drill as it happens, and its result."""
