"""What the standby region keeps, and traffic moved by command with that region, DNS and HTTPS alone."""
