"""The least permissions with which a pair can be drilled and restored, as an IAM policy. Pure.

Which actions take which resources: Service Authorization Reference, "Actions, resources, and
condition keys for Amazon Route 53".
"""

from collections.abc import Sequence
from typing import Any

# Actions that take no resource: they list the zones and the health checks of the account
LISTS = ("route53:ListHealthChecks", "route53:ListHostedZones", "route53:ListHostedZonesByName")
READS_OF_CHECKS = ("route53:GetHealthCheck", "route53:GetHealthCheckStatus")
CHANGES = (
    "route53:ChangeTagsForResource",
    "route53:ListTagsForResource",
    "route53:UpdateHealthCheck",
)


def pair_policy(
    zone_id: str, health_check_id: str, other_checks: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the policy. An id that is not known, "", becomes `*`.

    `other_checks` are read: the children of a calculated health check, and those of the secondary.
    The records of every zone are read, for others that take the health check.
    """
    read = sorted({health_check_id or "*", *other_checks})
    return {
        "Version": "2012-10-17",
        "Statement": [
            _statement("FindTheZoneAndTheChecks", LISTS, ["*"]),
            _statement(
                "ReadTheRecordsOfAllZones",
                ["route53:ListResourceRecordSets"],
                ["arn:aws:route53:::hostedzone/*"],
            ),
            _statement(
                "ReadTheZone",
                ["route53:GetHostedZone"],
                [f"arn:aws:route53:::hostedzone/{zone_id or '*'}"],
            ),
            _statement("ReadTheChecks", READS_OF_CHECKS, [_check(id_) for id_ in read]),
            _statement("InvertAndRestore", CHANGES, [_check(health_check_id or "*")]),
        ],
    }


def _check(id_: str) -> str:
    return f"arn:aws:route53:::healthcheck/{id_}"


def _statement(sid: str, actions: Sequence[str], resources: Sequence[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
