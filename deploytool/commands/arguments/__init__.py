"""The arguments of each command: its options on the parser, and a frozen class of their values.

`deploytool --help` and `deploytool COMMAND --help` import the modules of this folder. Those import
the standard library and `core.errors` only, which takes about 0.05 s. The module that does the work
of a command imports boto3, rich or jinja2, and takes ten times as long; `cli` imports it only to
run that command. tests/commands/test_arguments.py checks both.
"""
