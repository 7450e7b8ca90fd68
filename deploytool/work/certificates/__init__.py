"""What is done about certificates and hosted zones."""
