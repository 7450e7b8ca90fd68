"""The names that CloudFormation gives to resources without one, for the checks of permissions. Pure.

Such a name is STACK-LOGICALID-RANDOM, with 12 random characters. Where a service takes fewer,
CloudFormation shortens both names: what is left is split in halves, the stack's half rounded up.
It publishes no rule; this one is from three names that it made (KensioSoftware/yulin issue 1113).
MiniStack keeps more of the stack's name, so that a policy for names that begin with it would match
here and not on AWS.
"""

from collections.abc import Mapping

_RANDOM = 12
# Type -> the number of characters of its name.
_LIMITS: Mapping[str, int] = {
    "AWS::Events::Rule": 64,
    "AWS::IAM::Role": 64,
    "AWS::Lambda::Function": 64,
    "AWS::S3::Bucket": 63,
    "AWS::Scheduler::ScheduleGroup": 64,
}


def generated_name(resource_type: str, stack_name: str, logical_id: str) -> str:
    """Return the beginning of the name that CloudFormation generates for a resource."""
    limit = _LIMITS.get(resource_type)
    name = f"{stack_name}-{logical_id}"
    if resource_type == "AWS::S3::Bucket":
        name = name.lower()
    if limit is None or len(name) + 1 + _RANDOM <= limit:
        return name

    # Two hyphens stand between the three parts.
    rest = limit - _RANDOM - 2
    half = (rest + 1) // 2
    return name[:half]
