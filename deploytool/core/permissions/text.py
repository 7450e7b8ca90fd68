"""The texts that a value of a template can have, with `*` for what is not known. Pure."""

import re
from collections.abc import Mapping
from itertools import product

# A placeholder of Fn::Sub. `${!Name}` is the escape that gives the text `${Name}`.
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")
UNKNOWN = "*"


def texts_of(value: object, known: Mapping[str, str]) -> tuple[str, ...]:
    """Return every text that a value may have; one for each branch of Fn::If.

    `known` are the values of parameters and pseudo parameters. What is not among them is `*`.
    """
    texts: tuple[str, ...] = (UNKNOWN,)
    match value:
        case None | {"Ref": "AWS::NoValue"}:
            texts = ()
        case {"Ref": str(name)}:
            texts = (known.get(name, UNKNOWN),)
        case {"Fn::Sub": str(text)}:
            texts = _substituted(text, {}, known)
        case {"Fn::Sub": [str(text), Mapping() as variables]}:
            texts = _substituted(text, variables, known)
        case {"Fn::Join": [str(delimiter), list(parts)]}:
            choices = [texts_of(part, known) for part in parts]
            texts = tuple(delimiter.join(chosen) for chosen in product(*choices))
        case {"Fn::If": [_, if_true, if_false]}:
            texts = (*texts_of(if_true, known), *texts_of(if_false, known))
        case str() | int() | float():
            texts = (str(value),)
    return texts


def _substituted(
    text: str, variables: Mapping[str, object], known: Mapping[str, str]
) -> tuple[str, ...]:
    pieces: list[tuple[str, ...]] = []
    end = 0
    for placeholder in _PLACEHOLDER.finditer(text):
        pieces.append((text[end : placeholder.start()],))
        end = placeholder.end()
        escape, name = placeholder.groups()
        if escape:
            pieces.append(("${" + name + "}",))
        elif name in variables:
            pieces.append(texts_of(variables[name], known))
        else:
            pieces.append((known.get(name, UNKNOWN),))
    pieces.append((text[end:],))
    return tuple("".join(chosen) for chosen in product(*pieces))
