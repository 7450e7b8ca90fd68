"""How long an operation on a stack takes, and when to poll it next. Pure."""

from collections.abc import Mapping, Sequence

from deploytool.core.stacks.stack import STACK_TYPE, StackEvent, StackStatus

KNOWN = {
    "AWS::Route53::HostedZone": 35.0,
    "AWS::CertificateManager::Certificate": 75.0,
    "AWS::IAM::Role": 16.0,
    "AWS::Lambda::Function": 7.0,
    "AWS::Lambda::Permission": 6.0,
    "AWS::ApiGateway::RestApi": 2.0,
    "AWS::ApiGateway::Stage": 1.5,
    "AWS::ApiGateway::DomainName": 12.0,
    "AWS::ApiGateway::BasePathMapping": 2.0,
    "AWS::Route53::HealthCheck": 2.0,
    "AWS::Route53::RecordSet": 32.0,
    "AWS::Route53::RecordSetGroup": 32.0,
    "AWS::S3::Bucket": 16.0,
    "AWS::S3::BucketPolicy": 2.0,
}
"""Seconds that creating a resource typically takes on AWS, modelled on measured values.

The only such table. A local cloud that imitates AWS's durations is handed these seconds, and can
vary them by a seed (`--durations-seed`).
"""

OTHER = 1.0  # seconds for any other resource
# Seconds between two polls of a region.
FIRST = 0.1  # right after the start, when a refusal shows
NEAR = 1.0  # while the end may come at any time
FAR = 3.0  # before half of the expected time: what a wrong expectation can cost at most
LONGEST = 5.0

GROWTH = 2  # a poll follows after this part of the time that has passed: elapsed / GROWTH
PATIENCE = 40  # an operation of many minutes is polled at elapsed / PATIENCE: 2.5 % of its time


def expected_creation(resources: Mapping[str, str]) -> float:
    """Return the seconds that creating a stack of these resources should take.

    `resources` has the type of each resource by its logical id.
    """
    return sum(KNOWN.get(resource_type, OTHER) for resource_type in resources.values())


def earlier_seconds(events: Sequence[StackEvent], stack_id: str, operation: str) -> float | None:
    """Return the seconds of the latest operation of a kind that succeeded, or None without one.

    `operation` is CREATE, UPDATE or DELETE. The events may have any order.
    """
    own = [event for event in events if event.type == STACK_TYPE and event.physical_id == stack_id]
    own.sort(key=lambda event: event.at)

    start: StackEvent | None = None
    seconds: float | None = None
    for event in own:
        if event.status == f"{operation}_IN_PROGRESS":
            # The first of several events with this status is the start.
            if start is None or start.token != event.token:
                start = event
            continue
        if start is None or event.token != start.token:
            continue
        status = StackStatus(event.status)
        if status.is_good_end:
            seconds = (event.at - start.at).total_seconds()
        if status.is_end:
            start = None
    return seconds


def pause(elapsed: float, expected: float | None) -> float:
    """Return the seconds until the next poll of an operation.

    It has run for `elapsed` seconds and is expected to take `expected` in all (None: unknown). The
    expectation is a hint: AWS takes half to twice as long. So it makes polls rarer only until half
    of it has passed, and never rarer than every FAR seconds. One poll is one call a region,
    whatever the number of stacks, while a missed end delays each stack that waits for it.
    """
    after_start = max(FIRST, elapsed / GROWTH)

    if expected is not None and elapsed < expected / 2:
        return min(after_start, FAR)
    return min(after_start, max(NEAR, elapsed / PATIENCE), LONGEST)


def jittered(seconds: float, random: float) -> float:
    """Return the pause, made shorter or longer by up to a tenth.

    So several runs do not poll in step. `random` is from 0 to 1.
    """
    return min(seconds * (0.9 + 0.2 * random), LONGEST)
