"""Traffic moved by command, with the standby region, DNS and HTTPS alone."""
