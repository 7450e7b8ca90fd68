"""Client request tokens: deterministic, so that a run that was killed is recognised and taken up by
the next one. Pure.

CloudFormation shows the token of an operation in each of its events, and takes a call that is
repeated with the same token for the same call (API reference of CreateStack). Ours name the
operation and the fingerprint of what it brings about.
"""

import re
from dataclasses import dataclass

from deploytool.core.project.template import digest

TOKEN = re.compile(r"deploytool-([a-z]+)-([0-9a-f]{16})-[0-9a-f]{16}")


@dataclass(frozen=True)
class OurToken:
    """What a token of ours says: the operation (create, update...) and the fingerprint that the
    stack shall have.
    """

    operation: str
    fingerprint: str


def token_for(operation: str, fingerprint: str, *generation: str) -> str:
    """The token of an operation. `generation` is what differs when the same operation is asked for
    again later.

    It is also the name of a change set, so it begins with a letter (API reference of
    CreateChangeSet).
    """
    return f"deploytool-{operation}-{fingerprint}-{digest(generation)[:16]}"


def read_token(token: str) -> OurToken | None:
    """What a token says, or None for one that is not ours."""
    found = TOKEN.fullmatch(token)
    return OurToken(found[1], found[2]) if found else None
