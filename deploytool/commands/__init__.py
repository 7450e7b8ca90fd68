"""Floor 5: one module a command of the command line. Each puts work and rendering together."""
