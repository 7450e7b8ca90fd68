"""Botocore clients, one for each service and region. Standard AWS settings apply.

A local cloud passes in its own endpoint.
"""

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.parse import urlsplit

from botocore.config import Config

from deploytool import __version__
from deploytool.aws.breaker import Breaker
from deploytool.aws.credentials import Sessions
from deploytool.aws.errors import connecting
from deploytool.aws.limits import BRIEF, FIRST_CONTACT, PATIENT, Limits
from deploytool.aws.time import AwsTime

if TYPE_CHECKING:
    # The stubs are a development dependency: nothing imports them at run time.
    from mypy_boto3_acm import ACMClient
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_route53 import Route53Client
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_ssm import SSMClient


@dataclass(frozen=True)
class Endpoint:
    """The address of a local cloud and the credentials that it accepts."""

    url: str
    access_key: str
    secret_key: str
    session_token: str | None = None


class Clients:
    """Creates botocore's clients on first use and keeps them. Safe to use from several threads.

    `time` learns the time of day from the answers.

    boto3 makes the same clients, but importing it also loads its file transfer code. That would
    take a tenth of the time of a run that finds nothing to do.
    """

    def __init__(
        self,
        endpoint: Endpoint | None = None,
        limits: Limits = PATIENT,
        time: AwsTime | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._limits = limits
        self._time = time
        self._breaker = Breaker()
        self._lock = threading.Lock()  # creating a client is not thread-safe, using one is
        self._clients: dict[tuple[str, str, Limits], Any] = {}
        self._sessions = Sessions(self._breaker, local=endpoint is not None)

    @overload
    def get(self, service: Literal["acm"], region: str) -> "ACMClient": ...
    @overload
    def get(self, service: Literal["apigateway"], region: str) -> "APIGatewayClient": ...
    @overload
    def get(self, service: Literal["apigatewayv2"], region: str) -> Any: ...  # noqa: ANN401  # without stubs
    @overload
    def get(self, service: Literal["cloudformation"], region: str) -> "CloudFormationClient": ...
    @overload
    def get(self, service: Literal["cloudwatch"], region: str) -> "CloudWatchClient": ...
    @overload
    def get(self, service: Literal["ec2"], region: str) -> Any: ...  # noqa: ANN401  # its types are large
    @overload
    def get(self, service: Literal["iam"], region: str) -> "IAMClient": ...
    @overload
    def get(self, service: Literal["lambda"], region: str) -> "LambdaClient": ...
    @overload
    def get(self, service: Literal["logs"], region: str) -> Any: ...  # noqa: ANN401  # without stubs
    @overload
    def get(self, service: Literal["route53"], region: str) -> "Route53Client": ...
    @overload
    def get(self, service: Literal["s3"], region: str) -> "S3Client": ...
    @overload
    def get(self, service: Literal["scheduler"], region: str) -> "EventBridgeSchedulerClient": ...
    @overload
    def get(self, service: Literal["service-quotas"], region: str) -> Any: ...  # noqa: ANN401  # without stubs
    @overload
    def get(self, service: Literal["ssm"], region: str) -> "SSMClient": ...

    def get(self, service: str, region: str) -> Any:
        """Return the client of a service in a region.

        Raises CloudRefused when there are no credentials, ApiUnavailable when the service that gives
        them does not answer.
        """
        limits = self._limits_for(region)
        with self._lock, connecting(f"connecting to {service} in {region}"):
            key = (service, region, limits)
            if key not in self._clients:
                self._clients[key] = _checked(self._create(service, region, limits))
                if self._time is not None:
                    events = self._clients[key].meta.events
                    events.register("response-received", self._time.observe)
            return self._clients[key]

    @property
    def is_offline(self) -> bool:
        """Whether calls were made, and no API of any region has answered one."""
        return self._breaker.is_offline()

    def identity(self, region: str) -> Any:  # noqa: ANN401  # a client of one call needs no stubs
        """Return a client of STS that asks once, and briefly: a command waits for its answer."""
        config = BRIEF.client_config().merge(Config(region_name=region))
        with self._lock:
            return _checked(self._sessions.get(region).create_client("sts", config=config))

    def _limits_for(self, region: str) -> Limits:
        """Return the limits of the next call: a region that has never answered may be down."""
        if self._limits is PATIENT and not self._breaker.has_answered(region):
            return FIRST_CONTACT
        return self._limits

    def _create(self, service: str, region: str, limits: Limits) -> Any:  # noqa: ANN401  # botocore makes the classes at run time
        # Buckets in the path and no proxy: neither the name of a bucket nor a proxy leads to the
        # loopback address of a local cloud.
        config = limits.client_config().merge(
            Config(
                region_name=region,
                user_agent_extra=f"deploytool/{__version__}",
                s3={"addressing_style": "path"} if self._endpoint else {},
                proxies={} if self._endpoint else None,
            )
        )
        session = self._sessions.get(region)
        if self._endpoint is None:
            return session.create_client(service, config=config)

        return session.create_client(
            service,
            config=config,
            endpoint_url=self._endpoint.url,
            aws_access_key_id=self._endpoint.access_key,
            aws_secret_access_key=self._endpoint.secret_key,
            aws_session_token=self._endpoint.session_token,
        )


def _checked(client: Any) -> Any:  # noqa: ANN401  # of any service
    """Return a client. Raises ValueError when the port of its address is none.

    botocore says so of other faults of an address here, and of this one only in a call.
    """
    address = client.meta.endpoint_url
    try:
        _ = urlsplit(address).port
    except ValueError as error:
        raise ValueError(f"{error}: {address}") from error
    return client
