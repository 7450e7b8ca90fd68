"""MiniStack inside this process: its version, its environment, its modules and its life span.

MiniStack reads its settings from environment variables while it is imported, so
`prepare_environment` must be called before `load`.
"""

import asyncio
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from deploytool.core.errors import DeploytoolError, InputError
from deploytool.localcloud.edges.asgi import AsgiApp
from deploytool.localcloud.settings import ACCESS_KEY, SECRET_KEY, TEMPORARY

# The version whose private names the patches replace; the extra `local` of pyproject.toml pins it.
SUPPORTED_VERSION = "1.5.33"

_INSTALL_HINT = "pip install 'deploytool[local]'"

# MiniStack's account for any access key that is not itself an account number
ACCOUNT = "000000000000"

# Seconds without a call after which a function's second process and the further ones are ended. A
# burst leaves ten of them, which MiniStack keeps for five minutes
IDLE_SECONDS = 30

# The services that a local cloud answers for. MiniStack's other services start containers or listen
# on every interface, so calls of them are refused.
SERVICES = (
    "acm", "apigateway", "cloudformation", "cloudtrail", "dynamodb", "ec2", "events", "iam", "kms",
    "lambda", "logs", "monitoring", "resource-groups", "route53", "s3", "scheduler",
    "secretsmanager", "sns", "sqs", "ssm", "states", "sts", "tagging", "wafv2",
)  # fmt: skip
# The same services in CloudFormation, by the second part of a resource type's name.
RESOURCE_SERVICES = (
    "ApiGateway", "ApiGatewayV2", "CertificateManager", "CloudFormation", "CloudTrail",
    "CloudWatch", "DynamoDB", "EC2", "Events", "IAM", "KMS", "Lambda", "Logs", "ResourceGroups",
    "Route53", "S3", "SNS", "SQS", "SSM", "Scheduler", "SecretsManager", "StepFunctions", "WAFv2",
)  # fmt: skip

# The only variables that may reach MiniStack and the functions that it runs: a user's AWS_*, proxy,
# Docker or MiniStack settings must neither change how the local cloud behaves nor let a function
# find real credentials.
_KEPT = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "TZ",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "COVERAGE_PROCESS_START",
)
_KEPT_PREFIXES = ("LC_",)


@dataclass(frozen=True)
class MiniStack:
    """MiniStack's modules. It has no type information, hence Any."""

    app: Any
    iam_actions: Any
    iam_evaluator: Any
    responses: Any
    lambda_runtime: Any
    route53: Any
    acm: Any
    apigateway: Any
    apigateway_v1: Any
    cloudwatch: Any
    eventbridge: Any
    scheduler: Any
    iam: Any
    provisioners: Any
    stacks: Any
    changesets: Any
    stack_handlers: Any
    template_engine: Any
    template_helpers: Any
    cloudformation: Any


# The modules of `MiniStack`, by field
_MODULES = {
    "app": "app",
    "iam_actions": "core.iam_actions",
    "iam_evaluator": "core.iam_evaluator",
    "responses": "core.responses",
    "lambda_runtime": "core.lambda_runtime",
    "route53": "services.route53",
    "acm": "services.acm",
    "apigateway": "services.apigateway",
    "apigateway_v1": "services.apigateway_v1",
    "cloudwatch": "services.cloudwatch",
    "eventbridge": "services.eventbridge",
    "scheduler": "services.scheduler",
    "iam": "services.iam",
    "provisioners": "services.cloudformation.provisioners",
    "stacks": "services.cloudformation.stacks",
    "changesets": "services.cloudformation.changesets",
    "stack_handlers": "services.cloudformation.handlers",
    "template_engine": "services.cloudformation.engine",
    "template_helpers": "services.cloudformation.helpers",
    "cloudformation": "services.cloudformation",
}


def prepare_environment(
    directory: Path, port: int, region: str, *, enforce_iam: bool = False
) -> None:
    """Leave only what MiniStack needs in os.environ.

    MiniStack then binds to loopback alone, writes files only below `directory` and logs warnings
    and errors. `port` is the port of the AWS API, `region` the region of an unsigned call. With
    `enforce_iam` the local access key is the root user's.
    """
    temporary = directory / TEMPORARY
    temporary.mkdir(exist_ok=True)

    environment = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    environment |= _variables(temporary, port, region)
    if enforce_iam:
        environment["AUTH"] = "true"
        environment["AWS_ACCESS_KEY_ID"] = ACCESS_KEY
        environment["AWS_SECRET_ACCESS_KEY"] = SECRET_KEY

    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # the next use of tempfile reads TMPDIR again


def _variables(temporary: Path, port: int, region: str) -> dict[str, str]:
    """Return the variables that configure MiniStack."""
    return {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": region,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "SERVICES": ",".join(SERVICES),
        "LOG_LEVEL": "WARNING",
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "STATE_DIR": str(temporary),
        "S3_DATA_DIR": str(temporary),
        "LAMBDA_EXECUTOR": "local",
        # The processes that a burst of calls leaves are ended after this long without a call.
        "LAMBDA_WARM_TTL_SECONDS": str(IDLE_SECONDS),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # MiniStack removes containers that it takes for its own when it finds a Docker daemon.
        # This socket does not exist, so it finds none.
        "DOCKER_HOST": f"unix://{temporary / 'no-docker'}",
        "TMPDIR": str(temporary),
    }


def set_function_environment(*, resolver: str, name_server_port: int) -> None:
    """Tell the functions how to ask for names: the resolver (ADDRESS:PORT) and the zones' port.

    MiniStack passes this process's environment to each function that it starts.
    """
    os.environ["DEPLOYTOOL_RESOLVER"] = resolver
    os.environ["DEPLOYTOOL_NAME_SERVER_PORT"] = str(name_server_port)


def check_version() -> None:
    """Raise InputError when the installed MiniStack is not the supported version."""
    try:
        installed = ministack_version()
    except PackageNotFoundError:
        raise DeploytoolError("the local cloud needs MiniStack", hint=_INSTALL_HINT) from None

    if installed != SUPPORTED_VERSION:
        raise InputError(
            f"MiniStack {installed} is installed, and this deploytool is made for MiniStack "
            f"{SUPPORTED_VERSION}",
            hint=_INSTALL_HINT,
        )


def load() -> MiniStack:
    """Import MiniStack.

    Raises InputError when its version is not the supported one, and DeploytoolError when it or a
    package that it needs is missing.
    """
    check_version()

    try:
        modules = {name: import_module(f"ministack.{path}") for name, path in _MODULES.items()}
    except ModuleNotFoundError as error:
        raise DeploytoolError(
            f"the local cloud needs MiniStack ({error})", hint=_INSTALL_HINT
        ) from error
    return MiniStack(**modules)


def refuse_foreign_resource_types(ministack: MiniStack) -> None:
    """Remove the resource types of services that the local cloud does not answer for.

    CloudFormation then refuses a template with such a type as AWS refuses an unknown one
    ("Unrecognized resource types").
    """
    handlers = ministack.provisioners._RESOURCE_HANDLERS
    for resource_type in tuple(handlers):
        if not resource_type.startswith("AWS::"):
            continue
        service = resource_type.split("::")[1]
        if service not in RESOURCE_SERVICES:
            del handlers[resource_type]


def ministack_version() -> str:
    """Return the installed version of MiniStack."""
    return version("ministack")


class Lifespan:
    """Start and shut down MiniStack with the ASGI lifespan protocol."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Return once MiniStack is ready. Raises DeploytoolError when it could not start."""
        self._task = asyncio.ensure_future(self._run())
        await self._request("startup", self._task)

    async def shutdown(self) -> None:
        """Return once MiniStack has ended. Does nothing when it never started."""
        if self._task is None:
            return

        await self._request("shutdown", self._task)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        await self._app(scope, self._inbox.get, self._outbox.put)

    async def _request(self, event: str, task: asyncio.Task[None]) -> None:
        """Send an event of the lifespan protocol and wait until the application confirms it."""
        await self._inbox.put({"type": f"lifespan.{event}"})
        reply = asyncio.ensure_future(self._outbox.get())
        await asyncio.wait({reply, task}, return_when=asyncio.FIRST_COMPLETED)

        if not reply.done():
            # The application returned or raised without a reply.
            reply.cancel()
            error = None if task.cancelled() else task.exception()
            raise DeploytoolError(f"MiniStack ended during its {event}: {error!r}")

        message = reply.result()
        if message["type"] != f"lifespan.{event}.complete":
            reason = message.get("message", "")
            raise DeploytoolError(f"MiniStack failed during its {event}: {reason}")
