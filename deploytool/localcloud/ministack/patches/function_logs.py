"""The log group of a function: Lambda creates a missing one only with the permission for it.

Source: Lambda Developer Guide, "Sending Lambda function logs to CloudWatch Logs": the execution role
needs logs:CreateLogGroup, logs:CreateLogStream and logs:PutLogEvents. MiniStack creates the group
always, also by a call that still runs after its function, role and group were deleted with their
stack, and the next deployment would find the name taken.

MiniStack makes a log stream for each call. A cloud that runs for long would grow with every request,
so only the newest streams of a group are kept.
"""

from collections.abc import Mapping
from typing import Any

from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "provisioners._lambda_svc._emit_lambda_logs": "a missing group is created without permission; streams stay",
}

_ACTION = "logs:CreateLogGroup"
MOST_STREAMS = 500  # of a group; each has the lines of one call


def install(patcher: Patcher) -> None:
    """Drop the lines of a function whose log group is missing and must not be created."""
    ministack = patcher.ministack

    def emit_lambda_logs(
        func: Mapping[str, Any],
        request_id: str,
        log_text: str,
        error: Any,
        duration_ms: int,
        *,
        log_source: str | None = None,
    ) -> None:
        config = func.get("config") or func
        group = (config.get("LoggingConfig") or {}).get("LogGroup")
        name = str(group or f"/aws/lambda/{config.get('FunctionName', '')}")
        # What still runs when its function is deleted may outlive its role and its log group
        functions = ministack.provisioners._lambda_svc._functions
        may_create = config.get("FunctionName") in functions and _may_create(
            ministack, config.get("Role", ""), name
        )
        if may_create or _has_group(ministack, name):
            emit_original(func, request_id, log_text, error, duration_ms, log_source=log_source)
            _forget_old_streams(ministack, name)

    emit_original = patcher.replace("provisioners._lambda_svc._emit_lambda_logs", emit_lambda_logs)


def _forget_old_streams(ministack: MiniStack, name: str) -> None:
    group = ministack.changesets._cw_logs._log_groups.get(name)
    if group is None:
        return  # deleted meanwhile
    streams = group["streams"]
    # They are in the order of their creation. Another call may forget the same ones.
    for stream in list(streams)[:-MOST_STREAMS]:
        streams.pop(stream, None)


def _has_group(ministack: MiniStack, name: str) -> bool:
    return name in ministack.changesets._cw_logs._log_groups


def _may_create(ministack: MiniStack, role_arn: str, name: str) -> bool:
    """Return whether a function's role may create a log group.

    MiniStack runs functions whose role does not exist, which AWS never does. They keep their logs.
    """
    evaluator = ministack.iam_evaluator
    account = ministack.responses.get_account_id()
    region = ministack.responses.get_region()
    role = role_arn.rpartition("/")[2]
    if role not in ministack.iam._roles:
        return True

    context = evaluator.EvalContext(
        role_arn,
        "AssumedRole",
        account,
        _ACTION,
        f"arn:aws:logs:{region}:{account}:log-group:{name}",
        region,
        service_context={},
    )
    policies = evaluator._gather_role_policies(role, account)
    boundary = evaluator._permissions_boundary(ministack.iam._roles, role, account)
    return bool(evaluator.evaluate(context, policies, *boundary).decision == "Allow")
