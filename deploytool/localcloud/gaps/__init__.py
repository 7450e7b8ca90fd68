"""What MiniStack lacks or does unlike AWS, mended: one module a service, each gap with a contract test of its own.

Each module has `install`, which puts functions of ours in the place of MiniStack's or adds to its tables. What MiniStack calls
its own things is known there and in `emulator` and `controlplane`, nowhere else.
"""

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass

from dns.message import Message

from deploytool.localcloud.checkers import supported
from deploytool.localcloud.durations import Durations
from deploytool.localcloud.emulator import MiniStack
from deploytool.localcloud.gaps import apigateway, certificates, durations, healthchecks, route53api, zones
from deploytool.localcloud.gaps.route53api import HealthReader
from deploytool.localcloud.seam import ControlPlane


@dataclass(frozen=True)
class Surroundings:
    """What the gaps need of the cloud around MiniStack.

    The regions with an edge, the state, what the checkers saw, the name server, the cloud's seconds as Unix time, an event
    that is set when the cloud ends, and how long resources take.
    """

    regions: Collection[str]
    control_plane: ControlPlane
    health: HealthReader
    respond: Callable[[Message], Message]
    to_unix: Callable[[float], float]
    closing: threading.Event
    durations: Durations


def install(ministack: MiniStack, around: Surroundings) -> None:
    """Mend MiniStack; once, before it serves."""
    store = healthchecks.HealthCheckStore(ministack.route53, supported)
    healthchecks.install(ministack, store)
    route53api.install(ministack, route53api.Route53Api(ministack, store, around.health, around.respond, around.to_unix))
    zones.install(ministack)
    validation = certificates.Validation(ministack, around.control_plane, around.closing)
    certificates.install(ministack, validation)
    apigateway.install(ministack, apigateway.DomainRules(ministack, around.regions, validation.refresh))
    if around.durations.scale:
        durations.install(ministack, around.durations)
