"""YAML that CloudFormation refuses in a template.

Source: "Template error: YAML aliases are not allowed in CloudFormation templates." (answer of
CreateChangeSet in seeebiii/aws-cloudformation-templates issue 1; coverage-roadmap issue 613).
"""

from collections.abc import Mapping
from typing import Any

import yaml

from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "template_helpers._resolve_document": "YAML aliases are resolved, which CloudFormation refuses",
}

REFUSAL = "Template error: YAML aliases are not allowed in CloudFormation templates."


def install(patcher: Patcher) -> None:
    """Refuse templates with YAML aliases."""
    helpers = patcher.ministack.template_helpers

    def resolve_document(params: Mapping[str, Any], body_key: str, url_key: str, label: str) -> Any:
        body, error = resolve_original(params, body_key, url_key, label)
        if error is None and body_key == "TemplateBody" and body and has_alias(body):
            return None, helpers._error("ValidationError", REFUSAL)
        return body, error

    resolve_original = patcher.replace("template_helpers._resolve_document", resolve_document)


def has_alias(text: str) -> bool:
    """Return whether a text is YAML with an alias. A text that is no YAML is refused elsewhere."""
    if "*" not in text or "&" not in text:
        return False
    try:
        events = yaml.parse(text)
        return any(isinstance(event, yaml.AliasEvent) for event in events)
    except yaml.YAMLError:
        return False
