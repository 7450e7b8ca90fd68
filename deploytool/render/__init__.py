"""Floor 5: shows values and events to a person, a log or a program. It decides nothing."""
