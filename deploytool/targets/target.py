"""A target, AWS or the local cloud, as the ports that the work needs of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from deploytool.aws.acm import AcmCertificates
from deploytool.aws.apigateway import ApiGatewayExports, ApiGatewayMappings
from deploytool.aws.callers import configured_endpoints, find_caller
from deploytool.aws.calls import CloudFormationCalls
from deploytool.aws.changesets import ChangeSets
from deploytool.aws.cloudwatch import CloudWatchAlarms
from deploytool.aws.drift import DriftDetection
from deploytool.aws.http_apis import ApiGatewayHttpApis
from deploytool.aws.iam import find_oidc_provider, oidc_audiences
from deploytool.aws.lambdas import LambdaFunctions
from deploytool.aws.route53 import Route53HealthChecks, Route53HostedZones, Route53Zones
from deploytool.aws.sessions import Clients
from deploytool.core.certificates.ports import CertificatePorts, DnsRecords
from deploytool.core.drill.ports import Edges
from deploytool.core.errors import DeploytoolError
from deploytool.core.ports import Dns, Http, Nameserver
from deploytool.core.service.ports import Probes
from deploytool.core.whereabouts import Caller
from deploytool.net.clock import RealClock
from deploytool.work.name_servers import NameServerSearch
from deploytool.work.rollout.parity import ParityPorts
from deploytool.work.stacks.preview import PlanPorts
from deploytool.work.stacks.run import DeployPorts

DNS_PORT = 53


@dataclass(frozen=True)
class Patience:
    """The time limits of DNS and HTTPS, in seconds of wall time.

    `dns` is that of a query, `connect` that of an HTTPS connection, and `read` that of each part of
    an answer.
    """

    dns: float = 2.0
    connect: float = 5.0
    read: float = 5.0


PATIENT = Patience()

# For commands that end within 10 s although name servers and edges are dead: finding the name
# servers takes two queries one after the other, the check a third one and a request.
QUICK = Patience(dns=1.5, connect=1.5, read=2.5)


class NetworkDns(Dns, DnsRecords, Protocol):
    """DNS as the probes and as the certificate work need it."""


@dataclass(frozen=True)
class Network:
    """How a target is reached over DNS and HTTPS.

    The first of `resolvers` is the default one. `left_out` tells why each of the machine's other
    resolvers is not used, by its name. `port_of` returns the port of a name server by the
    server's name. `edges` is None where no edge can be broken. No time limit of the target's health
    checkers is shorter than `shortest_limit`, in seconds of the target's clock.
    """

    dns: NetworkDns
    http: Http
    resolvers: tuple[Nameserver, ...]
    port_of: Callable[[str], int] = lambda _server: DNS_PORT
    edges: Edges | None = None
    shortest_limit: float = 0.0
    left_out: Mapping[str, str] = field(default_factory=dict)

    def locate(self, server: str) -> Nameserver:
        """Find a name server by its name. Raises DeploytoolError when the name has no address."""
        answer = self.dns.query(self.resolvers[0], server)
        if not answer.addresses:
            raise DeploytoolError(f"the name server {server} has no address ({answer.rcode})")
        return Nameserver(server.rstrip("."), answer.addresses[0], self.port_of(server))


@dataclass(frozen=True)
class Target:
    """A place to deploy to: the ports of each kind of work.

    `ports` deploy in real time. `probes` observe in the target's time, which passes `speed` times
    as fast. Every use of CloudFormation shares `calls`, which holds its rate limits.
    `make_network` is called when DNS or HTTPS is first needed. `unix_time` gives the time of day by
    the clock of the APIs, in Unix seconds. `left_out` are the resource types for
    which a local cloud creates nothing.
    """

    name: str
    speed: float
    ports: DeployPorts
    clients: Clients
    calls: CloudFormationCalls
    make_network: Callable[[Patience], Network]
    unix_time: Callable[[], float]
    left_out: tuple[str, ...] = ()

    @cached_property
    def network(self) -> Network:
        """How the target is reached over DNS and HTTPS."""
        return self.make_network(PATIENT)

    @cached_property
    def quick_network(self) -> Network:
        """The same with short time limits, for commands that must end soon."""
        return self.make_network(QUICK)

    @property
    def probes(self) -> Probes:
        """The ports of a check that may take its time."""
        return self._probes(self.network)

    @property
    def quick_probes(self) -> Probes:
        """The ports of a check that ends soon although nothing answers."""
        return self._probes(self.quick_network)

    @property
    def name_servers(self) -> NameServerSearch:
        """What finds the name servers of a domain by DNS."""
        network = self.quick_network
        return NameServerSearch(
            network.dns, self.ports.executor, network.resolvers, network.port_of
        )

    def _probes(self, network: Network) -> Probes:
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

    @property
    def alarms(self) -> CloudWatchAlarms:
        """The account's CloudWatch alarms."""
        return CloudWatchAlarms(self.clients)

    @cached_property
    def planning(self) -> PlanPorts:
        """The ports of a plan."""
        return PlanPorts(
            self.ports.stacks,
            ChangeSets(self.calls),
            DriftDetection(self.calls),
            self.ports.executor,
            self.ports.values,
        )

    @cached_property
    def certificates(self) -> CertificatePorts:
        """The ports of the work on certificates and hosted zones."""
        network = self.network
        zones = Route53Zones(self.clients)
        return CertificatePorts(
            certificates=AcmCertificates(self.clients),
            zones=zones,
            remover=zones,
            dns=network.dns,
            resolver=network.resolvers[0],
            locate=network.locate,
            clock=self.ports.clock,
            executor=self.ports.executor,
        )

    @cached_property
    def parity(self) -> ParityPorts:
        """The ports of a comparison of two regions."""
        return ParityPorts(
            LambdaFunctions(self.clients),
            ApiGatewayMappings(self.clients),
            ApiGatewayExports(self.clients),
            ApiGatewayHttpApis(self.clients),
        )

    def name_server_names(self, hosted_zone_id: str) -> Sequence[str]:
        """Return the names of a hosted zone's name servers."""
        return Route53Zones(self.clients).get(hosted_zone_id).name_servers

    def caller(self, regions: Sequence[str]) -> Caller:
        """Return who makes the calls; STS is asked in the first of the regions that answers."""
        return find_caller(self.clients, regions)

    def endpoints(self, region: str) -> Mapping[str, str]:
        """Return the addresses of the APIs, by service, where the user has set any."""
        return configured_endpoints(region)

    def find_oidc_provider(self, host: str) -> str | None:
        """Return the ARN of the account's identity provider for a host."""
        return find_oidc_provider(self.clients, host)

    def oidc_audiences(self, arn: str) -> frozenset[str]:
        """Return the audiences whose tokens an identity provider takes."""
        return oidc_audiences(self.clients, arn)

    def find_hosted_zone(self, domain: str) -> str | None:
        """Return the id of the public hosted zone that holds a domain."""
        zone = Route53Zones(self.clients).find_enclosing(domain)
        return zone.id if zone else None
