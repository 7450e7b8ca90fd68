"""CloudFormation's limits, and a template's rules for its parameters. Pure.

Sources: CloudFormation User Guide, "Understand CloudFormation quotas" and "Parameters"
(properties); API reference of CreateStack (StackName).
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from deploytool.core.project.packaged import local_paths
from deploytool.core.project.settings import text_of
from deploytool.core.project.template import BODY_LIMIT, DESCRIPTION_LIMIT, Template
from deploytool.core.transforms import is_expanded, transform_problems

# Section of a template -> how many entries it may have.
COUNTS = {"Parameters": 200, "Mappings": 200, "Resources": 500, "Outputs": 200}
NAME_LENGTH = 255  # characters of the name of an entry
VALUE_LIMIT = 4_096  # bytes of a parameter's value
STACK_NAME_LENGTH = 128  # characters
STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
LOGICAL_ID = re.compile(r"[A-Za-z0-9]+")


def template_problems(template: Template) -> Iterator[tuple[str, str]]:
    """Yield what CloudFormation would refuse in a template, as (key, message).

    The size is not checked: it is known only once the template is rendered.
    """
    document = template.document
    for section, limit in COUNTS.items():
        # A section without entries is None in YAML.
        entries = document.get(section) or {}
        if len(entries) > limit:
            message = f"has {len(entries)} entries; CloudFormation takes {limit} at most."
            yield section, f"{message} Split the stack in two"
        for name in entries:
            if not is_expanded(name):
                yield from _name_problem(section, str(name))

    yield from transform_problems(document)
    yield from local_paths(document)

    length = len(str(document.get("Description", "")).encode())
    if length > DESCRIPTION_LIMIT:
        yield "Description", f"{length} bytes; CloudFormation takes {DESCRIPTION_LIMIT} at most"


def _name_problem(section: str, name: str) -> Iterator[tuple[str, str]]:
    if len(name) > NAME_LENGTH:
        key = f"{section}.{name[:20]}..."
        yield key, f"is {len(name)} characters long; {NAME_LENGTH} are allowed"
        return

    # The name of a mapping is not a logical id: it may have other characters.
    if section != "Mappings" and not LOGICAL_ID.fullmatch(name):
        yield f"{section}.{name}", "a name may have letters and digits only"


def may_be_too_large(template: Template) -> bool:
    """Return whether the body must be rendered to measure it.

    Rendering takes long, and few templates come near the limit.
    """
    return template.size > BODY_LIMIT // 4 or template.has_aliases


def stack_name_problem(name: str) -> str:
    """Return what is wrong with a stack's name in CloudFormation; empty when it is valid."""
    if len(name) > STACK_NAME_LENGTH:
        return (
            f"the stack would be named {name}: {len(name)} characters,"
            f" and CloudFormation takes {STACK_NAME_LENGTH}; choose shorter names"
        )
    if not STACK_NAME.fullmatch(name):
        return (
            f"the stack would be named {name};"
            " CloudFormation takes letters, digits and hyphens only"
        )
    return ""


def value_problem(declared: Mapping[str, Any], value: str) -> str:
    """Return why a template's parameter does not take a value; empty when it does.

    `declared` is the parameter's entry below `Parameters`.
    """
    if len(value.encode()) > VALUE_LIMIT:
        return f"is longer than {VALUE_LIMIT:,} bytes"

    kind = str(declared.get("Type", "String"))
    # The value is the name of an SSM parameter. The rules are for what is stored there.
    if kind.startswith("AWS::SSM::"):
        return ""

    # CloudFormation applies the rules to each item of a list, without the spaces around it.
    items = [value]
    if kind.startswith(("List<", "CommaDelimitedList")):
        items = [item.strip() for item in value.split(",")]
    for item in items:
        problem = _item_problem(declared, kind, item)
        if problem:
            # The template's author may have written a better explanation.
            return str(declared.get("ConstraintDescription", problem))
    return ""


def _item_problem(declared: Mapping[str, Any], kind: str, value: str) -> str:
    # YAML turns true and numbers into values of their own; CloudFormation compares text.
    allowed = [text_of(choice) for choice in declared.get("AllowedValues") or []]
    if allowed and value not in allowed:
        return f"must be one of {', '.join(allowed)}"
    if "Number" in kind:  # Number or List<Number>
        return _number_problem(declared, value)

    pattern = declared.get("AllowedPattern")
    # The patterns are Java's. One that Python's re does not know is left to CloudFormation.
    with suppress(re.error):
        if pattern and not re.fullmatch(str(pattern), value):
            return f"must match {pattern}"

    if len(value) < int(declared.get("MinLength", 0)):
        return f"must have at least {declared['MinLength']} characters"
    if len(value) > int(declared.get("MaxLength", VALUE_LIMIT)):
        return f"must have at most {declared['MaxLength']} characters"
    return ""


def _number_problem(declared: Mapping[str, Any], value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return "must be a number"

    lowest = declared.get("MinValue")
    if lowest is not None and number < float(lowest):
        return f"must be at least {lowest}"
    highest = declared.get("MaxValue")
    if highest is not None and number > float(highest):
        return f"must be at most {highest}"
    return ""
