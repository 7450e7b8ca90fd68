"""Route 53 health checks: the rules for their settings, and `AWS::Route53::HealthCheck`.

Sources: Route 53 API reference, HealthCheckConfig; CloudFormation template reference,
AWS::Route53::HealthCheck (Ref is the id; a change of Type, RequestInterval or MeasureLatency
replaces it, any other happens in place).
"""

from collections.abc import Callable, Mapping
from typing import Any

from deploytool.core.route53.health import HealthCheckConfig
from deploytool.localcloud.ministack.controlplane import to_health_check_config
from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "AWS::Route53::HealthCheck": "the resource type is unknown",
}

Settings = Mapping[str, Any]
Properties = Mapping[str, Any]
# The physical id and the attributes of a resource
Created = tuple[str, dict[str, Any]]
# A health check as MiniStack stores it: id, caller_reference, config, version
StoredHealthCheck = dict[str, Any]
Supported = Callable[[HealthCheckConfig], str | None]

_RESOURCE_TYPE = "AWS::Route53::HealthCheck"
_INTEGERS = ("Port", "RequestInterval", "FailureThreshold", "HealthThreshold")
_BOOLEANS = ("MeasureLatency", "Inverted", "Disabled", "EnableSNI")
_REPLACING = ("Type", "RequestInterval", "MeasureLatency")
_PORTS = {"HTTP": 80, "HTTP_STR_MATCH": 80, "HTTPS": 443, "HTTPS_STR_MATCH": 443}
# The settings that the local checkers do not support, each with the reason for the user.
_REFUSED = {
    "Regions": "the local checkers are in all eight regions",
    "ChildHealthChecks": "calculated health checks are not supported locally",
    "HealthThreshold": "calculated health checks are not supported locally",
    "AlarmIdentifier": "health checks on alarms are not supported locally",
    "InsufficientDataHealthStatus": "health checks on alarms are not supported locally",
    "RoutingControlArn": "Application Recovery Controller is not supported locally",
}


class HealthCheckRefused(ValueError):
    """The settings of a health check are wrong or not supported. The message says which."""


class HealthCheckStore:
    """MiniStack's health checks, with Route 53's rules for their settings.

    `supported` returns why the checkers cannot run a health check, or None when they can.
    `on_change` is called after each creation, update and deletion.
    """

    def __init__(self, route53: Any, supported: Supported, on_change: Callable[[], object]) -> None:
        self._route53 = route53
        self._supported = supported
        self._on_change = on_change

    def create(self, caller_reference: str, settings: Settings) -> StoredHealthCheck:
        """Create a health check of version 1. Raises HealthCheckRefused."""
        config = self.checked(_with_defaults(settings))
        health_check = {
            "id": self._route53._hc_id(),
            "caller_reference": caller_reference,
            "config": config,
            "version": 1,
        }
        with self._route53._lock:
            self._route53._health_checks[health_check["id"]] = health_check
            self._route53._hc_caller_refs[caller_reference] = health_check["id"]
        self._on_change()
        return health_check

    def update(self, health_check: StoredHealthCheck, settings: Settings) -> None:
        """Give a health check these settings and its next version.

        Raises HealthCheckRefused, and then nothing has changed.
        """
        config = self.checked(_with_defaults(settings))
        with self._route53._lock:
            health_check["config"] = config
            health_check["version"] += 1
        self._on_change()

    def get(self, health_check_id: str) -> StoredHealthCheck | None:
        """Return the calling account's health check of that id."""
        with self._route53._lock:
            health_check: StoredHealthCheck | None
            health_check = self._route53._health_checks.get(health_check_id)
        return health_check

    def delete(self, health_check_id: str) -> None:
        """Delete a health check; does nothing when it does not exist."""
        with self._route53._lock:
            health_check = self._route53._health_checks.pop(health_check_id, None)
            if health_check is not None:
                self._route53._hc_caller_refs.pop(health_check["caller_reference"], None)
        self._on_change()

    def same_settings(self, health_check: StoredHealthCheck, settings: Settings) -> bool:
        """Return whether a request with these settings asks for this very health check."""
        return bool(health_check["config"] == _with_defaults(settings))

    def checked(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return the settings unchanged. Raises HealthCheckRefused."""
        for name, reason in _REFUSED.items():
            if name in settings:
                raise HealthCheckRefused(f"{name}: {reason}")
        if settings.get("MeasureLatency"):
            raise HealthCheckRefused("MeasureLatency: the local checkers do not publish latency")
        if not settings.get("Type"):
            raise HealthCheckRefused("Type is required")
        if not 1 <= settings.get("Port", 0) <= 65535:
            raise HealthCheckRefused(f"Port must be 1 to 65535, got {settings.get('Port')}")
        unsupported = self._supported(to_health_check_config(settings))
        if unsupported:
            raise HealthCheckRefused(unsupported)
        return settings


def _with_defaults(settings: Settings) -> dict[str, Any]:
    """Return the settings with Route 53's default for each one that is missing."""
    type_ = settings.get("Type", "")
    defaults: dict[str, Any] = {
        "RequestInterval": 30,
        "FailureThreshold": 3,
        "MeasureLatency": False,
        "Inverted": False,
        "Disabled": False,
        "EnableSNI": type_.startswith("HTTPS"),
    }
    if type_ in _PORTS:
        defaults["Port"] = _PORTS[type_]
    return defaults | dict(settings)


def _from_template(properties: Properties) -> dict[str, Any]:
    """Return HealthCheckConfig with numbers and booleans, which a template may have as text."""
    settings = dict(properties.get("HealthCheckConfig") or {})
    for name in _INTEGERS:
        if name in settings:
            settings[name] = int(settings[name])
    for name in _BOOLEANS:
        if name in settings:
            settings[name] = str(settings[name]).lower() == "true"
    return settings


class HealthCheckResource:
    """`AWS::Route53::HealthCheck`: the operations of CloudFormation on a health check."""

    def __init__(self, ministack: MiniStack, store: HealthCheckStore) -> None:
        self._route53 = ministack.route53
        self._new_id: Callable[[], str] = ministack.responses.new_uuid
        self._store = store

    def create(self, logical_id: str, properties: Properties, stack_name: str) -> Created:
        """Create a health check. Raises HealthCheckRefused."""
        reference = f"{stack_name}-{logical_id}-{self._new_id()}"
        health_check = self._store.create(reference, _from_template(properties))
        return self._tagged(health_check["id"], properties)

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str
    ) -> Created:
        """Change a health check in place, or replace it. Raises HealthCheckRefused."""
        before = _from_template(old)
        after = _from_template(new)
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
