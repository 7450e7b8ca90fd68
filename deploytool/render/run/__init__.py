"""A deployment or deletion as it happens: lines, a live table, GitHub's summary."""
