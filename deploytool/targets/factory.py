"""Makes the target of a run: AWS, or the local cloud that runs for the project.

DNS and HTTPS clients are imported when they are first needed, because dnspython and requests take
0.1 s that a deployment with nothing to do should not spend. What runs the local cloud is imported
only for `--local`: a production install does not have the packages that it needs.
"""
# ruff: noqa: PLC0415  # for the two reasons above

import getpass
import os
import random
import socket
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from uuid import uuid4

from deploytool.aws.buckets import S3Buckets
from deploytool.aws.budget import Rate
from deploytool.aws.calls import CloudFormationCalls
from deploytool.aws.changesets import ChangeSets
from deploytool.aws.cloudformation import CloudFormation
from deploytool.aws.limits import PATIENT, Limits
from deploytool.aws.parameters import ParameterLocks
from deploytool.aws.sessions import Clients, Endpoint
from deploytool.aws.stored_values import SsmStoredValues
from deploytool.aws.time import AwsTime
from deploytool.core.errors import InputError
from deploytool.core.ports import Nameserver
from deploytool.core.route53.zone import canonical
from deploytool.core.stacks.lease import Holder
from deploytool.files.git import ask_git
from deploytool.files.project import Project
from deploytool.localcloud.state import State
from deploytool.net.clock import RealClock, unix_time
from deploytool.net.executor import ThreadExecutor
from deploytool.targets.target import Network, Patience, Target
from deploytool.work.resolvers import that_answer
from deploytool.work.stacks.lock import Coordination
from deploytool.work.stacks.run import DeployPorts

LOCAL_DIRECTORY = "DEPLOYTOOL_LOCAL_DIR"
LOCAL_RATE = Rate(per_second=200.0, burst=200.0)  # a local cloud throttles no call


def local_directory(root: Path) -> Path:
    """Return the state directory of a project's local cloud; DEPLOYTOOL_LOCAL_DIR overrides it.

    Raises InputError when something else has its path.
    """
    configured = os.environ.get(LOCAL_DIRECTORY)
    directory = Path(configured) if configured else root / ".deploytool" / "local"
    source = f"{LOCAL_DIRECTORY}: " if configured else ""
    try:
        is_usable = stat.S_ISDIR(directory.stat().st_mode)
    except FileNotFoundError:
        is_usable = True  # `local up` makes it
    except OSError as error:
        raise InputError(f"{source}{directory}: {error.strerror or error}") from error
    if not is_usable:
        raise InputError(f"{source}{directory} is not a directory")
    return directory.absolute()


@dataclass(frozen=True)
class Place:
    """What a target needs to know of where it is used, with or without a project.

    `root` is the folder. A local cloud must have the `regions`. `resolvers` are the addresses of
    resolvers to use on AWS beside those of the system.
    """

    root: Path
    regions: tuple[str, ...] = ()
    resolvers: tuple[str, ...] = ()


@contextmanager
def open_target(
    project: Project, *, local: bool, role_arn: str = "", limits: Limits = PATIENT
) -> Iterator[Target]:
    """Open the target of a run; CloudFormation assumes `role_arn` if it is not empty.

    `limits` say how long the calls to AWS wait. Raises InputError for `local` when no local cloud
    runs.
    """
    config = project.config
    place = Place(project.root, config.regions, config.drill.resolvers)
    with open_target_at(place, local=local, role_arn=role_arn, limits=limits) as target:
        yield target


@contextmanager
def open_target_at(
    place: Place, *, local: bool, role_arn: str = "", limits: Limits = PATIENT
) -> Iterator[Target]:
    """Open the target of a run that has no project. The rest is as for `open_target`."""
    with ThreadExecutor() as executor:
        if local:
            yield _local(place, executor, role_arn, limits)
        else:
            yield _aws(place, executor, role_arn, limits)


def _aws(place: Place, executor: ThreadExecutor, role_arn: str, limits: Limits) -> Target:
    make_network = partial(aws_network, place.resolvers, executor)
    time = AwsTime(RealClock().now, unix_time)
    clients = Clients(limits=limits, time=time)
    calls = CloudFormationCalls(clients, RealClock())
    ports = _deploy_ports(place, clients, calls, executor, role_arn, time)
    return Target("aws", 1.0, ports, clients, calls, make_network, time.now)


def aws_network(configured: Sequence[str], executor: ThreadExecutor, patience: Patience) -> Network:
    """Return how AWS is reached over DNS and HTTPS.

    `configured` are the addresses of resolvers beside those of this machine. Raises DeploytoolError
    when the machine has none.
    """
    from deploytool.net.dns import DnsClient, system_resolvers
    from deploytool.net.http import HttpsClient

    # A resolver of the configuration has no name but its address
    others = [Nameserver(address, address) for address in configured]
    dns = DnsClient(patience.dns)
    resolvers = that_answer(dns, executor, (*system_resolvers(), *others))
    return Network(
        dns,
        HttpsClient(connect=patience.connect, read=patience.read),
        resolvers.used,
        left_out=resolvers.left_out,
    )


def _local(place: Place, executor: ThreadExecutor, role_arn: str, limits: Limits) -> Target:
    from deploytool.localcloud import lifecycle

    state = lifecycle.load(local_directory(place.root))
    if state is None:
        raise InputError("no local cloud is running", hint="start one with: deploytool local up")
    missing = [region for region in place.regions if region not in state.regions]
    if missing:
        raise InputError(
            f"the local cloud has {', '.join(state.regions)}, not {', '.join(missing)}",
            hint="end it (deploytool local down) and start it again in this project",
        )

    time = AwsTime(RealClock().now, unix_time)
    clients = Clients(local_endpoint(state), limits, time)
    calls = CloudFormationCalls(clients, RealClock(), LOCAL_RATE)
    ports = _deploy_ports(place, clients, calls, executor, role_arn, time)
    make_network = partial(local_network, state)
    return Target(
        "local", state.speed, ports, clients, calls, make_network, time.now, state.left_out
    )


def local_endpoint(state: State) -> Endpoint:
    """Return the address of a local cloud's APIs, with credentials that it accepts."""
    from deploytool.localcloud.settings import ACCESS_KEY, SECRET_KEY

    endpoint = Endpoint(state.endpoint_url, ACCESS_KEY, SECRET_KEY)
    return _with_callers_credentials(endpoint) if state.enforce_iam else endpoint


def local_network(state: State, patience: Patience) -> Network:
    """Return how a local cloud is reached over DNS and HTTPS."""
    from deploytool.localcloud.clock import SHORTEST_LIMIT
    from deploytool.localcloud.control.client import ControlClient
    from deploytool.localcloud.dns.delegation import PARENT_SERVER
    from deploytool.net.dns import DnsClient
    from deploytool.net.http import HttpsClient

    def port_of(server: str) -> int:
        # One name server answers for the parent zones, one for all hosted zones
        if canonical(server) == PARENT_SERVER:
            return state.parent.port
        return state.dns.port

    resolver = state.resolver
    return Network(
        dns=DnsClient(patience.dns),
        http=HttpsClient(state.https_port, state.ca, connect=patience.connect, read=patience.read),
        resolvers=(Nameserver("the local cloud's resolver", resolver.address, resolver.port),),
        port_of=port_of,
        edges=ControlClient(state),
        # The limit is in wall time, the network's is in seconds of the cloud's clock
        shortest_limit=SHORTEST_LIMIT * state.speed,
    )


def _with_callers_credentials(endpoint: Endpoint) -> Endpoint:
    """Replace the root user's credentials with those of the environment, if it has any."""
    access_key = os.environ.get("AWS_ACCESS_KEY_ID")
    if not access_key:
        return endpoint
    secret_key = os.environ.get("AWS_SECRET_ACCESS_KEY", "")
    session_token = os.environ.get("AWS_SESSION_TOKEN") or None
    return Endpoint(endpoint.url, access_key, secret_key, session_token)


def _deploy_ports(
    place: Place,
    clients: Clients,
    calls: CloudFormationCalls,
    executor: ThreadExecutor,
    role_arn: str,
    time: AwsTime,
) -> DeployPorts:
    holder = Holder(getpass.getuser(), socket.gethostname(), os.getpid(), run=uuid4().hex)
    coordination = Coordination(ParameterLocks(clients), holder, time.now, _is_running)
    commit = cache(lambda: ask_git(place.root, "rev-parse", "HEAD"))
    jitter = random.Random()  # noqa: S311  # spreads calls over time; keeps no secret
    return DeployPorts(
        stacks=CloudFormation(calls, role_arn),
        buckets=S3Buckets(clients),
        clock=RealClock(),
        executor=executor,
        templates=ChangeSets(calls),
        coordination=coordination,
        random=jitter.random,
        commit=commit,
        values=SsmStoredValues(clients),
    )


def _is_running(process_id: int) -> bool:
    """Tell whether a process of this machine runs."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # It runs, as another user
        return True
    return True
