"""The drift of a stack, and the values in it that must not be shown."""

from deploytool.core.project.template import load_yaml
from deploytool.core.stacks.drift import (
    HIDDEN,
    Difference,
    ResourceDrift,
    StackDrift,
    without_secrets,
)

DOCUMENT = load_yaml(
    """
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties: {MemorySize: 128, Environment: {Variables: {OPEN: a, KEY: !Sub 'x-${Key}'}}, Tags: [{Key: t, Value: !Ref Key}]}
""",
    "t.yaml",
)
PATHS = (
    "/MemorySize",
    "/Environment/Variables/OPEN",
    "/Environment/Variables/KEY",
    "/Tags/0/Value",
    "/Environment",
)


def drift(logical_id: str) -> StackDrift:
    differences = tuple(Difference(path, "s3cret", "other") for path in PATHS)
    return StackDrift(
        "DRIFTED", (ResourceDrift(logical_id, "AWS::Lambda::Function", "MODIFIED", differences),)
    )


def hidden(result: StackDrift) -> list[str]:
    """The paths whose values are hidden."""
    return [
        difference.path
        for difference in result.resources[0].differences
        if HIDDEN in (difference.expected, difference.actual)
    ]


def test_only_what_comes_from_a_secret_is_hidden() -> None:
    """A property, or the part of the template around it, that uses a NoEcho parameter."""
    assert hidden(without_secrets(drift("Function"), DOCUMENT, {"Key"})) == list(PATHS[2:])


def test_all_of_a_resource_that_the_template_does_not_have_is_hidden() -> None:
    """It is not known where its values come from."""
    assert hidden(without_secrets(drift("Gone"), DOCUMENT, {"Key"})) == list(PATHS)


def test_without_secrets_everything_is_shown() -> None:
    """Nothing is hidden when the template has no NoEcho parameter."""
    assert hidden(without_secrets(drift("Gone"), DOCUMENT, ())) == []
