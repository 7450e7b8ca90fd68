"""Puts the checks of `deploytool doctor` together, for AWS or for the local cloud.

What a check needs is made when the check runs, so that one without it does not stop the others.
"""
# ruff: noqa: PLC0415  # DNS, HTTP and the local cloud are imported where they are needed

import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from deploytool import __version__
from deploytool.aws.acm import AcmCertificates
from deploytool.aws.callers import configured_endpoints, find_caller
from deploytool.aws.calls import CloudFormationCalls
from deploytool.aws.cloudformation import CloudFormation
from deploytool.aws.hints import sign_in
from deploytool.aws.iam import find_oidc_provider, oidc_audiences
from deploytool.aws.limits import FIRST_CONTACT
from deploytool.aws.quotas import AccountQuotas
from deploytool.aws.route53 import Route53Zones
from deploytool.aws.sessions import Clients
from deploytool.aws.skew import clock_difference
from deploytool.core.certificates.ports import CertificatePorts
from deploytool.core.doctor.cloud import CREDENTIALS
from deploytool.core.doctor.finding import Finding, Group, Topic
from deploytool.core.doctor.machine import (
    EXTRAS,
    judge_extra,
    judge_loopback,
    judge_python,
    judge_sdk,
)
from deploytool.core.doctor.pipeline import DEFAULT_API, GitHub, repository_of
from deploytool.core.errors import DeploytoolError
from deploytool.core.project.bootstrap import ISSUER, stack_name
from deploytool.core.project.config import Config, Stage
from deploytool.core.stacks.stack import Stack
from deploytool.files.git import ask_git
from deploytool.files.installed import extra_requirements, sdk_requirements
from deploytool.files.project import Project
from deploytool.net.clock import RealClock, unix_time
from deploytool.net.executor import ThreadExecutor
from deploytool.targets.factory import aws_network, local_directory, local_endpoint, local_network
from deploytool.targets.target import QUICK as QUICK_NETWORK
from deploytool.targets.target import Network
from deploytool.work.doctor import cloud, domain, pipeline, quotas
from deploytool.work.doctor.machine import check_clock, check_resolvers
from deploytool.work.doctor.run import Check, Once
from deploytool.work.doctor.stages import Listings, StageSource, StageState

PYTHON = (3, 11)  # requires-python in pyproject.toml; a test compares both
TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
REPOSITORY = "GITHUB_REPOSITORY"
API_URL = "GITHUB_API_URL"
REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
DEFAULT_REGION = "us-east-1"
START_CLOUD = "deploytool local up"


@dataclass(frozen=True)
class Setup:
    """What is known of the project, as far as its files can be read.

    `stages` are the chosen stages, `valid` the names of those whose graphs have no problem. Where
    `config` is None, or `project`, `reason` says why and `hint` what to do.
    """

    root: Path
    config: Config | None
    project: Project | None
    stages: Sequence[Stage]
    valid: Sequence[str]
    regions: Sequence[str]
    reason: str
    hint: str


def machine_checks(setup: Setup, executor: ThreadExecutor, *, local: bool) -> Iterator[Check]:
    """Yield the checks of this machine."""
    group = Group.MACHINE
    python = partial(judge_python, sys.version_info[:3], PYTHON)
    yield _check(group, Topic("python", "Python"), lambda: [python()])
    version = Topic("deploytool", "deploytool")
    yield _check(group, version, lambda: [version.ok(__version__)])
    sdk = Topic("aws-sdk", "boto3, botocore")
    yield _check(group, sdk, lambda: [judge_sdk(sdk_requirements())])
    for extra in EXTRAS:
        topic = Topic(f"extra.{extra}", f"extra {extra}")
        yield _check(group, topic, partial(_extra, extra, is_needed=local and extra == "local"))
    yield _check(
        group, Topic("loopback", "loopback addresses"), partial(_loopback, setup, local=local)
    )
    if local:
        return

    # The local cloud has the clock of this machine, and a resolver of its own
    region = _first_region(setup)
    difference = partial(clock_difference, region, RealClock().now, unix_time)
    yield _check(group, Topic("clock", "clock"), partial(check_clock, difference))
    yield _check(group, Topic("resolvers", "resolvers"), partial(_resolvers, executor))


def aws_checks(setup: Setup, executor: ThreadExecutor) -> Iterator[Check]:
    """Yield the checks of AWS and of GitHub."""
    clients = Clients(limits=FIRST_CONTACT)
    regions = setup.regions or (_first_region(setup),)
    account = cloud.Account(
        caller=Once(partial(find_caller, clients, regions)),
        endpoints=partial(configured_endpoints, regions[0]),
        profile=_profile(),
        regions=regions,
    )
    yield _asking(Group.CLOUD, CREDENTIALS, partial(cloud.check_caller, account))
    for check in _checks_of_account(setup, executor, clients, account):
        yield replace(check, sign_in=account.caller.get) if check.asks_cloud else check


def _checks_of_account(
    setup: Setup, executor: ThreadExecutor, clients: Clients, account: cloud.Account
) -> Iterator[Check]:
    endpoints = Topic("endpoints", "endpoints")
    yield _check(Group.CLOUD, endpoints, partial(cloud.check_endpoints, account))
    yield from _region_checks(setup, clients)

    resolvers = setup.config.drill.resolvers if setup.config is not None else ()
    network = Once(partial(aws_network, resolvers, executor, QUICK_NETWORK))
    stacks = CloudFormation(CloudFormationCalls(clients, RealClock()))

    def stacks_of(region: str) -> Mapping[str, Stack]:
        # Without credentials there is nothing to wait for
        account.caller.get()
        return stacks.list(region)

    listings = {region: Once(partial(stacks_of, region)) for region in _all_regions(setup)}
    states = _states(setup, clients, listings)
    ports = Once(partial(_certificate_ports, clients, network, executor))
    yield from _domain_checks(setup, states, domain.Names(ports))
    yield from _quota_checks(setup, states, clients)

    roles = None
    if setup.config is not None:
        names = {stage.name: stack_name(setup.config, stage) for stage in setup.stages}
        roles = pipeline.Roles(listings[setup.config.primary], names)
    yield from _role_checks(setup, clients, roles)
    yield from _github_checks(setup, roles)


def local_checks(setup: Setup, executor: ThreadExecutor) -> Iterator[Check]:
    """Yield the checks of the local cloud, and of the domain on it."""
    from deploytool.localcloud import lifecycle

    topic = Topic("local-cloud", "local cloud")
    state = lifecycle.load(local_directory(setup.root))
    if state is None:
        message = "none is running for this project"
        yield _check(Group.LOCAL, topic, lambda: [topic.problem(message, START_CLOUD)])
        return

    names = ", ".join(state.regions)
    running = f"{names}, {state.speed:g} times real time"
    missing = [region for region in setup.regions if region not in state.regions]
    if missing:
        message = f"it has {names}, not {', '.join(missing)}"
        again = "deploytool local down, then deploytool local up in this project"
        yield _check(Group.LOCAL, topic, lambda: [topic.problem(message, again)])
        return
    yield _check(Group.LOCAL, topic, lambda: [topic.ok(running)])

    clients = Clients(local_endpoint(state), FIRST_CONTACT)
    stacks = CloudFormation(CloudFormationCalls(clients, RealClock()))
    regions = _all_regions(setup) or tuple(state.regions)
    listings = {region: Once(partial(stacks.list, region)) for region in regions}
    for region in regions:
        look = partial(cloud.check_api, region, listings[region].get)
        yield _asking(Group.LOCAL, Topic(f"region.{region}", region), look)
    network = Once(partial(local_network, state, QUICK_NETWORK))
    states = _states(setup, clients, listings)
    ports = Once(partial(_certificate_ports, clients, network, executor))
    yield from _domain_checks(setup, states, domain.Names(ports, is_public=False))


def _region_checks(setup: Setup, clients: Clients) -> Iterator[Check]:
    if not setup.regions:
        yield _left(Group.CLOUD, Topic("regions", "regions"), setup)
    certificates = AcmCertificates(clients)
    enabled: dict[str, Once[Collection[str]]] = {
        region: Once(partial(certificates.enabled_regions, region)) for region in setup.regions
    }
    for region in setup.regions:
        topic = Topic(f"region.{region}", region)
        look = partial(cloud.check_region, region, enabled)
        yield _asking(Group.CLOUD, topic, look)


def _states(setup: Setup, clients: Clients, listings: Listings) -> list[StageState]:
    """Return what is read of each chosen stage whose graph is valid."""
    if setup.project is None:
        return []
    zones = Route53Zones(clients)
    states: list[StageState] = []
    for stage in setup.stages:
        if stage.name in setup.valid:
            source = StageSource(
                stage,
                setup.project.lookups(stage.name),
                partial(setup.project.graph, stage.name),
                setup.project.config.file,
                setup.project.config.primary,
            )
            states.append(StageState(source, zones, listings))
    return states


def _domain_checks(
    setup: Setup, states: Sequence[StageState], names: domain.Names
) -> Iterator[Check]:
    if setup.project is None:
        yield _left(Group.DOMAIN, Topic("domain", "domain"), setup)
        return
    for stage in setup.stages:
        if stage.name not in setup.valid:
            topic = Topic(f"zone.{stage.name}", f"zone of {stage.name}")
            yield _broken(Group.DOMAIN, topic, stage)

    for state in states:
        name, group = state.name, Group.DOMAIN
        zone = Topic(f"zone.{name}", f"zone of {name}")
        yield _asking(group, zone, partial(domain.check_zone, state))
        delegation = Topic(f"delegation.{name}", f"delegation of {name}")
        yield _asking(group, delegation, partial(domain.check_delegation, state, names))
        caa = Topic(f"caa.{name}", f"CAA of {name}")
        yield _check(group, caa, partial(domain.check_caa, state, names))
        soa = Topic(f"soa.{name}", f"SOA of {name}")
        yield _check(group, soa, partial(domain.check_soa, state, names))


def _quota_checks(setup: Setup, states: Sequence[StageState], clients: Clients) -> Iterator[Check]:
    if not states:
        yield _left(Group.QUOTAS, Topic("quotas", "quotas"), setup)
        return
    reader = AccountQuotas(clients)
    group = Group.QUOTAS
    yield _asking(
        group, quotas.HOSTED_ZONES_TOPIC, partial(quotas.check_hosted_zones, reader, states)
    )
    yield _asking(
        group, quotas.HEALTH_CHECKS_TOPIC, partial(quotas.check_health_checks, reader, states)
    )
    for region in setup.regions:
        yield _asking(
            group,
            quotas.domain_names_topic(region),
            partial(quotas.check_domain_names, region, reader, states),
        )
    primary = states[0].source.primary
    concurrency = {
        region: Once(partial(reader.concurrency, region)) for region in (primary, *setup.regions)
    }
    for region in setup.regions:
        yield _asking(
            group,
            Topic(f"quota.concurrency.{region}", f"Lambda {region}"),
            partial(quotas.check_concurrency, region, primary, concurrency, states),
        )


def _role_checks(setup: Setup, clients: Clients, roles: pipeline.Roles | None) -> Iterator[Check]:
    group = Group.PIPELINE
    if roles is None:
        yield _left(group, Topic("roles", "roles"), setup)
        return
    for name in roles.names:
        topic = Topic(f"roles.{name}", f"roles of {name}")
        yield _asking(group, topic, partial(pipeline.check_roles, name, roles))
    provider = pipeline.Provider(
        partial(find_oidc_provider, clients, ISSUER), partial(oidc_audiences, clients)
    )
    topic = Topic("oidc-provider", "identity provider")
    yield _asking(group, topic, partial(pipeline.check_provider, provider, roles))


def _github_checks(setup: Setup, roles: pipeline.Roles | None) -> Iterator[Check]:
    from deploytool.net.github import GitHubRepository

    group, topic = Group.PIPELINE, Topic("github", "GitHub repository")
    token = next((os.environ[name] for name in TOKENS if os.environ.get(name)), "")
    api = os.environ.get(API_URL) or DEFAULT_API
    repository = os.environ.get(REPOSITORY) or repository_of(
        ask_git(setup.root, "remote", "get-url", "origin"), api
    )
    reason = ""
    if not token:
        reason = "GITHUB_TOKEN and GH_TOKEN are not set"
        hint = "export GITHUB_TOKEN=$(gh auth token)"
    elif not repository:
        reason = f"{REPOSITORY} is not set, and the remote origin is not at {api}"
        hint = f"export {REPOSITORY}=OWNER/REPOSITORY"
    elif setup.config is None:
        reason, hint = setup.reason, setup.hint
    if reason or setup.config is None:
        yield _check(group, topic, lambda: [topic.not_checked(reason, hint)])
        return

    github = GitHubRepository(token, repository, api)
    names = tuple(setup.config.stages)
    variables = Topic("github.variables", "repository variables")
    yield _check(group, variables, partial(pipeline.check_repository, names, github))
    for stage in setup.stages:
        yield from _github_stage(stage, github, roles)


def _github_stage(stage: Stage, github: GitHub, roles: pipeline.Roles | None) -> Iterator[Check]:
    group, name = Group.PIPELINE, stage.name
    environment = Topic(f"github.environment.{name}", f"environment {name}")
    yield _check(group, environment, partial(pipeline.check_environment, stage, github))
    approval = Topic(f"github.approval.{name}", f"approval of {name}")
    yield _check(group, approval, partial(pipeline.check_approval, stage, github))
    variables = Topic(f"github.variables.{name}", f"variables of {name}")
    yield _check(group, variables, partial(pipeline.check_variables, stage, github, roles))


def _certificate_ports(
    clients: Clients, network: Once[Network], executor: ThreadExecutor
) -> CertificatePorts:
    known = network.get()
    zones = Route53Zones(clients)
    return CertificatePorts(
        certificates=AcmCertificates(clients),
        zones=zones,
        remover=zones,
        dns=known.dns,
        resolver=known.resolvers[0],
        locate=known.locate,
        clock=RealClock(),
        executor=executor,
    )


def _extra(extra: str, *, is_needed: bool) -> list[Finding]:
    return [judge_extra(extra, extra_requirements(extra), is_needed=is_needed)]


def _loopback(setup: Setup, *, local: bool) -> Iterator[Finding]:
    from deploytool.localcloud.edges.sockets import missing_addresses
    from deploytool.localcloud.settings import DEFAULT_REGIONS, Settings

    regions = tuple(setup.regions) or DEFAULT_REGIONS
    addresses = tuple(Settings(setup.root, regions).edge_addresses.values())
    missing = missing_addresses(addresses)
    commands = {address: missing.get(address, "") for address in addresses}
    return judge_loopback(commands, is_needed=local)


def _resolvers(executor: ThreadExecutor) -> Iterator[Finding]:
    from deploytool.net.dns import DnsClient, system_resolvers

    return check_resolvers(DnsClient(QUICK_NETWORK.dns), executor, system_resolvers)


def _all_regions(setup: Setup) -> tuple[str, ...]:
    """Return the regions of the chosen stages' stacks, those of the project first."""
    regions = list(setup.config.regions) if setup.config is not None else []
    if setup.project is not None:
        for name in setup.valid:
            regions += setup.project.graph(name).all_regions
    return tuple(dict.fromkeys(regions))


def _first_region(setup: Setup) -> str:
    """Return the region to ask for what is the same in all regions."""
    if setup.regions:
        return setup.regions[0]
    for name in REGION_VARIABLES:
        if os.environ.get(name):
            return os.environ[name]
    return DEFAULT_REGION


def _profile() -> str:
    user = sign_in()
    return "" if user.has_keys else user.selected


def _check(group: Group, topic: Topic, look: Callable[[], Iterable[Finding]]) -> Check:
    return Check(group, topic, look)


def _asking(group: Group, topic: Topic, look: Callable[[], Iterable[Finding]]) -> Check:
    return Check(group, topic, look, asks_cloud=True)


def _left(group: Group, topic: Topic, setup: Setup) -> Check:
    """Return a check that needs the project, which cannot be read."""
    return _check(group, topic, lambda: [topic.not_checked(setup.reason, setup.hint)])


def _broken(group: Group, topic: Topic, stage: Stage) -> Check:
    """Return a check of a stage whose configuration has problems."""
    error = DeploytoolError(f"the configuration of stage {stage.name} has problems")
    return _check(group, topic, lambda: [topic.not_checked(str(error), "deploytool lint")])
