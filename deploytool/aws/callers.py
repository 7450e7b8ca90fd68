"""STS and the settings of endpoints: who calls, and where the calls go.

GetCallerIdentity needs no permission: it answers even where a policy denies it (API reference of
GetCallerIdentity).
"""

import os
from collections.abc import Iterable, Mapping
from typing import get_args, get_overloads

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.session import Session

from deploytool.aws.breaker import NoAnswer
from deploytool.aws.errors import ENDPOINT, code_of, connecting, message_of
from deploytool.aws.refusals import is_of_credentials
from deploytool.aws.sessions import Clients
from deploytool.core.whereabouts import Caller

# Keys with which no call is made.
NOBODY = "nobody"

# What botocore raises when STS cannot be reached.
UNREACHED = (NoAnswer, BotoConnectionError, HTTPClientError)


def find_caller(clients: Clients, regions: Iterable[str]) -> Caller:
    """Ask STS in the first of the regions, and in the next one only where it does not answer.

    An STS that does not answer keeps nobody from working: a failover must not depend on it. The
    caller then says why it is unknown. Raises CloudRefused when the credentials are refused.
    """
    unknown = ""
    for region in regions:
        with connecting(f"asking STS of {region} who is calling"):
            try:
                answer = clients.identity(region).get_caller_identity()
            except UNREACHED as error:
                unknown = str(error)
            except ClientError as error:
                # A refusal of the call that gives the credentials is one of every call. Of this call
                # any other answer, such as a 503 or that of a VPC endpoint's policy, tells nothing
                gives_credentials = error.operation_name != "GetCallerIdentity"
                if gives_credentials or is_of_credentials(code_of(error), message_of(error)):
                    raise
                unknown = f"{message_of(error)} ({code_of(error)})"
            else:
                return Caller(answer["Account"], answer["Arn"])
    return Caller(unknown=unknown)


def configured_endpoints(region: str) -> Mapping[str, str]:
    """Return the addresses of the APIs, by service, where the user has set any; else nothing.

    A variable, a profile and a section of services can set them (AWS SDKs and Tools Reference Guide,
    "Service-specific endpoints"). Botocore knows which of them wins, so its clients are asked. That
    takes a part of a second, which a user without such a setting does not spend. Nobody signs in for
    it. Raises CloudRefused when the user's files do not parse.
    """
    with connecting("reading the AWS settings"):
        session = Session()
        if not _sets_any(session):
            return {}
        addresses: dict[str, str] = {}
        for service in SERVICES:
            client = session.create_client(
                service,
                region_name=region,
                aws_access_key_id=NOBODY,
                aws_secret_access_key=NOBODY,
            )
            addresses[service] = client.meta.endpoint_url
        return addresses


def _services() -> tuple[str, ...]:
    """Return the services that `Clients.get` has an overload for."""
    names: list[str] = []
    for overload in get_overloads(Clients.get):
        names.extend(get_args(overload.__annotations__["service"]))
    return tuple(names)


SERVICES = _services()


def _sets_any(session: Session) -> bool:
    if any(name.startswith(ENDPOINT) and value for name, value in os.environ.items()):
        return True
    # Anywhere in the files; the clients then tell whether it counts
    return "endpoint_url" in str(session.full_config)
