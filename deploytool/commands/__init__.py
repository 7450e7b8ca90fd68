"""One module a command of the command line; `arguments` has what can be typed for each."""
