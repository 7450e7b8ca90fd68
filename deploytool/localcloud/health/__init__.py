"""The health checkers: they check endpoints as Route 53's do, and the monitor runs them."""
