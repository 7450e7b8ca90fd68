"""The composition root: the one module that knows which target it is, AWS or the local cloud.

What a command does not ask for is neither made nor imported: a deployment with nothing to do asks
no DNS and no HTTPS.
"""

import getpass
import os
import random
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from deploytool.aws.apigateway import ApiGatewayExports, ApiGatewayMappings
from deploytool.aws.buckets import S3Buckets
from deploytool.aws.budget import Rate
from deploytool.aws.calls import CloudFormationCalls
from deploytool.aws.changesets import ChangeSets
from deploytool.aws.cloudformation import CloudFormation
from deploytool.aws.drift import DriftDetection
from deploytool.aws.iam import find_oidc_provider
from deploytool.aws.lambdas import LambdaFunctions
from deploytool.aws.parameters import ParameterLocks
from deploytool.aws.route53 import Route53HealthChecks, Route53HostedZones, Route53Zones
from deploytool.aws.sessions import Clients, Endpoint
from deploytool.core.drill.ports import Edges
from deploytool.core.errors import DeploytoolError, InputError
from deploytool.core.ports import Http, Nameserver
from deploytool.core.route53.zone import canonical
from deploytool.core.service.ports import Probes
from deploytool.core.stacks.lease import Holder
from deploytool.files.project import Project
from deploytool.net.clock import RealClock, unix_time, wall_time
from deploytool.net.executor import ThreadExecutor
from deploytool.work.rollout.parity import ParityPorts
from deploytool.work.stacks.deploy import DeployPorts
from deploytool.work.stacks.lock import Coordination
from deploytool.work.stacks.preview import PlanPorts

if TYPE_CHECKING:
    from deploytool.core.certificates.ports import CertificatePorts
    from deploytool.net.dns import DnsClient

__all__ = ["LOCAL_DIRECTORY", "Target", "local_directory", "open_target", "wall_time"]

LOCAL_DIRECTORY = "DEPLOYTOOL_LOCAL_DIR"
LOCAL_RATE = Rate(per_second=200.0, burst=200.0)  # nobody throttles on a local cloud


@dataclass(frozen=True)
class Network:
    """The ways to ask DNS and HTTPS. `port_of` is the port that a name server of that name listens
    on.

    `shortest_limit`: no time limit of the target's health checkers is shorter, in its seconds.
    """

    dns: "DnsClient"
    http: Http
    resolvers: tuple[Nameserver, ...]
    port_of: Callable[[str], int] = lambda _: 53
    edges: Edges | None = None
    shortest_limit: float = 0.0

    def locate(self, server: str) -> Nameserver:
        """A name server by its name. Raises DeploytoolError when that has no address."""
        answer = self.dns.query(self.resolvers[0], server)
        if not answer.addresses:
            raise DeploytoolError(f"the name server {server} has no address ({answer.rcode})")
        return Nameserver(server.rstrip("."), answer.addresses[0], self.port_of(server))


@dataclass(frozen=True)
class Target:
    """Where the work is done. `ports` deploy in real time; `probes` observe in the target's time,
    which passes at `speed`. `calls` is what every use of CloudFormation shares.
    """

    name: str
    speed: float
    ports: DeployPorts
    clients: Clients
    calls: CloudFormationCalls
    make_network: Callable[[], Network]

    @cached_property
    def network(self) -> Network:
        """Importing what asks DNS and HTTPS takes a while."""
        return self.make_network()

    @cached_property
    def probes(self) -> Probes:
        """The ports of a check."""
        network = self.network
        return Probes(
            RealClock(self.speed),
            network.dns,
            network.http,
            Route53HostedZones(self.clients, network.locate),
            network.resolvers,
        )

    @property
    def health_checks(self) -> Route53HealthChecks:
        """The account's health checks."""
        return Route53HealthChecks(self.clients)

    @cached_property
    def planning(self) -> PlanPorts:
        """The ports of a plan."""
        return PlanPorts(
            self.ports.stacks,
            ChangeSets(self.calls),
            DriftDetection(self.calls),
            self.ports.executor,
        )

    @cached_property
    def certificates(self) -> "CertificatePorts":
        """The ports that look after certificates and hosted zones."""
        from deploytool.aws.acm import AcmCertificates  # noqa: PLC0415  # see the module's docstring
        from deploytool.core.certificates.ports import CertificatePorts  # noqa: PLC0415  # the same

        network, zones = self.network, Route53Zones(self.clients)
        return CertificatePorts(
            AcmCertificates(self.clients),
            zones,
            zones,
            network.dns,
            network.resolvers[0],
            network.locate,
            self.ports.clock,
            self.ports.executor,
        )

    @cached_property
    def parity(self) -> ParityPorts:
        """The ports that compare two regions."""
        functions, mappings = LambdaFunctions(self.clients), ApiGatewayMappings(self.clients)
        return ParityPorts(functions, mappings, ApiGatewayExports(self.clients))

    def find_oidc_provider(self, host: str) -> str | None:
        """The ARN of the account's identity provider for a host."""
        return find_oidc_provider(self.clients, host)

    def find_hosted_zone(self, domain: str) -> str | None:
        """The id of the public hosted zone that holds a domain."""
        zone = Route53Zones(self.clients).find_enclosing(domain)
        return zone.id if zone else None


def local_directory(root: Path) -> Path:
    """Where a project's local cloud keeps its state; DEPLOYTOOL_LOCAL_DIR wins."""
    return Path(os.environ.get(LOCAL_DIRECTORY) or root / ".deploytool" / "local").absolute()


@contextmanager
def open_target(project: Project, *, local: bool, role_arn: str = "") -> Iterator[Target]:
    """The target for a run; CloudFormation acts with `role_arn`. Raises InputError when no local
    cloud runs and one is wanted.
    """
    with ThreadExecutor() as executor:
        yield _local(project, executor, role_arn) if local else _aws(project, executor, role_arn)


def _aws(project: Project, executor: ThreadExecutor, role_arn: str) -> Target:
    def network() -> Network:
        from deploytool.net.dns import DnsClient, system_resolvers  # noqa: PLC0415  # see the module's docstring
        from deploytool.net.http import HttpsClient  # noqa: PLC0415  # the same

        further = (Nameserver(each, each) for each in project.config.drill.resolvers)
        return Network(DnsClient(), HttpsClient(), (*system_resolvers(), *further))

    clients = Clients()
    calls = CloudFormationCalls(clients, RealClock())
    ports = _deploy_ports(project, clients, CloudFormation(calls, role_arn), executor)
    return Target("aws", 1.0, ports, clients, calls, network)


def _local(project: Project, executor: ThreadExecutor, role_arn: str) -> Target:
    from deploytool.localcloud import lifecycle  # noqa: PLC0415  # a production install does not have it
    from deploytool.localcloud.settings import ACCESS_KEY, SECRET_KEY  # noqa: PLC0415  # the same

    state = lifecycle.load(local_directory(project.root))
    if state is None:
        raise InputError("no local cloud is running", hint="start one with: deploytool local up")
    missing = [region for region in project.config.regions if region not in state.regions]
    if missing:
        mend = "end it (deploytool local down) and start it again in this project"
        raise InputError(
            f"the local cloud has {', '.join(state.regions)}, not {', '.join(missing)}", hint=mend
        )

    def network() -> Network:
        from deploytool.localcloud.clock import SHORTEST_LIMIT  # noqa: PLC0415  # as above
        from deploytool.localcloud.control.client import ControlClient  # noqa: PLC0415  # as above
        from deploytool.localcloud.dns.delegation import PARENT_SERVER  # noqa: PLC0415  # as above
        from deploytool.net.dns import DnsClient  # noqa: PLC0415  # see the module's docstring
        from deploytool.net.http import HttpsClient  # noqa: PLC0415  # the same

        resolver = Nameserver(
            "the local cloud's resolver", state.resolver.address, state.resolver.port
        )
        return Network(
            DnsClient(),
            HttpsClient(https_port=state.https_port, ca=state.ca),
            (resolver,),
            lambda server: (
                state.parent.port if canonical(server) == PARENT_SERVER else state.dns.port
            ),
            ControlClient(state),
            SHORTEST_LIMIT * state.speed,
        )

    endpoint = Endpoint(state.endpoint_url, ACCESS_KEY, SECRET_KEY)
    clients = Clients(_as_caller(endpoint) if state.enforce_iam else endpoint)
    calls = CloudFormationCalls(clients, RealClock(), LOCAL_RATE)
    ports = _deploy_ports(project, clients, CloudFormation(calls, role_arn), executor)
    return Target("local", state.speed, ports, clients, calls, network)


def _as_caller(endpoint: Endpoint) -> Endpoint:
    """With the credentials that the environment variables name, as any AWS tool; without any the
    cloud's root user.
    """
    if key := os.environ.get("AWS_ACCESS_KEY_ID"):
        secret, token = (
            os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
            os.environ.get("AWS_SESSION_TOKEN") or None,
        )
        return Endpoint(endpoint.url, key, secret, token)
    return endpoint


def _deploy_ports(
    project: Project, clients: Clients, stacks: CloudFormation, executor: ThreadExecutor
) -> DeployPorts:
    holder = Holder(getpass.getuser(), socket.gethostname(), os.getpid())
    coordination = Coordination(ParameterLocks(clients), holder, unix_time, _is_running)
    commit = cache(lambda: _commit(project.root))
    jitter = random.Random()  # noqa: S311  # spreads calls over time; keeps no secret
    return DeployPorts(
        stacks, S3Buckets(clients), RealClock(), executor, coordination, jitter.random, commit
    )


def _is_running(process: int) -> bool:
    """Whether a process of this machine lives."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _commit(root: Path) -> str:
    """The commit that the project's folder is at; empty where there is none, or no git."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
