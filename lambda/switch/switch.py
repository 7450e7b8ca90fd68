"""The switch's function, in the standby region: runs every minute, and needs that region alone.

It repeats the switch's metric, so that the state does not depend on one data point. It asks the
domain's name servers who serves, and notes each change. With a manual failback it holds the switch
when the secondary serves although nobody asked. It calls Systems Manager, CloudWatch and SNS of its
own region. It does not call Route 53's API, IAM or us-east-1, which may be down at that time.

Two calls at once do no harm: both come to the same result. A message may be sent twice.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from dnsclient import DnsFailed, Server, addresses_of, system_resolver
from messages import message_of
from parameters import Parameters
from records import (
    Change,
    Standby,
    Switch,
    parse_drill,
    parse_serving,
    parse_standby,
    parse_switch,
    serving_json,
    switch_json,
)
from transitions import Look, has_returned, held, must_hold, note, serving_region, settled

NAMESPACE = "deploytool"
METRIC = "FailoverSwitch"
# A call ends within 12 s, so that a service that does not answer leaves time for the others.
CONFIG = Config(
    connect_timeout=2, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 2}
)

# The addresses that the calls so far have seen of each target. API Gateway may have more of them than
# one answer holds. Lambda keeps the process between two calls that are a minute apart.
SEEN: dict[str, set[str]] = {}

Result = TypeVar("Result")


def handler(event: dict[str, Any], context: object) -> str:  # noqa: ARG001  # Lambda's signature
    """Look once, and return what was seen. Raises RuntimeError with everything that failed."""
    run = Run(Parameters(client("ssm"), os.environ["PREFIX"]))
    outcome = run.look()
    print(outcome)
    if run.failures:
        raise RuntimeError("; ".join(run.failures))
    return outcome


class Run:
    """One run. What fails is in `failures`, and does not stop what can be done without it."""

    def __init__(self, parameters: Parameters) -> None:
        self.failures: list[str] = []
        self._parameters = parameters

    def look(self) -> str:
        """Repeat the metric, find out who serves, and do what follows from it."""
        switch = self._repeat_metric()

        standby_text = self._parameters.read("standby")
        if standby_text is None:
            return "the stage has no standby record yet"
        standby = parse_standby(standby_text)

        region = who_serves(standby)
        if region is None:
            return f"cannot tell which region serves {standby.domain}"
        look = Look(now(), region, standby.primary, standby.secondary)

        change = self._note(look, switch)
        holds = self._hold_or_settle(look, switch)
        self._publish(standby, look, change, holds=holds)
        return f"{region} serves {standby.domain}" + (
            ", and the switch is now held" if holds else ""
        )

    def _repeat_metric(self) -> Switch | None:
        """Put the metric of the switch's record, and return the record.

        A command may write the record meanwhile. Then this data point is older than the command's,
        and arrives after it, so the new value is put after it.
        """
        switch = self._parameters.read_as("switch", parse_switch)
        self._attempt("putting the metric", lambda: put_metric(switch))

        newest = self._parameters.read_as("switch", parse_switch)
        if is_held(newest) != is_held(switch):
            self._attempt("putting the metric", lambda: put_metric(newest))
        return newest

    def _note(self, look: Look, switch: Switch | None) -> Change | None:
        """Write who serves, and return the change to tell of, if any."""
        drill = self._parameters.read_as("drill", parse_drill)
        serving = self._parameters.read_as("serving", parse_serving)
        noted = note(serving, look, switch, drill)
        self._attempt(
            "writing who serves",
            lambda: self._parameters.write("serving", serving_json(noted.serving)),
        )
        return None if noted.is_first else noted.change

    def _hold_or_settle(self, look: Look, before: Switch | None) -> bool:
        """Write the switch's record where the look asks for it. Return whether it is held now.

        `before` is the switch before the look. When it has changed since, a failback may have
        ended after the look, so what was seen is out of date. The next run looks again.
        """
        failback = os.environ["FAILBACK"]
        # A command may have moved the switch since, or a drill begun: only the newest counts.
        drill = self._parameters.read_as("drill", parse_drill)
        found = self._parameters.find("switch")
        switch = parse_switch(found.text) if found else None
        serving = self._parameters.read_as("serving", parse_serving)

        if switch == before and must_hold(look, serving, switch, drill, failback):
            wanted = held(look)
        elif switch is not None and has_returned(look, switch):
            wanted = settled(switch)
        else:
            return False

        written = self._attempt(
            "writing the switch's record",
            lambda: self._parameters.replace("switch", found, switch_json(wanted)),
        )
        # Otherwise a command was faster, and its record is there.
        if not written or not wanted.held:
            return False
        self._attempt("putting the metric", lambda: put_metric(wanted))
        return True

    def _publish(self, standby: Standby, look: Look, change: Change | None, *, holds: bool) -> None:
        topic = os.environ["TOPIC"]
        if not topic or (change is None and not holds):
            return

        message = message_of(os.environ["STAGE"], standby, look, change, holds=holds)
        region = topic.split(":")[3]
        self._attempt(
            f"publishing to {topic}",
            lambda: client("sns", region).publish(
                TopicArn=topic, Subject=message.subject, Message=message.text
            ),
        )

    def _attempt(self, what: str, act: Callable[[], Result]) -> Result | None:
        """Return the result of an act; note a failure and return None."""
        try:
            return act()
        except Exception as error:  # noqa: BLE001  # one failure must not keep the rest from being done
            failure = f"{what}: {error!r}"
            print(failure)
            self.failures.append(failure)
            return None


def who_serves(standby: Standby) -> str | None:
    """Return the region that serves, by DNS alone. None when that cannot be told."""
    resolver = resolver_of_the_system()
    targets = {
        region: addresses_seen(target, resolver) for region, target in standby.targets.items()
    }

    answers: list[tuple[str, ...]] = []
    for name in standby.name_servers:
        for address in ask(name, resolver, recurse=True) or ():
            server = Server(address, int(os.environ.get("DEPLOYTOOL_NAME_SERVER_PORT", "53")))
            answer = ask(standby.domain, server, recurse=False)
            if answer is not None:
                answers.append(answer)
                break
    return serving_region(answers, len(standby.name_servers), targets)


def addresses_seen(target: str, resolver: Server) -> set[str]:
    """Return every address of a target that this process has seen, with those of now."""
    seen = SEEN.setdefault(target, set())
    seen.update(ask(target, resolver, recurse=True) or ())
    return seen


def ask(name: str, server: Server, *, recurse: bool) -> tuple[str, ...] | None:
    """Return the addresses of a name, None when the server gives no answer."""
    try:
        return addresses_of(name, server, recurse=recurse)
    except DnsFailed as error:
        print(error)
        return None


def resolver_of_the_system() -> Server:
    """Return the recursive resolver: the system's, or in the local cloud the local cloud's."""
    local = os.environ.get("DEPLOYTOOL_RESOLVER")
    if not local:
        return system_resolver()
    address, _, port = local.rpartition(":")
    return Server(address, int(port))


def is_held(switch: Switch | None) -> bool:
    """Return whether the switch holds. A stage without a record has never been moved."""
    return switch is not None and switch.held


def put_metric(switch: Switch | None) -> None:
    """Put a data point of now: 1 when the switch is held, else 0."""
    client("cloudwatch").put_metric_data(
        Namespace=NAMESPACE,
        MetricData=[
            {
                "MetricName": METRIC,
                "Dimensions": [
                    {"Name": "Project", "Value": os.environ["PROJECT"]},
                    {"Name": "Stage", "Value": os.environ["STAGE"]},
                ],
                "Value": 1.0 if is_held(switch) else 0.0,
            }
        ],
    )


def now() -> str:
    """Return the time, ISO 8601 in UTC, without fractions of a second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def client(service: str, region: str | None = None) -> Any:  # noqa: ANN401  # boto3 has no types at run time
    """Return a boto3 client; without a region for the function's own.

    A client is kept from one call of the function to the next: making it costs more than its calls.
    """
    return boto3.client(service, region_name=region, config=CONFIG)  # type: ignore[call-overload]
