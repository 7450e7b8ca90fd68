"""What MiniStack lacks or does unlike AWS, mended: one module a service, each gap with a contract
test of its own.

Each module has `install`, which puts functions of ours in the place of MiniStack's or adds to its
tables. What MiniStack calls its own things is known there and in `emulator` and `controlplane`,
nowhere else.
"""

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from dns.message import Message

from deploytool.localcloud.durations import Durations
from deploytool.localcloud.health.supported import unsupported_reason
from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches import (
    apigateway,
    certificates,
    durations,
    functions,
    identities,
    permissions,
    schedules,
    zones,
)
from deploytool.localcloud.ministack.patches import base_path_mappings as basepathmappings
from deploytool.localcloud.ministack.patches import health_checks as healthchecks
from deploytool.localcloud.ministack.patches import http_proxy as httpproxy
from deploytool.localcloud.ministack.patches import route53_api as route53api
from deploytool.localcloud.ministack.patches import stack_roles as stackroles
from deploytool.localcloud.ministack.patches import template_urls as templateurls
from deploytool.localcloud.ministack.patches.permissions import AccessLog
from deploytool.localcloud.ministack.patches.route53_api import HealthReader


@dataclass(frozen=True)
class Surroundings:
    """What the gaps need of the cloud around MiniStack.

    The regions with an edge, the values that a name and type have for the public, what the checkers
    saw, the name server, the cloud's seconds as Unix time, an event that is set when the cloud
    ends, who is to hear (from any thread) that a health check has changed, how long resources take,
    whether IAM is enforced, and where what is asked under IAM enforcement is noted.
    """

    regions: Collection[str]
    resolve: Callable[[str, str], Sequence[str]]
    health: HealthReader
    respond: Callable[[Message], Message]
    to_unix: Callable[[float], float]
    closing: threading.Event
    on_health_check: Callable[[], object]
    durations: Durations
    enforce_iam: bool
    access: AccessLog


def install(ministack: MiniStack, around: Surroundings) -> None:
    """Mend MiniStack; once, before it serves."""
    store = healthchecks.HealthCheckStore(
        ministack.route53, unsupported_reason, around.on_health_check
    )
    healthchecks.install(ministack, store)
    route53api.install(
        ministack,
        route53api.Route53Api(ministack, store, around.health, around.respond, around.to_unix),
    )
    zones.install(ministack)
    schedules.install(ministack)
    validation = certificates.Validation(ministack, around.resolve, around.closing)
    certificates.install(ministack, validation)
    apigateway.install(
        ministack, apigateway.DomainRules(ministack, around.regions, validation.refresh)
    )
    httpproxy.install(ministack)
    functions.install(ministack)
    basepathmappings.install(ministack)
    templateurls.install(ministack)
    identities.install(ministack)
    if around.enforce_iam:
        permissions.install(ministack, around.access)
        stackroles.install(ministack, around.access)
    if around.durations:
        durations.install(ministack, around.durations)
