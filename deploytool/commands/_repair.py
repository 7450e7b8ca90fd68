"""The option --repair of `deploytool deploy`: what it cannot be combined with, and what it says."""

from deploytool.commands.arguments.deploy import DeployArguments
from deploytool.core.errors import InputError

NOTE = (
    "CloudFormation cannot compare every type of resource:"
    " deploytool plan --drift lists what it leaves out."
)


def refuse_combinations(arguments: DeployArguments) -> None:
    """Raise InputError when --repair cannot be done as asked for. Nothing has been touched then."""
    if not arguments.repair:
        return
    if arguments.local:
        raise InputError(
            "--repair: the local cloud has no drift-aware change sets, which work on AWS only",
            hint="delete the stack of the resource, then deploy it again without --repair",
        )
    if arguments.plan_file is not None:
        raise InputError(
            "--repair: --plan-file deploys what was reviewed, and a plan does not have what"
            " --repair finds",
            hint="deploy the plan first, then repair",
        )
    # Whether a drift-aware change set takes express mode, AWS does not say
    if arguments.express:
        raise InputError("--repair and --express cannot be combined", hint="leave --express out")
