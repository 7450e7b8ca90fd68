"""Conditions of a template: the functions and the pseudo parameters that they may use.

In a condition may stand parameters, pseudo parameters, Fn::FindInMap, Fn::Sub, Fn::Join, Fn::Split
and Fn::Select (CloudFormation Template Reference, "Condition functions", section "Supported
functions"; cfn-lint's schema of conditions, `schemas/other/conditions`). MiniStack knows parameters
and Fn::Select alone, and compares the text of all others: `!Equals [!Ref AWS::Region, us-east-1]`
would be false in us-east-1 too.

The name and the id of the stack are not known where MiniStack evaluates conditions, so they are
refused.
"""

from collections.abc import Mapping
from typing import Any

from deploytool.localcloud.ministack.patches.replace import Patcher

_TEXT = "functions and pseudo parameters are compared as text"
PATCHES = {
    "changesets._evaluate_conditions": _TEXT,
    "stack_handlers._evaluate_conditions": _TEXT,
    "stacks._evaluate_conditions": _TEXT,
    "template_engine._evaluate_conditions": _TEXT,
}

# The functions whose arguments are conditions or values themselves
_OPERATORS = {"Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or", "Fn::Select"}
_RESOLVED = {"Fn::FindInMap", "Fn::Join", "Fn::Split", "Fn::Sub"}
_OF_THE_STACK = ("AWS::StackName", "AWS::StackId")

Template = Mapping[str, Any]
Parameters = Mapping[str, Mapping[str, Any]]


def install(patcher: Patcher) -> None:
    """Give each value in a condition before MiniStack compares it."""
    engine = patcher.ministack.template_engine

    def evaluate_conditions(template: Template, params: Parameters) -> Any:
        mappings = template.get("Mappings") or {}

        def resolve(value: Any) -> Any:
            return engine._resolve_refs(value, {}, params, {}, mappings, "", "")

        conditions = {
            name: _decided(name, condition, resolve)
            for name, condition in (template.get("Conditions") or {}).items()
        }
        return original({**template, "Conditions": conditions}, params)

    # All modules import the same function.
    original = engine._evaluate_conditions
    for target in PATCHES:
        patcher.replace(target, evaluate_conditions)


def _decided(name: str, node: Any, resolve: Any) -> Any:
    """Return a condition with the values of what MiniStack does not know."""
    if isinstance(node, list):
        return [_decided(name, item, resolve) for item in node]
    if not isinstance(node, Mapping) or len(node) != 1:
        return node

    [(function, argument)] = node.items()
    if function in _OPERATORS:
        return {function: _decided(name, argument, resolve)}
    is_pseudo = function == "Ref" and str(argument).startswith("AWS::")
    if not is_pseudo and function not in _RESOLVED:
        return node
    if any(text in str(argument) for text in _OF_THE_STACK):
        raise ValueError(
            f"Template error: the local cloud does not know {' or '.join(_OF_THE_STACK)} in the"
            f" condition {name}"
        )
    return resolve(node)
