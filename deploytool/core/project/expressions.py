"""CloudFormation's functions: their values, their references, and how a reference is renamed. Pure.

A value is known, absent (`AWS::NoValue`) or unknown. A value is unknown when it depends on a
resource, on a pseudo parameter, on a parameter that is not known yet, or on a function that is not
evaluated here.
A condition is True, False or None (unknown), by Kleene's three-valued logic: a result that is known
stays the same whatever the unknown values turn out to be.

Sources: CloudFormation User Guide, "Intrinsic function reference" and "Condition functions".
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from deploytool.core.project.settings import text_of

# A placeholder of Fn::Sub. `${!Name}` is the escape that gives the text `${Name}`.
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")
# The value of such a parameter is the name of an SSM parameter. A Ref gives what is stored there.
_SSM_VALUE = "AWS::SSM::Parameter::Value"


class Marker(Enum):
    """What an expression gives when it gives no value."""

    ABSENT = "absent"
    UNKNOWN = "unknown"


ABSENT = Marker.ABSENT
UNKNOWN = Marker.UNKNOWN


def negation(condition: bool | None) -> bool | None:  # noqa: FBT001  # the operand
    """Return Kleene's NOT: the opposite, or None when the condition is unknown."""
    if condition is None:
        return None
    return not condition


def conjunction(conditions: Iterable[bool | None]) -> bool | None:
    """Return Kleene's AND: one False decides, otherwise one unknown leaves the result unknown."""
    operands = list(conditions)
    if False in operands:
        return False
    if None in operands:
        return None
    return True


def disjunction(conditions: Iterable[bool | None]) -> bool | None:
    """Return Kleene's OR: one True decides, otherwise one unknown leaves the result unknown."""
    return negation(conjunction(negation(condition) for condition in conditions))


class Evaluator:
    """Evaluates the expressions of one template with given parameters.

    A parameter that is not known yet is None. A default applies to a parameter that is not given.
    """

    def __init__(self, document: Mapping[str, Any], parameters: Mapping[str, str | None]) -> None:
        self._parameters: dict[str, str | None] = {}
        self._conditions: Mapping[str, Any] = document.get("Conditions") or {}

        declared: Mapping[str, Any] = document.get("Parameters") or {}
        for name, spec in declared.items():
            if "Default" in spec:
                self._parameters[name] = text_of(spec["Default"])
        self._parameters.update(parameters)
        for name, spec in declared.items():
            if str(spec.get("Type", "")).startswith(_SSM_VALUE):
                self._parameters[name] = None

    def has_resource(self, spec: Mapping[str, Any]) -> bool | None:
        """Return whether a resource's own condition is true; None when it is unknown."""
        name = spec.get("Condition")
        return True if name is None else self.condition(name)

    def value(self, expression: Any) -> Any:  # noqa: ANN401, PLR0911  # any node of a template; one return a function
        """Return the value of a node: a scalar, list or mapping, ABSENT or UNKNOWN.

        Lists and mappings leave out what is absent and hold UNKNOWN where a part is unknown.
        """
        match expression:
            case {"Ref": str(name)} if len(expression) == 1:
                return self._ref(name)
            case {"Fn::Sub": argument} if len(expression) == 1:
                return self._sub(argument)
            case {"Fn::Join": [str(delimiter), list(parts)]} if len(expression) == 1:
                return self._join(delimiter, parts)
            case {"Fn::If": [condition, if_true, if_false]} if len(expression) == 1:
                return self._if(condition, if_true, if_false)
            case Mapping() if _is_function(expression):
                return UNKNOWN
            case Mapping():
                return self._properties(expression)
            case list():
                items = map(self.value, expression)
                return [item for item in items if item is not ABSENT]
        return expression

    def _properties(self, mapping: Mapping[Any, Any]) -> dict[Any, Any]:
        properties: dict[Any, Any] = {}
        for key, part in mapping.items():
            value = self.value(part)
            # CloudFormation removes a property with AWS::NoValue.
            if value is not ABSENT:
                properties[key] = value
        return properties

    def condition(self, expression: object) -> bool | None:
        """Return whether a condition, named or written out, is true; None when it is unknown."""
        return self._condition(expression, frozenset())

    def _ref(self, name: str) -> str | Marker:
        if name == "AWS::NoValue":
            return ABSENT
        value = self._parameters.get(name)
        if value is None:
            return UNKNOWN
        return value

    def _sub(self, argument: object) -> str | Marker:
        variables: Mapping[str, Any] = {}
        match argument:
            case str(text):
                pass
            case [str(text), Mapping() as variables]:
                pass
            case _:
                return UNKNOWN

        pieces: list[str] = []
        end = 0
        for placeholder in _PLACEHOLDER.finditer(text):
            pieces.append(text[end : placeholder.start()])
            end = placeholder.end()
            escape, name = placeholder.groups()
            if escape:
                pieces.append("${" + name + "}")
                continue
            value = self.value(variables[name]) if name in variables else self._ref(name)
            if not isinstance(value, str | int | float):
                return UNKNOWN
            pieces.append(text_of(value))
        pieces.append(text[end:])
        return "".join(pieces)

    def _join(self, delimiter: str, parts: Sequence[object]) -> str | Marker:
        values = [self.value(part) for part in parts]
        if not all(isinstance(value, str | int | float) for value in values):
            return UNKNOWN
        return delimiter.join(map(text_of, values))

    def _if(self, condition: object, if_true: object, if_false: object) -> Any:  # noqa: ANN401  # as `value`
        met = self.condition(condition)
        if met is not None:
            return self.value(if_true if met else if_false)

        # The condition does not matter where both branches give the same.
        first = self.value(if_true)
        if is_known(first) and first == self.value(if_false):
            return first
        return UNKNOWN

    def _condition(  # noqa: PLR0911  # one return a function
        self, expression: object, visited: frozenset[str]
    ) -> bool | None:
        match expression:
            case str(name) | {"Condition": str(name)}:
                # CloudFormation refuses a circle of conditions, so its value is never needed.
                if name in visited or name not in self._conditions:
                    return None
                return self._condition(self._conditions[name], visited | {name})
            case {"Fn::Equals": [left, right]}:
                return self._equals(left, right)
            case {"Fn::Not": [operand]}:
                return negation(self._condition(operand, visited))
            case {"Fn::And": list(operands)}:
                return conjunction(self._condition(operand, visited) for operand in operands)
            case {"Fn::Or": list(operands)}:
                return disjunction(self._condition(operand, visited) for operand in operands)
        return None

    def _equals(self, left: object, right: object) -> bool | None:
        values = [self.value(left), self.value(right)]
        if not all(isinstance(value, str | int | float) for value in values):
            return None
        # CloudFormation compares text: `true` in YAML equals the parameter value "true".
        return text_of(values[0]) == text_of(values[1])


def is_known(value: object) -> bool:
    """Return whether a value of `Evaluator.value` holds no UNKNOWN. An absent value is known."""
    match value:
        case Mapping():
            return all(is_known(part) for part in value.values())
        case list():
            return all(is_known(item) for item in value)
    return value is not UNKNOWN


def known_parts(value: Any) -> Any:  # noqa: ANN401  # as `Evaluator.value`
    """Return a value without its unknown parts; None when it is unknown or absent itself."""
    match value:
        case Mapping():
            return {key: known_parts(part) for key, part in value.items() if part is not UNKNOWN}
        case list():
            return [known_parts(item) for item in value if item is not UNKNOWN]
        case Marker():
            return None
    return value


def refers_to(expression: object, names: Collection[str]) -> bool:
    """Return whether a node uses one of these parameters, resources or conditions."""
    return any(name in names for name in references(expression))


def references(expression: object) -> Iterator[str]:
    """Yield the parameters, resources and conditions that a node of a template uses."""
    if isinstance(expression, list):
        for item in expression:
            yield from references(item)
    elif isinstance(expression, Mapping):
        for key, part in expression.items():
            yield from _named_by(str(key), part)
            yield from references(part)


def _named_by(function: str, argument: object) -> Iterator[str]:
    """Yield the names that a function gives as text, beside the references in its arguments."""
    match function, argument:
        case (("Ref" | "Condition"), str(name)):
            yield name
        case (("Fn::GetAtt" | "Fn::If"), [str(name), *_]):
            yield name
        case "Fn::GetAtt", str(name):
            yield _resource(name)
        case ("Fn::Sub", str(text)) | ("Fn::Sub", [str(text), *_]):
            for escape, name in _PLACEHOLDER.findall(text):
                if name and not escape:
                    yield _resource(name)


def rename_reference(expression: Any, old: str, new: str) -> Any:  # noqa: ANN401  # any node of a template
    """Return a node with each reference to a resource renamed: Ref, GetAtt, Sub and DependsOn.

    Nothing is evaluated, so it makes no difference which values are unknown.
    """
    if isinstance(expression, list):
        return [rename_reference(item, old, new) for item in expression]
    if not isinstance(expression, Mapping):
        return expression

    renames = {old: new}
    renamed: dict[Any, Any] = {}
    for key, part in expression.items():
        match key, part:
            case ("Ref" | "DependsOn", str(name)):
                renamed[key] = renames.get(name, name)
            case "DependsOn", list(names):
                renamed[key] = [renames.get(name, name) for name in names]
            case "Fn::GetAtt", [str(name), *attributes]:
                renamed[key] = [renames.get(name, name), *attributes]
            case "Fn::Sub", str(text):
                renamed[key] = _rename_placeholders(text, old, new)
            case "Fn::Sub", [str(text), variables]:
                text = _rename_placeholders(text, old, new)
                renamed[key] = [text, rename_reference(variables, old, new)]
            case _:
                renamed[key] = rename_reference(part, old, new)
    return renamed


def _rename_placeholders(text: str, old: str, new: str) -> str:
    # A placeholder ends after the name, or continues with an attribute.
    return re.sub(r"\$\{" + re.escape(old) + r"(?=[.}])", "${" + new, text)


def _resource(name: str) -> str:
    """Return the resource that `Resource.Attribute` names."""
    return name.partition(".")[0]


def _is_function(expression: Mapping[Any, Any]) -> bool:
    """Return whether a mapping is a function with its argument, and not a mapping of properties."""
    if len(expression) != 1:
        return False
    (key,) = expression
    return key == "Ref" or str(key).startswith("Fn::")
