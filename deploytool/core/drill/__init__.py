"""The settings, history, record and judgement of a drill. Pure."""
