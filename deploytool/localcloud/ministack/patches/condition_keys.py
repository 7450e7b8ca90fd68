"""The condition keys of requests that MiniStack's IAM does not know. Pure.

Source: Service Authorization Reference, "Condition keys for Amazon Route 53" and "Condition keys
for Amazon CloudWatch" (`cloudwatch:namespace` of PutMetricData).
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import cbor2

ConditionKeys = Mapping[str, str | list[str]]


def condition_keys(action: str, headers: Mapping[str, str], body: bytes) -> ConditionKeys:
    """Return the condition keys that a request adds for its action."""
    match action:
        case "route53:ChangeResourceRecordSets":
            return record_keys(body)
        case "cloudwatch:PutMetricData":
            return {"cloudwatch:namespace": metric_namespace(headers, body)}
    return {}


def record_keys(body: bytes) -> dict[str, str | list[str]]:
    """Return the condition keys of a ChangeResourceRecordSets request.

    They are the actions, the types and the normalized names in its XML.
    """
    prefix = "route53:ChangeResourceRecordSets"
    text = body.decode("utf-8", "replace")
    names = re.findall(r"<Name>([^<]*)</Name>", text)
    return {
        f"{prefix}Actions": re.findall(r"<Action>([^<]*)</Action>", text),
        f"{prefix}RecordTypes": re.findall(r"<Type>([^<]*)</Type>", text),
        f"{prefix}NormalizedRecordNames": [name.rstrip(".").lower() for name in names],
    }


def metric_namespace(headers: Mapping[str, str], body: bytes) -> str:
    """Return the namespace of a PutMetricData request, in any protocol of CloudWatch.

    Empty for a body that cannot be read: then no condition on the namespace holds.
    """
    content_type = headers.get("content-type", "")
    request: Any
    try:
        if "cbor" in content_type:
            request = cbor2.loads(body)
        elif "json" in content_type:
            request = json.loads(body)
        else:
            form = parse_qs(body.decode("utf-8", "replace"))
            request = {name: values[0] for name, values in form.items()}
    except (ValueError, cbor2.CBORDecodeError):
        return ""
    return str(request.get("Namespace", "")) if isinstance(request, dict) else ""
