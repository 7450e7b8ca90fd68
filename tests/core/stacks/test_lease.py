"""Leases and tokens: what is written is read again, and what is not ours is not taken for ours."""

from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.stacks.lease import Holder, Lease, read_lease, write_lease
from deploytool.core.stacks.tokens import OurToken, read_token, token_for

MOMENT = st.integers(0, 4_000_000_000).map(float)


@given(user=st.text(), host=st.text(), process=st.integers(0, 2**22), since=MOMENT, expires=MOMENT)
def test_a_lease_is_read_as_it_was_written(
    user: str, host: str, process: int, since: float, expires: float
) -> None:
    """To the second."""
    lease = Lease(Holder(user, host, process), since, expires)
    assert read_lease(write_lease(lease)) == lease


@given(st.text())
def test_what_is_no_lease_holds_nobody(text: str) -> None:
    """Whatever someone put there."""
    assert read_lease(text) is None


def test_a_token_tells_operation_and_fingerprint_and_differs_by_generation() -> None:
    """It is a change set's name too: letters, digits and hyphens, a letter first, 128 at most."""
    token = token_for("create", "0123456789abcdef", "stack", "region", "")
    assert read_token(token) == OurToken("create", "0123456789abcdef")
    assert token == token_for("create", "0123456789abcdef", "stack", "region", "")
    assert token != token_for(
        "create", "0123456789abcdef", "stack", "region", "id of the one before"
    )
    assert len(token) <= 128
    assert token[0].isalpha()


@given(st.text(max_size=60))
def test_anybody_s_token_is_not_ours(token: str) -> None:
    """Consoles and other tools make their own."""
    assert read_token(token) is None
