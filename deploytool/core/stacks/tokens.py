"""Client request tokens, from which the next run recognises the operations of a killed run. Pure.

CloudFormation shows the token of an operation in each of its events. A call that is repeated with
the same token is the same call (API reference of CreateStack). So a token is computed from the
operation and from the fingerprint of the state to which it leads.
"""

import re
from dataclasses import dataclass

from deploytool.core.project.template import digest

_TOKEN = re.compile(r"deploytool-([a-z]+)-([0-9a-f]{16})-[0-9a-f]{16}")


@dataclass(frozen=True)
class OurToken:
    """What a token of this tool says: the operation, and the fingerprint of the desired state."""

    operation: str
    fingerprint: str


def token_for(operation: str, fingerprint: str, *generation: str) -> str:
    """Return the token of an operation.

    `generation` is what differs when the same operation is requested again later. The token is
    also the name of a change set, so it starts with a letter (API reference of CreateChangeSet).
    """
    return f"deploytool-{operation}-{fingerprint}-{digest(generation)[:16]}"


def read_token(token: str) -> OurToken | None:
    """Return what a token says, or None when another tool made it."""
    match = _TOKEN.fullmatch(token)
    return OurToken(match[1], match[2]) if match else None
