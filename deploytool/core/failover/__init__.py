"""Traffic moved by command: the switch, and what is kept in the standby region."""
