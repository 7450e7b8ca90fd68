"""MiniStack's names that deploytool reads or calls, beside those that the patches replace.

MiniStack has no public API, and it deletes and renames names between versions. `check_names` is
called once, before the local cloud serves, so that a missing name stops it with a clear message.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from deploytool.core.errors import DeploytoolError
from deploytool.localcloud.ministack.emulator import SUPPORTED_VERSION, MiniStack

# The names by the module that has them; the modules are the fields of `MiniStack`.
NAMES: Mapping[str, tuple[str, ...]] = {
    "app": ("app",),
    "iam_evaluator": (
        "EvalContext",
        "_gather_role_policies",
        "_gather_user_policies",
        "_permissions_boundary",
        "caller_arn",
        "evaluate",
        "resolve_principal",
    ),
    "responses": (
        "get_account_id",
        "get_region",
        "json_response",
        "new_uuid",
        "now_epoch",
        "now_iso",
        "set_request_account_id",
        "set_request_region",
    ),
    "cloudwatch": (
        "_alarms",
        "_composite_alarms",
        "_dims_key",
        "_dispatch_alarm_actions",
        "_error",
        "_evaluate_parent_alarms",
        "_metrics",
        "_point_stats",
        "_record_history",
    ),
    "lambda_runtime": (
        "Worker",
        "_worker_key",
        "_workers",
        "acquire_worker",
        "release_worker",
        "reset",
    ),
    "route53": (
        "_build_change_info_el",
        "_error_response",
        "_find",
        "_findall",
        "_hc_caller_refs",
        "_hc_id",
        "_health_checks",
        "_lock",
        "_new_change",
        "_parse_body",
        "_parse_health_check_config",
        "_parse_record_set",
        "_records",
        "_tags",
        "_text",
        "_xml_response",
        "_zones",
    ),
    "acm": (
        "_certificates",
        "_future_iso",
        "_is_local_certificate_arn",
        "error_response_json",
    ),
    "apigateway": (
        "_apigw_error",
        "_apigw_response",
        "_apis",
        "_delete_deployment",
        "_domain_view",
        "_integrations",
        "_routes",
        "_stages",
    ),
    "apigateway_v1": (
        "_base_path_mappings",
        "_delete_stage",
        "_deployments_v1",
        "_domain_names",
        "_gw_error",
        "_resources",
        "_rest_apis",
        "_stages_v1",
        "_update_rest_api",
        "_v1_error",
        "_v1_response",
        "find_api_scope",
        "request_scope",
    ),
    "iam": ("_create_oidc_provider", "_gen_id", "_now", "_oidc_providers", "_roles", "_users"),
    "provisioners": (
        "_CONDITIONALLY_REPLACING_PROPERTIES",
        "_REPLACING_PROPERTIES",
        "_RESOURCE_HANDLERS",
        "_STACK_TAG_PROPERTY",
        "_lambda_svc",
        "_lambda_svc._functions",
        "_lambda_svc._vpc_config_with_id",
        "_r53_record_set_build_rs",
        "_r53_resolve_hosted_zone_id",
    ),
    "stacks": (
        "_delete_resource",
        "_operation_event",
        "_provision_keeping_seed",
        "_stack_region_context",
        "_stack_tags_changed",
        "_static_property",
    ),
    "changesets": (
        "_cw_logs._log_groups",
        "_evaluate_conditions",
        "_resolve_props_for_diff",
        "_topological_sort",
    ),
    "stack_handlers": ("_error", "_has_dynamic_references", "_p"),
    "template_engine": ("_evaluate_conditions", "_resolve_refs"),
    "template_helpers": ("_p",),
    "cloudformation": ("_ACTION_HANDLERS", "_change_sets", "_stacks"),
}


def check_names(ministack: MiniStack) -> None:
    """Raise DeploytoolError, naming each of them, when MiniStack lacks names of the table."""
    missing = list(_missing_names(ministack))
    if missing:
        raise DeploytoolError(
            f"MiniStack has no {', '.join(missing)}; "
            f"this deploytool is made for MiniStack {SUPPORTED_VERSION}"
        )


def _missing_names(ministack: MiniStack) -> Iterator[str]:
    for module, names in NAMES.items():
        for name in names:
            value: Any = getattr(ministack, module)
            for part in name.split("."):
                value = getattr(value, part, None)
            if value is None:
                yield f"{module}.{name}"
