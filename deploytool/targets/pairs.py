"""A failover pair that deploytool did not deploy, as the service and the ports of a drill."""

import getpass
import socket
from dataclasses import replace

from deploytool.aws.apigateway import ApiGatewayMappings
from deploytool.aws.breaker import GLOBAL_REGION
from deploytool.aws.lambdas import LambdaFunctions
from deploytool.aws.pairs import Route53Pairs, TagDrillRecords
from deploytool.aws.standby import CloudWatchSwitchMetric, SsmStandbyRecords
from deploytool.core.drill.pair import PairState
from deploytool.core.drill.ports import DrillPorts
from deploytool.core.route53.pairs import (
    FailoverPair,
    find_pair,
    health_check_to_invert,
    primary_health_checks,
)
from deploytool.core.route53.verdicts import CheckStates, dependents_of, followers_of, parents_of
from deploytool.core.service.service import Service
from deploytool.net.clock import wall_time
from deploytool.targets.target import Target
from deploytool.work.drill.pair_probes import PairDns, PairHealthChecks, PairHttp, Regions

UNNAMED = ("primary", "secondary")  # what the sides are called whose records name no region


def find(target: Target, domain: str, zone_id: str) -> PairState:
    """Return the pair of a domain with the state of all that a drill touches or depends on.

    Raises InputError when there is no pair, DrillRefused when no health check moves it.
    """
    reader = Route53Pairs(target.clients)
    zone = reader.zone_of(domain, zone_id)
    pair = find_pair(zone, domain)
    health_check_id = health_check_to_invert(pair)
    checks = reader.health_checks()
    zones = reader.zones_beside(zone)
    needed = {
        health_check_id,
        *pair.secondary.health_checks(),
        *parents_of(health_check_id, checks),
    }
    observed: dict[str, bool] = {}
    while needed:
        id_ = needed.pop()
        if id_ in observed or id_ not in checks:
            continue
        healthy = reader.observed(checks[id_])
        if healthy is not None:
            observed[id_] = healthy
        needed |= set(checks[id_].config.child_health_checks) - observed.keys()
    return PairState(
        pair,
        health_check_id,
        CheckStates(checks, observed),
        dependents_of(pair, health_check_id, zones, checks),
        followers_of(pair, zones),
    )


def find_drilled(target: Target, domain: str, zone_id: str) -> Service:
    """Return what a restore of a domain needs: the health check that has the tag of a drill.

    Without a tag it is the one that a drill would invert. The records may have changed since the
    drill, so that they are no pair any more.
    """
    zone = Route53Pairs(target.clients).zone_of(domain, zone_id)
    for health_check_id in primary_health_checks(zone, domain):
        if TagDrillRecords(target.clients, health_check_id, domain).read() is not None:
            return _to_restore(domain, zone.id, health_check_id)
    pair = find_pair(zone, domain)
    return _to_restore(pair.domain, zone.id, health_check_to_invert(pair))


def _to_restore(domain: str, zone_id: str, health_check_id: str) -> Service:
    primary, secondary = UNNAMED
    return Service("", "", domain, "/", primary, secondary, {}, zone_id, health_check_id)


def pair_service(pair: FailoverPair, health_check_id: str, path: str) -> Service:
    """Return the service that a pair is."""
    primary, secondary = pair.primary.region, pair.secondary.region
    if not primary or not secondary or primary == secondary:
        primary, secondary = UNNAMED
    return Service(
        project="",
        stage="",
        domain=pair.domain,
        path=path,
        primary=primary,
        secondary=secondary,
        regional_domains={primary: pair.primary.name, secondary: pair.secondary.name},
        hosted_zone_id=pair.zone_id,
        health_check_id=health_check_id,
        by_domain=True,
    )


def pair_ports(target: Target, service: Service, header: str = "") -> DrillPorts:
    """Return the ports of a drill of a pair. Those that only a stage has are never called."""
    regions = Regions(service.regional_domains, header.lower())
    probes = target.probes
    dns = PairDns(probes.dns, probes.resolvers[0], regions)
    return DrillPorts(
        probes=replace(probes, dns=dns, http=PairHttp(probes.http, regions)),
        executor=target.ports.executor,
        health_checks=PairHealthChecks(target.health_checks),
        functions=LambdaFunctions(target.clients),
        mappings=ApiGatewayMappings(target.clients),
        edges=None,
        records=TagDrillRecords(target.clients, service.health_check_id, service.domain),
        guard=None,
        deployments=None,
        standby=SsmStandbyRecords(target.clients, GLOBAL_REGION, "", ""),
        switch=CloudWatchSwitchMetric(target.clients, GLOBAL_REGION, "", ""),
        who=f"{getpass.getuser()}@{socket.gethostname()}",
        wall_time=wall_time,
        shortest_limit=target.network.shortest_limit,
    )
