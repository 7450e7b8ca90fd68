"""Bound TCP sockets on loopback addresses, for servers that listen on them later."""

import contextlib
import socket
from collections.abc import Callable, Sequence

from deploytool.core.errors import DeploytoolError, InputError

_ATTEMPTS = 20


def bind(address: str, port: int = 0) -> socket.socket:
    """Return a bound TCP socket that does not listen; port 0 takes a free one.

    Connections to it are refused, and no other program can take the port.
    """
    # The protocol is given: asyncio turns off Nagle's algorithm only where it sees TCP, and a
    # delayed answer takes 40 ms more.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address, port))
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)
    return bound


def bind_all(
    addresses: Sequence[str], bind: Callable[[str, int], socket.socket] = bind
) -> list[socket.socket]:
    """Return sockets on these addresses, all bound to the same free port number.

    Raises InputError with the commands to run when this machine lacks one of the addresses (macOS
    has only 127.0.0.1).
    """
    missing = missing_addresses(addresses, bind)
    if missing:
        commands = "\n".join(f"    {command}" for command in missing.values())
        raise InputError(
            "this machine lacks loopback addresses that the regions' edges need; "
            f"add them with\n{commands}"
        )

    first, *others = addresses
    for _ in range(_ATTEMPTS):
        with contextlib.ExitStack() as opened:
            sockets = [opened.enter_context(bind(first, 0))]
            port = sockets[0].getsockname()[1]
            try:
                sockets += [opened.enter_context(bind(address, port)) for address in others]
            except OSError:
                continue  # another program has this port on one of the other addresses
            opened.pop_all()
            return sockets
    raise DeploytoolError(f"no port number is free on all of {', '.join(addresses)}")


def missing_addresses(
    addresses: Sequence[str], bind: Callable[[str, int], socket.socket] = bind
) -> dict[str, str]:
    """Return those of the addresses that this machine lacks, each with the command that adds it."""
    return {
        address: f"sudo ifconfig lo0 alias {address} up"
        for address in addresses
        if not _can_bind(address, bind)
    }


def _can_bind(address: str, bind: Callable[[str, int], socket.socket]) -> bool:
    try:
        bind(address, 0).close()
    except OSError:
        return False
    return True
