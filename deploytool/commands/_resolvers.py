"""Tells which resolvers of this machine a command does not ask."""

from deploytool.render.terminal import Terminal
from deploytool.render.text import escape
from deploytool.targets.target import Network


def tell_left_out(terminal: Terminal, network: Network) -> None:
    """Print a line for each resolver that does not answer. It says nothing about the service."""
    for name, failure in network.left_out.items():
        text = f"the resolver {name} of this machine is left out: {failure}"
        terminal.note(f"[yellow]! {escape(text)}[/]")
