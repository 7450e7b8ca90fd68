"""YAML as CloudFormation reads it, and as it must be written for it. Pure.

This is the only module of the core that knows YAML.

CloudFormation reads YAML 1.1 without aliases and without merges of mappings (User Guide, "Template
format"; coverage-roadmap issue 613). What is sent has neither, so templates may use them.

A reader of YAML decides by a scalar's form whether it is text or a number, and readers differ:
PyYAML writes "098765432109" without quotes because it reads it as text, and CloudFormation takes
that for a number (aws-cli issues 3991 and 6908). So text is written without quotes only when no
reader can take it for anything else. A number is written as its author wrote it.
"""

import re
from collections.abc import Sequence
from typing import Any

import yaml

from deploytool.core.errors import InputError, InputProblem

# The loader and the dumper in C are several times as fast. PyYAML has them where it was built with
# libyaml.
try:
    from yaml import CSafeDumper as _SafeDumper
    from yaml import CSafeLoader as _SafeLoader
except ImportError:
    from yaml import SafeDumper as _SafeDumper  # type: ignore[assignment]
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

# Aliases can make a small file a huge document ("billion laughs"). This is several times what fits
# into a template, whose body has 51,200 bytes.
MOST_NODES = 250_000
# Levels of mappings and lists in each other. What reads a document goes down level by level, and
# Python's stack ends at about a thousand calls. No template needs as many.
MOST_LEVELS = 64
MOST_DIGITS = 1000  # of a whole number; Python converts at most 4,300

_STANDARD = "tag:yaml.org,2002:"
# These are not supported (User Guide, "Template format").
UNSUPPORTED = ("binary", "omap", "pairs", "set")

# Text that every reader takes for text when it has no quotes: it begins as no number does.
_PLAIN = re.compile(r"[A-Za-z/$][^\r\n]*")
# Words that some reader takes for true, false or nothing (YAML 1.1, types bool and null).
_WORDS = frozenset(
    ["y", "yes", "n", "no", "true", "false", "on", "off", "null", "nan", "inf", "infinity"]
)


class WrittenInt(int):
    """A whole number that its author wrote in another form, like 012 or 1:30.

    As text it is what was written.
    """

    written: str

    def __str__(self) -> str:
        return self.written


class WrittenFloat(float):
    """A number that its author wrote in another form, like 1.10. As text it is what was written."""

    written: str

    def __str__(self) -> str:
        return self.written


class _Loader(_SafeLoader):
    """YAML as CloudFormation reads it: short tags, dates as text, and no key twice."""


class _Dumper(_SafeDumper):
    """YAML without aliases, in which text stays text."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # the base class's
        return True


def load_yaml(text: str, file: str) -> Any:  # noqa: ANN401  # a YAML document is any value; callers check its shape
    """Parse YAML (CloudFormation's short tags allowed). Raises InputError that names the line.

    Aliases and merged mappings are resolved.
    """
    try:
        if has_aliases(text):
            _check_size(text)
        document = yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader with CloudFormation's tags
    except RecursionError as error:
        raise _too_deep(file) from error
    except yaml.YAMLError as error:
        # PyYAML writes the position on a line of its own.
        message = " ".join(str(error).split())
        raise InputError([InputProblem(file, "", f"not valid YAML: {message}")]) from error
    if not _is_shallow(document):
        raise _too_deep(file)
    return document


def comments_of(text: str, section: str) -> dict[str, str]:
    """Return what the comments of a file say of each entry of a section at its top.

    That is the comment after the entry, on its line, else the lines of comments right above it. An
    entry without either is left out. The text must be valid YAML.
    """
    root = yaml.compose(text, Loader=_Loader)
    if not isinstance(root, yaml.MappingNode):
        return {}

    lines = text.splitlines()
    comments: dict[str, str] = {}
    for key, section_node in root.value:
        if key.value != section or not isinstance(section_node, yaml.MappingNode):
            continue
        for name, value in section_node.value:
            after = lines[value.end_mark.line][value.end_mark.column :].strip()
            # The mark of a list or a mapping in several lines may be on the next entry's line
            is_same_line = value.end_mark.line == name.start_mark.line
            if is_same_line and after.startswith("#"):
                comment = after.lstrip("# ")
            else:
                comment = _comment_above(lines, name.start_mark.line)
            if comment:
                comments[str(name.value)] = comment
    return comments


def _comment_above(lines: Sequence[str], line: int) -> str:
    """Return the comment in the lines right above a line, as one line."""
    above: list[str] = []
    while line > 0 and lines[line - 1].lstrip().startswith("#"):
        line -= 1
        above.insert(0, lines[line].strip().lstrip("# "))
    return " ".join(above)


def _too_deep(file: str) -> InputError:
    message = f"is nested too deeply: at most {MOST_LEVELS} levels of mappings and lists are read"
    return InputError([InputProblem(file, "", message)])


def _is_shallow(document: object) -> bool:
    """Return whether a document has at most MOST_LEVELS levels of mappings and lists."""
    level = [document]
    for _ in range(MOST_LEVELS):
        below: list[object] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
        level = below
    return not any(isinstance(value, dict | list) for value in level)


def dump_yaml(document: object, *, compact: bool = False) -> str:
    """Return a document as YAML for CloudFormation; a compact one has no lines and indentation."""
    # In wide lines: each line that is broken costs bytes for its indentation.
    width = 1_000_000 if compact else 1000
    return yaml.dump(
        document,
        Dumper=_Dumper,
        sort_keys=False,
        width=width,
        default_flow_style=compact,
        allow_unicode=compact,
    )


def has_aliases(text: str) -> bool:
    """Return whether a text may have aliases, with which the document is larger than the text."""
    return re.search(r"(?:^|[\s\[{,])\*[^\s,\]}*]", text) is not None


def _check_size(text: str) -> None:
    """Raise ConstructorError when a document has too many nodes once its aliases are resolved."""
    root = yaml.compose(text, Loader=_Loader)
    if root is None:
        return
    size = _resolved_size(root, {})
    if size > MOST_NODES:
        message = f"its aliases make it {size:,} values long, and {MOST_NODES:,} are too many"
        raise yaml.constructor.ConstructorError(None, None, message, root.start_mark)


def _resolved_size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Return the number of nodes below a node, and itself; each alias counts in full."""
    known = sizes.get(id(node))
    if known is not None:
        return known

    # A node that contains itself is refused by the constructor.
    sizes[id(node)] = 1
    children: list[yaml.Node] = []
    if isinstance(node, yaml.SequenceNode):
        children = node.value
    elif isinstance(node, yaml.MappingNode):
        children = [child for pair in node.value for child in pair]
    sizes[id(node)] = 1 + sum(_resolved_size(child, sizes) for child in children)
    return sizes[id(node)]


def _tag(loader: _Loader, suffix: str, node: yaml.Node) -> object:
    """Return the long form of a short tag: `!Sub x` becomes {"Fn::Sub": "x"}."""
    # These two have no prefix in their long form.
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"

    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            # `!GetAtt Resource.Attribute`: the attribute may contain dots.
            value = value.split(".", 1)
        return {name: value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)  # noqa: S101  # for the type checker: there is no fourth kind of node
    return {name: _mapping(loader, node)}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    """Return a mapping. Raises ConstructorError for a repeated key: PyYAML would keep the last.

    A key of its own overrides one that is merged in (`<<`). Every key is a text, as in JSON: 012 and
    true are what was written.
    """
    keys: set[str] = set()
    for key_node, _ in node.value:
        if key_node.tag == f"{_STANDARD}merge":
            continue
        if not isinstance(key_node, yaml.ScalarNode):
            message = "a key must be a text, and no list or mapping"
            raise yaml.constructor.ConstructorError(None, None, message, key_node.start_mark)
        key_node.tag = f"{_STANDARD}str"
        key = key_node.value
        if key in keys:
            message = f"key '{key}' is listed twice"
            raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
        keys.add(key)
    return loader.construct_mapping(node, deep=True)


def _sequence(loader: _Loader, node: yaml.SequenceNode) -> list[Any]:
    return loader.construct_sequence(node, deep=True)


def _int(loader: _Loader, node: yaml.ScalarNode) -> int:
    if len(node.value) > MOST_DIGITS:
        message = f"a number of {len(node.value):,} digits; put quotes around a text"
        raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
    number = loader.construct_yaml_int(node)
    if str(number) == node.value:
        return number
    written = WrittenInt(number)
    written.written = node.value
    return written


def _float(loader: _Loader, node: yaml.ScalarNode) -> float:
    number = loader.construct_yaml_float(node)
    if str(number) == node.value:
        return number
    written = WrittenFloat(number)
    written.written = node.value
    return written


def _unsupported(_loader: _Loader, node: yaml.Node) -> object:
    kind = node.tag.removeprefix(_STANDARD)
    message = f"CloudFormation does not support !!{kind}"
    raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return dumper.represent_scalar(f"{_STANDARD}str", text, style=None if is_plain else "'")


def _written_int(dumper: _Dumper, number: WrittenInt) -> yaml.ScalarNode:
    return dumper.represent_scalar(f"{_STANDARD}int", number.written)


def _written_float(dumper: _Dumper, number: WrittenFloat) -> yaml.ScalarNode:
    return dumper.represent_scalar(f"{_STANDARD}float", number.written)


_Loader.add_multi_constructor("!", _tag)
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_SEQUENCE_TAG, _sequence)
_Loader.add_constructor(f"{_STANDARD}int", _int)
_Loader.add_constructor(f"{_STANDARD}float", _float)
for _kind in UNSUPPORTED:
    _Loader.add_constructor(f"{_STANDARD}{_kind}", _unsupported)

# Dates stay text, like the version of a policy (2012-10-17). The resolvers are the patterns that give
# a scalar another type than text, by its first character. PyYAML's own dictionary is not changed.
_Loader.yaml_implicit_resolvers = {}
for _first, _resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items():
    _Loader.yaml_implicit_resolvers[_first] = [
        resolver for resolver in _resolvers if resolver[0] != f"{_STANDARD}timestamp"
    ]

_Dumper.add_representer(str, _text)
_Dumper.add_representer(WrittenInt, _written_int)
_Dumper.add_representer(WrittenFloat, _written_float)
