"""Certificates of ACM, as values."""
