"""An update that reaches the standby region first."""
