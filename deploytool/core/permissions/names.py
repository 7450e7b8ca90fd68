"""The names that CloudFormation gives to resources without a name of their own. Pure.

A generated name is STACK-LOGICALID-RANDOM, with 12 random characters. Where a service takes fewer
characters, CloudFormation shortens the stack's name, which is what policies match. It publishes no
rule. From three names that it made, of a stack's name of 26 characters: what is left beside the
random part is split between both names in halves, the stack's half rounded up
(KensioSoftware/yulin issue 1113). Whether a short logical id leaves its rest to the stack's name is
not known, so nobody may count on more than the half. (Our reading.)
"""

RANDOM = 12  # characters at the end of a generated name
BUCKET_LIMIT = 63  # of an S3 bucket's name
NAME_LIMIT = (
    64  # of the names of IAM roles, Lambda functions, EventBridge rules and schedule groups
)


def sure_length(limit: int) -> int:
    """Return how many characters of a stack's name a generated name has for certain."""
    # Two hyphens stand between the three parts.
    rest = limit - RANDOM - 2
    return (rest + 1) // 2


def generated(stack_name: str, logical_id: str, limit: int) -> str:
    """Return the beginning of a generated name, with `*` for its random part.

    It is the shortest that it can be.
    """
    whole = f"{stack_name}-{logical_id}-"
    if len(whole) + RANDOM <= limit:
        return whole + "*"
    half = sure_length(limit)
    return f"{stack_name[:half]}*"
