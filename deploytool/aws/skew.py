"""How far this machine's clock is from that of AWS."""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from deploytool.aws.credentials import NO_SETTINGS
from deploytool.aws.errors import translated
from deploytool.aws.limits import BRIEF
from deploytool.aws.time import AwsTime
from deploytool.core.errors import DeploytoolError

CA_BUNDLE = "AWS_CA_BUNDLE"


def clock_difference(
    region: str,
    monotonic: Callable[[], float],
    local: Callable[[], float],
    endpoint: str | None = None,
) -> float:
    """Return by how many seconds AWS's clock is ahead of `local`, negative when it is behind.

    STS is asked without a signature, so no credentials and no correct clock are needed: it refuses
    the call, and says what time it is. No file of the user's matters. `endpoint` is another address
    than AWS's. Raises DeploytoolError when the answer has no date.
    """
    time = AwsTime(monotonic, local)
    config = BRIEF.client_config().merge(Config(signature_version=UNSIGNED))
    client: Any = Session(NO_SETTINGS).create_client(
        "sts",
        region_name=region,
        config=config,
        endpoint_url=endpoint,
        verify=os.environ.get(CA_BUNDLE) or None,
    )
    client.meta.events.register("response-received", time.observe)
    with (
        translated(f"asking STS of {region} for the time"),
        suppress(ClientError, ResponseParserError),
    ):
        client.get_caller_identity()
    if not time.is_known:
        raise DeploytoolError(
            f"the answer of STS of {region} has no date", hint="look at the proxy"
        )
    return time.now() - local()
