"""The health checkers."""
