"""The service of one deployed stage, and the check of it."""
