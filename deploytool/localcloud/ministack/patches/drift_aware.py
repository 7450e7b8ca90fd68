"""Drift-aware change sets are refused: MiniStack cannot compare and restore each type of resource.

With the deployment mode REVERT_DRIFT a change set compares the resources themselves with the template
(API Reference, CreateChangeSet). MiniStack ignores the mode, so that such a change set would find
nothing to change whatever somebody has deleted.
"""

from collections.abc import Mapping
from typing import Any

from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "CloudFormation:CreateChangeSet": "a drift-aware change set compares templates alone",
}

REFUSAL = "The local cloud has no drift-aware change sets: DeploymentMode is not supported."

Params = Mapping[str, Any]


def install(patcher: Patcher) -> None:
    """Refuse change sets with a deployment mode."""
    service = patcher.ministack.cloudformation
    helpers = patcher.ministack.template_helpers
    original = service._ACTION_HANDLERS["CreateChangeSet"]

    def create_change_set(params: Params) -> Any:
        if params.get("DeploymentMode"):
            return helpers._error("ValidationError", REFUSAL)
        return original(params)

    patcher.replace_action("CreateChangeSet", create_change_set)
