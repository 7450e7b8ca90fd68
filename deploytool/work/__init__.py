"""Floor 2: the work, on ports. Knows no library and no target."""
