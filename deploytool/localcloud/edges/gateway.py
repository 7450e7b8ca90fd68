"""API Gateway's routing in a region: the API and stage of a request by its Host and path. Pure.

Sources: API Gateway Developer Guide, "Custom domain name for public REST APIs" (base path mappings,
the default endpoint) and "Disable the default endpoint for REST APIs".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class BasePathMapping:
    """A base path of a custom domain, and the API and stage that it leads to.

    `base_path` has no slashes at its ends and is empty for the root. `stage` is empty when the next
    segment of the path names it.
    """

    base_path: str
    api_id: str
    stage: str


@dataclass(frozen=True)
class CustomDomain:
    """A regional custom domain name.

    `certificate` has the names of its certificate; it is empty unless the certificate is issued and
    covers `name`.
    """

    name: str
    target: str
    certificate: tuple[str, ...]
    mappings: tuple[BasePathMapping, ...]


@dataclass(frozen=True)
class RestApi:
    """A REST API, and whether its default endpoint (execute-api) answers."""

    id: str
    endpoint_enabled: bool


class ApiGateway(Protocol):
    """What each region's API Gateway has now; None for what it does not have."""

    def custom_domain(self, region: str, name: str) -> CustomDomain | None: ...

    def rest_api(self, region: str, api_id: str) -> RestApi | None: ...


@dataclass(frozen=True)
class Target:
    """The API and stage of a request, and the number of characters of the path that named them."""

    api_id: str
    stage: str
    used: int


def covers(certificate: Sequence[str], name: str) -> bool:
    """Whether a certificate with these names covers `name`; a wildcard is exactly one label."""
    if name in certificate:
        return True
    parent = name.partition(".")[2]
    return bool(parent) and f"*.{parent}" in certificate


def route(gateway: ApiGateway, region: str, host: str, path: str) -> Target | None:
    """Return the target of a request to a region's endpoint; None means 403 Forbidden.

    `host` is the Host header, with or without a port.
    """
    name = _host_name(host)
    domain = gateway.custom_domain(region, name)
    if domain is not None:
        if not domain.certificate:
            return None
        return route_by_mapping(domain.mappings, path)

    # What is left is the API's own name. The target name of a custom domain has the same form, but
    # is no API's id.
    api_id, _, parent = name.partition(".")
    if parent != f"execute-api.{region}.amazonaws.com":
        return None
    api = gateway.rest_api(region, api_id)
    if api is None or not api.endpoint_enabled:
        return None
    return _with_stage_from_path(api.id, path, 0)


def route_by_mapping(mappings: Sequence[BasePathMapping], path: str) -> Target | None:
    """Return the target of a path by the longest base path that contains it.

    None when no base path contains it, or when the path names no stage and must.
    """
    matching = [mapping for mapping in mappings if _contains(mapping.base_path, path)]
    if not matching:
        return None

    mapping = max(matching, key=lambda candidate: len(candidate.base_path))
    used = len(f"/{mapping.base_path}") if mapping.base_path else 0
    if mapping.stage:
        return Target(mapping.api_id, mapping.stage, used)
    return _with_stage_from_path(mapping.api_id, path, used)


def _host_name(host: str) -> str:
    """Return the name in a Host header, in lower case and without port and final dot."""
    name, _, port = host.rpartition(":")
    if not port.isdigit():
        name = host
    return name.lower().rstrip(".")


def _contains(base_path: str, path: str) -> bool:
    return not base_path or f"{path}/".startswith(f"/{base_path}/")


def _with_stage_from_path(api_id: str, path: str, used: int) -> Target | None:
    """Return the target whose stage is the next segment of the path, None when there is none."""
    stage = path[used:].lstrip("/").partition("/")[0]
    if not stage:
        return None
    return Target(api_id, stage, used + len(f"/{stage}"))
