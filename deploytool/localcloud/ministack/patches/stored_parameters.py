"""DescribeStacks of a stack whose parameters are names in Parameter Store.

Source: CloudFormation API reference, Parameter: `ParameterValue` is the input, the name, and
`ResolvedValue` the value that corresponds to it, for Systems Manager parameter types only.
"""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, fromstring, register_namespace, tostring

from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "CloudFormation:DescribeStacks": "the stored value is shown in place of the parameter's name",
}

_NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
# The key with which MiniStack keeps the name of a stored parameter beside its value
_NAME = "SsmName"


def install(patcher: Patcher) -> None:
    """Show the name and the value of a stored parameter."""
    cloudformation = patcher.ministack.cloudformation
    describe_original = cloudformation._ACTION_HANDLERS["DescribeStacks"]

    def describe_stacks(params: Mapping[str, Any]) -> Any:
        status, headers, body = describe_original(params)
        names = _names_by_stack(cloudformation._stacks)
        if status != 200 or not names:
            return status, headers, body
        return status, headers, _with_resolved_values(body, names)

    patcher.replace_action("DescribeStacks", describe_stacks)


def _names_by_stack(stacks: Any) -> dict[str, dict[str, str]]:
    """Return the names of the stored parameters of each stack that has any, by its id."""
    names: dict[str, dict[str, str]] = {}
    for stack in list(stacks.values()):
        for key, parameter in (stack.get("_resolved_params") or {}).items():
            if isinstance(parameter, Mapping) and _NAME in parameter:
                names.setdefault(stack["StackId"], {})[key] = parameter[_NAME]
    return names


def _with_resolved_values(body: Any, names: Mapping[str, Mapping[str, str]]) -> bytes:
    """Return the answer with names as values, and the values beside them."""
    register_namespace("", _NAMESPACE)
    document = fromstring(body)  # noqa: S314  # MiniStack wrote it
    for stack in document.iterfind(f".//{{{_NAMESPACE}}}Stacks/{{{_NAMESPACE}}}member"):
        own_names = names.get(_text(stack, "StackId"), {})
        for parameter in stack.iterfind(f"{{{_NAMESPACE}}}Parameters/{{{_NAMESPACE}}}member"):
            name = own_names.get(_text(parameter, "ParameterKey"))
            value = parameter.find(f"{{{_NAMESPACE}}}ParameterValue")
            if name is None or value is None:
                continue
            SubElement(parameter, f"{{{_NAMESPACE}}}ResolvedValue").text = value.text
            value.text = name
    answer: bytes = tostring(document, encoding="utf-8", xml_declaration=True)
    return answer


def _text(element: Element, name: str) -> str:
    return element.findtext(f"{{{_NAMESPACE}}}{name}") or ""
