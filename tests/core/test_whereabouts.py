"""Where a command works: who calls in words, and which addresses are AWS's."""

import pytest

from deploytool.core.whereabouts import Caller, Whereabouts, is_of_aws

REGIONS = ("us-east-1", "us-west-2")


@pytest.mark.parametrize(
    ("arn", "who"),
    [
        ("arn:aws:iam::123456789012:root", "the root user"),
        ("arn:aws:iam::123456789012:user/path/me", "user me"),
        ("arn:aws:sts::123456789012:assumed-role/Deployer/me@x", "role Deployer (session me@x)"),
        ("arn:aws:sts::123456789012:federated-user/me", "federated user me"),
        ("arn:aws:sts::123456789012:something/else", "arn:aws:sts::123456789012:something/else"),
        ("no arn", "no arn"),
    ],
)
def test_the_caller_is_named_in_words(arn: str, who: str) -> None:
    """An ARN that is not known is shown as it is."""
    assert Caller("123456789012", arn).who == who


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://cloudformation.us-east-1.amazonaws.com", True),
        ("https://vpce-1.ssm.us-east-1.vpce.amazonaws.com", True),
        ("https://lambda.us-east-1.api.aws", True),
        ("http://127.0.0.1:4566", False),
        ("http://localhost.localstack.cloud:4566", False),
        ("https://amazonaws.com.example.com", False),
        ("https://notamazonaws.com", False),
        ("nonsense", False),
    ],
)
def test_only_names_of_aws_are_aws(address: str, expected: bool) -> None:
    """Another name may be that of a local cloud."""
    assert is_of_aws(address) is expected


def test_services_at_one_address_are_named_together() -> None:
    """The address of one service alone may be elsewhere."""
    local = "http://127.0.0.1:4566"
    aws = "https://ssm.us-east-1.amazonaws.com"
    whereabouts = Whereabouts(Caller(), REGIONS, {"iam": local, "acm": local, "ssm": aws})
    assert whereabouts.by_address() == {local: ("acm", "iam"), aws: ("ssm",)}
    assert whereabouts.elsewhere == (local,)
    assert Whereabouts(Caller(), REGIONS).elsewhere == ()
