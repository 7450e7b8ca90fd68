"""Leases and tokens: what is written is read again, and other texts are told apart."""

from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.stacks.lease import Holder, Lease, read_lease, write_lease
from deploytool.core.stacks.tokens import OurToken, read_token, token_for

MOMENT = st.integers(0, 4_000_000_000).map(float)


@given(user=st.text(), host=st.text(), process=st.integers(0, 2**22), since=MOMENT, expires=MOMENT)
def test_a_lease_is_read_as_it_was_written(
    user: str, host: str, process: int, since: float, expires: float
) -> None:
    """Its times are kept to the second."""
    lease = Lease(Holder(user, host, process), since, expires)
    assert read_lease(write_lease(lease)) == lease


@given(st.text())
def test_a_text_that_is_no_lease_is_none(text: str) -> None:
    """Whatever text someone has written there."""
    assert read_lease(text) is None


def test_a_token_tells_operation_and_fingerprint_and_differs_by_generation() -> None:
    """It is the name of a change set too: it starts with a letter and has at most 128 characters."""
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
    """The console and other tools have tokens of their own."""
    assert read_token(token) is None
