"""The drill's guard: a function in the secondary region that undoes a drill when its time is up.

A schedule of EventBridge Scheduler invokes it with `{"drill_id": ...}`, whatever has become of the
machine that ran the drill. It reads the drill's record, a parameter of Systems Manager that
`deploytool/core/drill/record.py` describes, and undoes each step of it. Every step can be undone
any number of times.
"""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import boto3
from botocore.config import Config

SCHEMA_VERSION = 1  # of the record
SWITCH_SCHEMA_VERSION = 1  # of the switch's record, deploytool/core/failover/records.py
PAUSE = 5  # seconds between two attempts
ATTEMPT = 60  # seconds that an attempt may need
CONFIG = Config(
    connect_timeout=5,
    read_timeout=10,
    retries={"mode": "standard", "max_attempts": 3},
)

Step = dict[str, Any]


class Context(Protocol):
    """What the guard uses of the context object that Lambda hands to a handler."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends the call."""
        ...


def handler(event: dict[str, str], context: Context) -> str:
    """Undo the drill of the event, and return what was done.

    A failed attempt is repeated as long as there is time for another one. The last error leaves
    the function, so that Lambda counts the call as failed and repeats it twice.
    """
    drill_id = event["drill_id"]
    while True:
        try:
            outcome = restore(drill_id)
        except Exception as error:
            print(f"drill {drill_id}: {error!r}")
            if context.get_remaining_time_in_millis() < 1000 * (PAUSE + ATTEMPT):
                raise
        else:
            print(f"drill {drill_id}: {outcome}")
            return outcome
        time.sleep(PAUSE)


def restore(drill_id: str) -> str:
    """Undo every step that can be undone, and return what was done.

    The record is deleted only when all steps are undone: what is left of it is for the next
    attempt, or for `deploytool restore`. Raises RuntimeError with every step that failed,
    ValueError for a record of another schema version.
    """
    ssm = client("ssm")
    name = os.environ["RECORD"]
    try:
        parameter = ssm.get_parameter(Name=name)["Parameter"]
    except ssm.exceptions.ParameterNotFound:
        return "has no record, nothing to undo"

    record = json.loads(parameter["Value"])
    if record["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"unknown schema version {record['schema_version']}")
    if record["drill_id"] != drill_id:
        return f"is over, {record['drill_id']} is under way"

    failures = []
    for step in record["undo"]:
        try:
            UNDO[step["type"]](step)
        except Exception as error:  # noqa: BLE001  # one step must not keep the others from being undone
            failures.append(f"{step}: {error!r}")
    if failures:
        raise RuntimeError("; ".join(failures))

    try:
        ssm.delete_parameter(Name=name)
    except ssm.exceptions.ParameterNotFound:
        pass  # somebody else has undone the same drill meanwhile
    return "undone"


def restore_health_check(step: Step) -> None:
    """Set `Inverted` back.

    It is written even where it already has the wanted value: the new version makes an injection
    that is still on its way fail, because that is a compare-and-swap on the version.
    """
    route53 = client("route53")
    health_check_id = step["health_check_id"]

    health_check = route53.get_health_check(HealthCheckId=health_check_id)["HealthCheck"]
    route53.update_health_check(
        HealthCheckId=health_check_id,
        HealthCheckVersion=health_check["HealthCheckVersion"],
        Inverted=step["inverted"],
    )

    health_check = route53.get_health_check(HealthCheckId=health_check_id)["HealthCheck"]
    verify(health_check["HealthCheckConfig"].get("Inverted", False), step["inverted"])


def restore_concurrency(step: Step) -> None:
    """Give the function its reserved concurrency back, or none where it had none."""
    functions = client("lambda", step["region"])
    name = step["function_name"]
    reserved = step["reserved"]

    if reserved is None:
        functions.delete_function_concurrency(FunctionName=name)
    else:
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)

    concurrency = functions.get_function_concurrency(FunctionName=name)
    verify(concurrency.get("ReservedConcurrentExecutions"), reserved)


def restore_mapping(step: Step) -> None:
    """Create the base path mapping unless it is there."""
    apigateway = client("apigateway", step["region"])
    domain = step["domain"]
    mapping = {
        "basePath": step["base_path"],
        "restApiId": step["rest_api_id"],
        "stage": step["stage"],
    }

    def exists() -> bool:
        answer = apigateway.get_base_path_mappings(domainName=domain, limit=500)
        return any(mapping.items() <= item.items() for item in answer.get("items", []))

    if not exists():
        apigateway.create_base_path_mapping(domainName=domain, **mapping)
    verify(exists(), wanted=True)


def restore_switch(step: Step) -> None:
    """Release the stage's switch, and note that traffic is returning to the primary.

    First the record, then the metric: the function of the switch repeats the metric from the
    record. A switch that a command holds meanwhile is left: somebody moved traffic on purpose.
    """
    ssm = client("ssm", step["region"])
    name = f"/deploytool/{step['project']}/{step['stage']}/switch"

    def held() -> Step | None:
        try:
            value = ssm.get_parameter(Name=name)["Parameter"]["Value"]
        except ssm.exceptions.ParameterNotFound:
            return None
        record: Step = json.loads(value)
        return record if record["held"] else None

    found = held()
    if found is not None and found["how"] == "command":
        return

    record = {
        "schema_version": SWITCH_SCHEMA_VERSION,
        "held": False,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "who": "the guard of the drill",
        "why": "the end of a drill",
        "how": "drill",
        "returning": True,
    }
    ssm.put_parameter(Name=name, Value=json.dumps(record), Type="String", Overwrite=True)

    dimensions = [
        {"Name": "Project", "Value": step["project"]},
        {"Name": "Stage", "Value": step["stage"]},
    ]
    client("cloudwatch", step["region"]).put_metric_data(
        Namespace="deploytool",
        MetricData=[{"MetricName": "FailoverSwitch", "Dimensions": dimensions, "Value": 0.0}],
    )
    verify(held(), None)


def verify(value: object, wanted: object) -> None:
    """Raise RuntimeError when what was read back is not what was written."""
    if value != wanted:
        raise RuntimeError(f"it is {value}, not {wanted}")


def client(service: str, region: str | None = None) -> Any:  # noqa: ANN401  # boto3 has no types at run time
    """Return a boto3 client; without a region for the function's own."""
    return boto3.client(service, region_name=region, config=CONFIG)  # type: ignore[call-overload]


UNDO: dict[str, Callable[[Step], None]] = {
    "restore_health_check": restore_health_check,
    "restore_concurrency": restore_concurrency,
    "restore_mapping": restore_mapping,
    "restore_switch": restore_switch,
}
