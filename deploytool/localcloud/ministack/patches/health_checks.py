"""Route 53 health checks as resources: what their settings may be, their defaults, and
`AWS::Route53::HealthCheck`.

Sources: Route 53 API reference, HealthCheckConfig; CloudFormation template reference,
AWS::Route53::HealthCheck (Ref is the id; a change of Type, RequestInterval or MeasureLatency
replaces it, any other happens in place).
"""

from collections.abc import Callable, Mapping
from typing import Any

from deploytool.core.route53.health import HealthCheckConfig
from deploytool.localcloud.ministack.controlplane import to_health_check_config
from deploytool.localcloud.ministack.emulator import MiniStack

Settings = Mapping[str, Any]
Supported = Callable[[HealthCheckConfig], str | None]

_RESOURCE_TYPE = "AWS::Route53::HealthCheck"
_INTEGERS = ("Port", "RequestInterval", "FailureThreshold", "HealthThreshold")
_BOOLEANS = ("MeasureLatency", "Inverted", "Disabled", "EnableSNI")
_REPLACING = ("Type", "RequestInterval", "MeasureLatency")
_PORTS = {"HTTP": 80, "HTTP_STR_MATCH": 80, "HTTPS": 443, "HTTPS_STR_MATCH": 443}
# What the local checkers cannot do, each with what to tell the user.
_REFUSED = {
    "Regions": "the local checkers stand in all eight regions",
    "ChildHealthChecks": "calculated health checks are not supported locally",
    "HealthThreshold": "calculated health checks are not supported locally",
    "AlarmIdentifier": "health checks on alarms are not supported locally",
    "InsufficientDataHealthStatus": "health checks on alarms are not supported locally",
    "RoutingControlArn": "Application Recovery Controller is not supported locally",
}


class HealthCheckRefused(ValueError):
    """The settings of a health check are wrong, or ask for what the local cloud does not do. The
    message says which.
    """


class HealthCheckStore:
    """MiniStack's health checks, with Route 53's rules for their settings. `supported` says what
    the checkers cannot run, `on_change` hears of each one made, changed or deleted.
    """

    def __init__(self, route53: Any, supported: Supported, on_change: Callable[[], object]) -> None:
        self._route53 = route53
        self._supported = supported
        self._on_change = on_change

    def create(self, caller_reference: str, settings: Settings) -> dict[str, Any]:
        """A new health check, version 1. Raises HealthCheckRefused."""
        complete = self.checked(_with_defaults(settings))
        found = {
            "id": self._route53._hc_id(),
            "caller_reference": caller_reference,
            "config": complete,
            "version": 1,
        }
        with self._route53._lock:
            self._route53._health_checks[found["id"]] = found
            self._route53._hc_caller_refs[caller_reference] = found["id"]
        self._on_change()
        return found

    def update(self, found: dict[str, Any], settings: Settings) -> None:
        """Give a health check these settings and its next version. Raises HealthCheckRefused, and
        then nothing has changed.
        """
        complete = self.checked(_with_defaults(settings))
        with self._route53._lock:
            found["config"] = complete
            found["version"] += 1
        self._on_change()

    def get(self, health_check_id: str) -> dict[str, Any] | None:
        """The caller's health check of that id."""
        with self._route53._lock:
            found: dict[str, Any] | None = self._route53._health_checks.get(health_check_id)
        return found

    def delete(self, health_check_id: str) -> None:
        """Forget a health check; nothing to do when it is gone."""
        with self._route53._lock:
            found = self._route53._health_checks.pop(health_check_id, None)
            if found is not None:
                self._route53._hc_caller_refs.pop(found["caller_reference"], None)
        self._on_change()

    def same_settings(self, found: Mapping[str, Any], settings: Settings) -> bool:
        """Whether a request with these settings asks for this very health check."""
        return bool(found["config"] == _with_defaults(settings))

    def checked(self, settings: dict[str, Any]) -> dict[str, Any]:
        """The settings themselves. Raises HealthCheckRefused."""
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
    kind = settings.get("Type", "")
    defaults: dict[str, Any] = {
        "RequestInterval": 30,
        "FailureThreshold": 3,
        "MeasureLatency": False,
        "Inverted": False,
    }
    defaults |= {"Disabled": False, "EnableSNI": kind.startswith("HTTPS")}
    if kind in _PORTS:
        defaults["Port"] = _PORTS[kind]
    return defaults | dict(settings)


def _from_template(properties: Mapping[str, Any]) -> dict[str, Any]:
    """HealthCheckConfig as a template has it: numbers and booleans may be text there."""
    settings = dict(properties.get("HealthCheckConfig") or {})
    for name in _INTEGERS:
        if name in settings:
            settings[name] = int(settings[name])
    for name in _BOOLEANS:
        if name in settings:
            settings[name] = str(settings[name]).lower() == "true"
    return settings


def install(ministack: MiniStack, store: HealthCheckStore) -> None:
    """Add `AWS::Route53::HealthCheck` to CloudFormation."""
    route53, provisioners = ministack.route53, ministack.provisioners

    def put_tags(health_check_id: str, properties: Mapping[str, Any]) -> None:
        tags = {tag["Key"]: str(tag["Value"]) for tag in properties.get("HealthCheckTags") or ()}
        route53._tags[("healthcheck", health_check_id)] = tags

    def create(
        logical_id: str, properties: Mapping[str, Any], stack_name: str
    ) -> tuple[str, dict[str, str]]:
        reference = f"{stack_name}-{logical_id}-{ministack.responses.new_uuid()}"
        found = store.create(reference, _from_template(properties))
        put_tags(found["id"], properties)
        return found["id"], {"HealthCheckId": found["id"]}

    def update(
        physical_id: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        stack_name: str,
        logical_id: str,
    ) -> tuple[str, dict[str, str]]:
        before, after = _from_template(old), _from_template(new)
        found = store.get(physical_id)
        # CloudFormation deletes the predecessor itself when the id changes.
        if found is None or any(before.get(name) != after.get(name) for name in _REPLACING):
            return create(logical_id, new, stack_name)
        if before != after:
            kept = {
                name: value
                for name, value in found["config"].items()
                if name not in before or name in after
            }
            store.update(found, kept | after)
        put_tags(physical_id, new)
        return physical_id, {"HealthCheckId": physical_id}

    def delete(physical_id: str, _: Mapping[str, Any]) -> None:
        store.delete(physical_id)
        route53._tags.pop(("healthcheck", physical_id), None)

    provisioners._RESOURCE_HANDLERS[_RESOURCE_TYPE] = {
        "create": create,
        "update": update,
        "update_with_logical_id": True,
        "delete": delete,
    }
    provisioners._STACK_TAG_PROPERTY[_RESOURCE_TYPE] = ("HealthCheckTags", "list")
    provisioners._REPLACING_PROPERTIES[_RESOURCE_TYPE] = ()
    provisioners._CONDITIONALLY_REPLACING_PROPERTIES[_RESOURCE_TYPE] = ("HealthCheckConfig",)
