"""What MiniStack lacks or does unlike AWS, corrected: one module a service.

Each module declares what it replaces or adds in `PATCHES`, with the reasons, and does so in
`install`. `TABLE` has all of them, in the order of installation. MiniStack's own names are known in
these modules, in `emulator` and in `controlplane`, and nowhere else. Each gap has a contract test.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from dns.message import Message

from deploytool.localcloud.clock import Calendar, CloudClock
from deploytool.localcloud.durations import Durations
from deploytool.localcloud.health.supported import unsupported_reason
from deploytool.localcloud.ministack.api_state import ApiCondition
from deploytool.localcloud.ministack.controlplane import MiniStackState
from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.metrics import MiniStackMetrics
from deploytool.localcloud.ministack.names import check_names
from deploytool.localcloud.ministack.patches import (
    apigateway,
    base_path_mappings,
    certificates,
    cloudwatch,
    conditions,
    deployments,
    drift_aware,
    durations,
    early_validation,
    event_rules,
    existing_names,
    function_imports,
    function_logs,
    function_policies,
    function_workers,
    functions,
    health_check_xml,
    health_checks,
    http_api_calls,
    http_api_stages,
    http_proxy,
    identities,
    left_out,
    list_parameters,
    missing_types,
    permissions,
    property_syntax,
    protections,
    record_sets,
    regional_apis,
    replacements,
    route53_api,
    schedules,
    stack_quotas,
    stack_roles,
    stack_updates,
    stored_parameters,
    template_urls,
    template_yaml,
    transforms,
    zone_features,
    zones,
)
from deploytool.localcloud.ministack.patches.certificate_validation import Validation
from deploytool.localcloud.ministack.patches.permissions import AccessLog
from deploytool.localcloud.ministack.patches.protections import Protections
from deploytool.localcloud.ministack.patches.record_sets import RecordChanges
from deploytool.localcloud.ministack.patches.replace import Patches, patching
from deploytool.localcloud.ministack.patches.route53_api import HealthReader
from deploytool.localcloud.quotas import RequestQuotas

# Everything that is replaced or added, by module, in the order of installation. Where two modules
# replace one function, the later one wraps the earlier: durations wraps what certificates
# put in place, regional_apis what stack_roles did.
TABLE: Mapping[str, Patches] = {
    "health_checks": health_checks.PATCHES,
    "health_check_xml": health_check_xml.PATCHES,
    "route53_api": route53_api.PATCHES,
    "record_sets": record_sets.PATCHES,
    "zones": zones.PATCHES,
    "protections": protections.PATCHES,
    "zone_features": zone_features.PATCHES,
    "cloudwatch": cloudwatch.PATCHES,
    "event_rules": event_rules.PATCHES,
    "schedules": schedules.PATCHES,
    "certificates": certificates.PATCHES,
    "apigateway": apigateway.PATCHES,
    "http_proxy": http_proxy.PATCHES,
    "http_api_calls": http_api_calls.PATCHES,
    "http_api_stages": http_api_stages.PATCHES,
    "functions": functions.PATCHES,
    "function_imports": function_imports.PATCHES,
    "function_policies": function_policies.PATCHES,
    "function_workers": function_workers.PATCHES,
    "base_path_mappings": base_path_mappings.PATCHES,
    "template_urls": template_urls.PATCHES,
    "template_yaml": template_yaml.PATCHES,
    "list_parameters": list_parameters.PATCHES,
    "stored_parameters": stored_parameters.PATCHES,
    "identities": identities.PATCHES,
    "function_logs": function_logs.PATCHES,
    "deployments": deployments.PATCHES,
    "replacements": replacements.PATCHES,
    "conditions": conditions.PATCHES,
    "stack_updates": stack_updates.PATCHES,
    "drift_aware": drift_aware.PATCHES,
    "existing_names": existing_names.PATCHES,
    "property_syntax": property_syntax.PATCHES,
    "early_validation": early_validation.PATCHES,
    "transforms": transforms.PATCHES,
    "missing_types": missing_types.PATCHES,
    "permissions": permissions.PATCHES,
    "stack_roles": stack_roles.PATCHES,
    "regional_apis": regional_apis.PATCHES,
    "stack_quotas": stack_quotas.PATCHES,
    "left_out": left_out.PATCHES,
    "durations": durations.PATCHES,
}


@dataclass(frozen=True)
class Surroundings:
    """What the patches need of the cloud around MiniStack.

    - `state`: what MiniStack holds, as values
    - `regions`: the regions with an edge
    - `api_condition`: returns the condition of a region's AWS API
    - `resolve`: returns the values of a name and type as the public sees them
    - `health`: the observations of the health checkers
    - `respond`: the name server
    - `calendar`: the cloud's dates
    - `speed`: how many seconds of the cloud pass in one of the wall clock
    - `closing`: an event that is set when the cloud ends
    - `on_health_check`: called, from any thread, when a health check has changed
    - `durations`: how long resources take
    - `enforce_iam`: whether IAM is enforced
    - `access`: the log of IAM checks
    - `quotas`: the quotas of requests, None when there are none
    - `clock`: the cloud's clock
    - `left_out`: the resource types that are left out
    """

    state: MiniStackState
    regions: Collection[str]
    api_condition: Callable[[str], ApiCondition]
    resolve: Callable[[str, str], Sequence[str]]
    health: HealthReader
    respond: Callable[[Message], Message]
    calendar: Calendar
    speed: float
    closing: threading.Event
    on_health_check: Callable[[], object]
    durations: Durations
    enforce_iam: bool
    access: AccessLog
    quotas: RequestQuotas | None
    clock: CloudClock
    left_out: Collection[str] = ()


def install(ministack: MiniStack, around: Surroundings) -> None:
    """Install the patches in the order of `TABLE`; once, before MiniStack serves.

    Raises DeploytoolError when MiniStack lacks a name that is read, and PatchDoesNotFit when it
    lacks one that a patch replaces or has it with another signature.
    """
    check_names(ministack)
    changes = _install_route53(ministack, around)
    _install_cloudwatch(ministack, around)
    with patching(ministack, event_rules.PATCHES) as patcher:
        event_rules.install(patcher, around.speed)
    with patching(ministack, schedules.PATCHES) as patcher:
        schedules.install(patcher)

    validation = Validation(ministack, around.resolve, around.closing)
    with patching(ministack, certificates.PATCHES) as patcher:
        certificates.install(patcher, validation, changes)
    rules = apigateway.DomainRules(ministack, around.regions, validation.refresh)
    with patching(ministack, apigateway.PATCHES) as patcher:
        apigateway.install(patcher, rules)

    for module in (
        http_proxy,
        http_api_calls,
        http_api_stages,
        functions,
        function_imports,
        function_policies,
        base_path_mappings,
        template_urls,
        template_yaml,
        list_parameters,
        stored_parameters,
        identities,
        function_logs,
        deployments,
        replacements,
        conditions,
        stack_updates,
        drift_aware,
        existing_names,
        property_syntax,
        early_validation,
        transforms,
        missing_types,
    ):
        with patching(ministack, module.PATCHES) as patcher:
            module.install(patcher)
    with patching(ministack, function_workers.PATCHES) as patcher:
        function_workers.install(patcher, around.closing)

    if around.enforce_iam:
        with patching(ministack, permissions.PATCHES) as patcher:
            permissions.install(patcher, around.access)
        with patching(ministack, stack_roles.PATCHES) as patcher:
            stack_roles.install(patcher, around.access)

    with patching(ministack, regional_apis.PATCHES) as patcher:
        regional_apis.install(patcher, around.api_condition)

    if around.quotas is not None:
        with patching(ministack, stack_quotas.PATCHES) as patcher:
            stack_quotas.install(patcher, around.quotas, around.clock)

    if around.left_out:
        with patching(ministack, left_out.PATCHES) as patcher:
            left_out.install(patcher, around.left_out)

    if around.durations:
        with patching(ministack, durations.PATCHES) as patcher:
            durations.install(patcher, around.durations)


def _install_route53(ministack: MiniStack, around: Surroundings) -> RecordChanges:
    """Install the patches of Route 53; return what changes record sets."""
    store = health_checks.HealthCheckStore(ministack, unsupported_reason, around.on_health_check)
    with patching(ministack, health_checks.PATCHES) as patcher:
        health_checks.install(patcher, store)
    with patching(ministack, health_check_xml.PATCHES) as patcher:
        health_check_xml.install(patcher)

    to_unix = around.calendar.to_unix
    api = route53_api.Route53Api(ministack, store, around.health, around.respond, to_unix)
    with patching(ministack, route53_api.PATCHES) as patcher:
        route53_api.install(patcher, api)

    protected = Protections(ministack)
    changes = RecordChanges(ministack, around.state, protected)
    with patching(ministack, record_sets.PATCHES) as patcher:
        record_sets.install(patcher, changes)
    with patching(ministack, zones.PATCHES) as patcher:
        zones.install(patcher, changes)
    with patching(ministack, protections.PATCHES) as patcher:
        protections.install(patcher, protected)
    with patching(ministack, zone_features.PATCHES) as patcher:
        zone_features.install(patcher)
    return changes


def _install_cloudwatch(ministack: MiniStack, around: Surroundings) -> None:
    metrics = MiniStackMetrics(ministack, around.calendar)
    evaluator = cloudwatch.AlarmEvaluator(ministack, metrics, around.speed, around.closing)
    with patching(ministack, cloudwatch.PATCHES) as patcher:
        cloudwatch.install(patcher, evaluator)
