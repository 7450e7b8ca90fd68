"""Put an API in two AWS regions, and prove that it fails over."""

__version__ = "0.1.0"
