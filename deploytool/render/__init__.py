"""Floor 5: facts said: to a person at a terminal, to a log, as JSON. Decides nothing."""
