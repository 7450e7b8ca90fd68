"""CloudFormation's limits, and a template's rules for its parameters. Pure.

Sources: CloudFormation User Guide, "Understand CloudFormation quotas" and "Parameters"
(properties); API reference of CreateStack (StackName).
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from deploytool.core.project.settings import text_of
from deploytool.core.project.template import BODY_LIMIT, DESCRIPTION_LIMIT, Template

COUNTS = {"Parameters": 200, "Mappings": 200, "Resources": 500, "Outputs": 200}
NAME_LENGTH = 255  # characters of the name of any of these
VALUE_LIMIT = 4_096  # bytes of a parameter's value
STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
LOGICAL_ID = re.compile(r"[A-Za-z0-9]+")


def template_problems(template: Template) -> Iterator[tuple[str, str]]:
    """Yield what CloudFormation would refuse in a template, as (key, message).

    The size is not checked: it is known only once the template is rendered.
    """
    document = template.document
    for section, limit in COUNTS.items():
        names = [str(name) for name in document.get(section) or {}]
        if len(names) > limit:
            yield (
                section,
                f"has {len(names)} entries; CloudFormation takes {limit} at most. Split the stack in two",
            )
        for name in names:
            if len(name) > NAME_LENGTH:
                yield (
                    f"{section}.{name[:20]}...",
                    f"is {len(name)} characters long; {NAME_LENGTH} are allowed",
                )
            elif not LOGICAL_ID.fullmatch(name) and section != "Mappings":
                yield f"{section}.{name}", "a name may have letters and digits only"
    length = len(str(document.get("Description", "")).encode())
    if length > DESCRIPTION_LIMIT:
        yield "Description", f"{length} bytes; CloudFormation takes {DESCRIPTION_LIMIT} at most"


def may_be_too_large(template: Template) -> bool:
    """Return whether the body must be rendered to measure it.

    Rendering takes long, and few templates come near the limit.
    """
    return template.size > BODY_LIMIT // 4


def stack_name_problem(name: str) -> str:
    """Return what is wrong with a stack's name in CloudFormation; empty when it is valid."""
    if len(name) > 128:
        return f"the stack would be named {name}: {len(name)} characters, and CloudFormation takes 128; choose shorter names"
    if not STACK_NAME.fullmatch(name):
        return f"the stack would be named {name}; CloudFormation takes letters, digits and hyphens only"
    return ""


def value_problem(declared: Mapping[str, Any], value: str) -> str:
    """Return why a template's parameter does not take a value; empty when it does.

    `declared` is the parameter's entry below `Parameters`.
    """
    kind = str(declared.get("Type", "String"))
    if len(value.encode()) > VALUE_LIMIT:
        return f"is longer than {VALUE_LIMIT:,} bytes"
    if kind.startswith("AWS::SSM::"):  # the value is a key; the rules are for what is stored there
        return ""

    parts = [value]
    if kind.startswith(("List<", "CommaDelimitedList")):
        parts = [part.strip() for part in value.split(",")]
    for part in parts:
        if problem := _part_problem(declared, kind, part):
            return str(declared.get("ConstraintDescription", problem))
    return ""


def _part_problem(declared: Mapping[str, Any], kind: str, value: str) -> str:
    allowed = [text_of(each) for each in declared.get("AllowedValues") or []]
    if allowed and value not in allowed:
        return f"must be one of {', '.join(allowed)}"
    if "Number" in kind:
        return _number_problem(declared, value)
    pattern = declared.get("AllowedPattern")
    # A pattern of Java's that Python's re does not know is left to CloudFormation
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
    low, high = declared.get("MinValue"), declared.get("MaxValue")
    if low is not None and number < float(low):
        return f"must be at least {low}"
    if high is not None and number > float(high):
        return f"must be at most {high}"
    return ""
