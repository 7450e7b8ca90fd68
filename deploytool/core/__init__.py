"""Floor 1: frozen values and pure functions. Imports the standard library only (and yaml, in
`template`).
"""
