"""Deploying and deleting the stacks of a graph."""
