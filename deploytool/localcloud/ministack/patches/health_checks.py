"""Route 53 health checks: the rules for their settings, and `AWS::Route53::HealthCheck`.

Sources: Route 53 API reference, HealthCheckConfig; CloudFormation template reference,
AWS::Route53::HealthCheck (Ref is the id; a change of Type, RequestInterval or MeasureLatency
replaces it, any other happens in place).
"""

from collections.abc import Callable, Mapping
from typing import Any

from deploytool.core.route53.alarms import AlarmConfiguration
from deploytool.core.route53.calculated import CLOUDWATCH_METRIC
from deploytool.core.route53.health import HealthCheckConfig
from deploytool.core.route53.metric_alarms import route53_refusal
from deploytool.localcloud.ministack.controlplane import to_health_check_config
from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.metrics import to_metric_alarm
from deploytool.localcloud.ministack.patches.health_check_settings import (
    HealthCheckRefused,
    Settings,
    check_children,
    check_settings,
    check_update,
    from_template,
    with_defaults,
)
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "AWS::Route53::HealthCheck": "the resource type is unknown",
}

Properties = Mapping[str, Any]
# The physical id and the attributes of a resource
Created = tuple[str, dict[str, Any]]
# A health check as MiniStack stores it: id, caller_reference, config, version; and, for one on an
# alarm, what it read of the alarm as `alarm`
StoredHealthCheck = dict[str, Any]
Supported = Callable[[HealthCheckConfig], str | None]

_RESOURCE_TYPE = "AWS::Route53::HealthCheck"
_REPLACING = ("Type", "RequestInterval", "MeasureLatency")


class HealthCheckStore:
    """MiniStack's health checks, with Route 53's rules for their settings.

    `supported` returns why the checkers cannot run a health check, or None when they can.
    `on_change` is called after each creation, update and deletion.
    """

    def __init__(
        self, ministack: MiniStack, supported: Supported, on_change: Callable[[], object]
    ) -> None:
        self._route53 = ministack.route53
        self._cloudwatch = ministack.cloudwatch
        self._responses = ministack.responses
        self._supported = supported
        self._on_change = on_change

    def create(self, caller_reference: str, settings: Settings) -> StoredHealthCheck:
        """Create a health check of version 1. Raises HealthCheckRefused."""
        config = self.checked(with_defaults(settings))
        health_check = {
            "id": self._route53._hc_id(),
            "caller_reference": caller_reference,
            "config": config,
            "version": 1,
            "alarm": self._read_alarm(config),
        }
        with self._route53._lock:
            self._route53._health_checks[health_check["id"]] = health_check
            self._route53._hc_caller_refs[caller_reference] = health_check["id"]
        self._on_change()
        return health_check

    def update(self, health_check: StoredHealthCheck, settings: Settings) -> None:
        """Give a health check these settings and its next version; its alarm is read again.

        Raises HealthCheckRefused, and then nothing has changed.
        """
        config = self.checked(with_defaults(settings))
        check_update(health_check["config"], config)
        alarm = self._read_alarm(config)
        with self._route53._lock:
            health_check["config"] = config
            health_check["alarm"] = alarm
            health_check["version"] += 1
        self._on_change()

    def get(self, health_check_id: str) -> StoredHealthCheck | None:
        """Return the calling account's health check of that id."""
        with self._route53._lock:
            health_check: StoredHealthCheck | None
            health_check = self._route53._health_checks.get(health_check_id)
        return health_check

    def delete(self, health_check_id: str) -> None:
        """Delete a health check; does nothing when it does not exist.

        Raises HealthCheckRefused for the child of a calculated health check. AWS documents no rule;
        a user reports that it fails (hashicorp/terraform, issue 22171), so this is our reading.
        """
        parent = self._parent_of(health_check_id)
        if parent is not None:
            raise HealthCheckRefused(
                f"Invalid parameter : Health check {health_check_id} is a child of the calculated "
                f"health check {parent} and cannot be deleted."
            )
        with self._route53._lock:
            health_check = self._route53._health_checks.pop(health_check_id, None)
            if health_check is not None:
                self._route53._hc_caller_refs.pop(health_check["caller_reference"], None)
        self._on_change()

    def same_settings(self, health_check: StoredHealthCheck, settings: Settings) -> bool:
        """Return whether a request with these settings asks for this very health check."""
        return bool(health_check["config"] == with_defaults(settings))

    def checked(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return the settings unchanged. Raises HealthCheckRefused."""
        check_settings(settings)
        check_children(settings, self._type_of)
        unsupported = self._supported(to_health_check_config(settings))
        if unsupported:
            raise HealthCheckRefused(unsupported)
        return settings

    def _type_of(self, health_check_id: str) -> str | None:
        health_check = self.get(health_check_id)
        return None if health_check is None else str(health_check["config"]["Type"])

    def _parent_of(self, health_check_id: str) -> str | None:
        """Return the id of a calculated health check that has this child, or None."""
        with self._route53._lock:
            stored = list(self._route53._health_checks.values())
        for health_check in stored:
            if health_check_id in (health_check["config"].get("ChildHealthChecks") or ()):
                return str(health_check["id"])
        return None

    def _read_alarm(self, settings: Settings) -> AlarmConfiguration | None:
        """Return what Route 53 reads of an alarm; None for another type of health check.

        Raises HealthCheckRefused when there is no such alarm or Route 53 does not take it.
        """
        if settings["Type"] != CLOUDWATCH_METRIC:
            return None

        name = settings["AlarmIdentifier"]["Name"]
        region = settings["AlarmIdentifier"]["Region"]
        account = self._responses.get_account_id()
        alarm = self._cloudwatch._alarms.get_scoped(account, region, name)
        if alarm is None:
            alarm = self._cloudwatch._composite_alarms.get_scoped(account, region, name)
        if alarm is None:
            raise HealthCheckRefused(
                f"Invalid parameter : There is no CloudWatch alarm {name} in {region}."
            )

        metric_alarm = to_metric_alarm(alarm)
        refusal = route53_refusal(metric_alarm)
        if refusal is not None:
            raise HealthCheckRefused(f"Invalid parameter : CloudWatch alarm {name}: {refusal}")
        return metric_alarm.configuration


class HealthCheckResource:
    """`AWS::Route53::HealthCheck`: the operations of CloudFormation on a health check."""

    def __init__(self, ministack: MiniStack, store: HealthCheckStore) -> None:
        self._route53 = ministack.route53
        self._new_id: Callable[[], str] = ministack.responses.new_uuid
        self._store = store

    def create(self, logical_id: str, properties: Properties, stack_name: str) -> Created:
        """Create a health check. Raises HealthCheckRefused."""
        reference = f"{stack_name}-{logical_id}-{self._new_id()}"
        health_check = self._store.create(reference, from_template(properties))
        return self._tagged(health_check["id"], properties)

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str
    ) -> Created:
        """Change a health check in place, or replace it. Raises HealthCheckRefused."""
        before = from_template(old)
        after = from_template(new)
        health_check = self._store.get(physical_id)

        replaced = any(before.get(name) != after.get(name) for name in _REPLACING)
        if health_check is None or replaced:
            # CloudFormation deletes the old one itself when the physical id changes.
            return self.create(logical_id, new, stack_name)

        if before != after:
            # A setting that the template had and has no longer goes back to its default.
            settings = dict(health_check["config"])
            for removed in before.keys() - after.keys():
                settings.pop(removed, None)
            self._store.update(health_check, settings | after)
        return self._tagged(physical_id, new)

    def delete(self, physical_id: str, _: Properties) -> None:
        """Delete a health check; does nothing when it does not exist."""
        self._store.delete(physical_id)
        self._route53._tags.pop(("healthcheck", physical_id), None)

    def _tagged(self, health_check_id: str, properties: Properties) -> Created:
        """Store the tags of a health check and return what CloudFormation shows of it."""
        tags = {tag["Key"]: str(tag["Value"]) for tag in properties.get("HealthCheckTags") or ()}
        self._route53._tags[("healthcheck", health_check_id)] = tags
        return health_check_id, {"HealthCheckId": health_check_id}


def install(patcher: Patcher, store: HealthCheckStore) -> None:
    """Add `AWS::Route53::HealthCheck` to CloudFormation."""
    resource = HealthCheckResource(patcher.ministack, store)
    handler = {
        "create": resource.create,
        "update": resource.update,
        "update_with_logical_id": True,
        "delete": resource.delete,
    }
    patcher.add_resource_type(_RESOURCE_TYPE, handler)

    provisioners = patcher.ministack.provisioners
    provisioners._STACK_TAG_PROPERTY[_RESOURCE_TYPE] = ("HealthCheckTags", "list")
    provisioners._REPLACING_PROPERTIES[_RESOURCE_TYPE] = ()
    provisioners._CONDITIONALLY_REPLACING_PROPERTIES[_RESOURCE_TYPE] = ("HealthCheckConfig",)
