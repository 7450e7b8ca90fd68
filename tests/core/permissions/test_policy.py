"""What the statements of a policy allow."""

from typing import Any

import pytest

from deploytool.core.permissions.policy import Permission, is_allowed, parse_statements


def statements(*raw: dict[str, Any]) -> Any:
    return parse_statements({"Version": "2012-10-17", "Statement": list(raw)})


def allow(actions: Any, **rest: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": "*", **rest}


@pytest.mark.parametrize(
    ("actions", "needed", "expected"),
    [
        ("s3:GetObject", "s3:GetObject", True),
        ("S3:getobject", "s3:GetObject", True),
        (["s3:PutObject", "s3:GetObject"], "s3:GetObject", True),
        ("s3:Get*", "s3:GetObject", True),
        ("*", "s3:GetObject", True),
        ("s3:Put*", "s3:GetObject", False),
        ("dynamodb:Describe*", "dynamodb:Describe*", True),
        ("dynamodb:*", "dynamodb:Describe*", True),
        # A pattern is covered by an equal or a wider one, never by one of its actions.
        ("dynamodb:DescribeTable", "dynamodb:Describe*", False),
    ],
)
def test_an_action_is_allowed_by_its_name_or_by_a_pattern(
    actions: Any, needed: str, expected: bool
) -> None:
    """Case does not matter (IAM User Guide, "IAM JSON policy elements: Action")."""
    assert is_allowed(statements(allow(actions)), Permission(needed)) is expected


def test_a_role_is_passed_to_the_services_of_the_condition_alone() -> None:
    """Without the condition it is passed to any service."""
    condition = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    limited = statements(allow("iam:PassRole", Condition=condition))
    assert is_allowed(limited, Permission("iam:PassRole", "lambda.amazonaws.com"))
    assert not is_allowed(limited, Permission("iam:PassRole", "states.amazonaws.com"))
    assert not is_allowed(limited, Permission("iam:PassRole"))
    assert is_allowed(statements(allow("iam:PassRole")), Permission("iam:PassRole"))


def test_a_denial_everywhere_wins() -> None:
    """A denial on some resources, or with a condition, may leave what is needed."""
    denied = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    needed = Permission("s3:GetObject")
    assert not is_allowed(statements(allow("s3:GetObject"), denied), needed)
    elsewhere = {**denied, "Resource": "arn:aws:s3:::other/*"}
    assert is_allowed(statements(allow("s3:GetObject"), elsewhere), needed)
    sometimes = {**denied, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    assert is_allowed(statements(allow("s3:GetObject"), sometimes), needed)


def test_everything_but_some_actions_counts_as_nothing() -> None:
    """`NotAction` is no answer to the question which permissions are there."""
    anything = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    assert not is_allowed(statements(anything), Permission("s3:GetObject"))
