"""Reads and writes frozen dataclasses as JSON documents. Pure.

The only module of the core that knows msgspec. A class that is one of several carries its name in
the document's `type`: FaultInjected is `fault_injected`. So the names of such classes are part of
the format of a file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")


def type_name(kind: type) -> str:
    """Return the name of a class in a document, like fault_injected."""
    name = ""
    for letter in kind.__name__:
        if letter.isupper() and name:
            name += "_"
        name += letter.lower()
    return name


def by_type_name(kinds: Iterable[type[T]]) -> dict[str, type[T]]:
    """Return classes by their names in a document."""
    return {type_name(kind): kind for kind in kinds}


def encode_typed(value: "DataclassInstance") -> dict[str, Any]:
    """Return a dataclass as a document: its `type`, then its fields."""
    return {"type": type_name(type(value)), **asdict(value)}


def decode_typed(kinds: Mapping[str, type[T]], document: object) -> T:
    """Return the value that `encode_typed` wrote, of one of `kinds`.

    Raises ValueError like `decode`, also for a missing or unknown `type`.
    """
    if not isinstance(document, dict):
        raise ValueError("it is not an object")  # noqa: TRY004  # every problem is a ValueError
    fields = dict(document)
    name = fields.pop("type", None)
    if not isinstance(name, str) or name not in kinds:
        raise ValueError(f"unknown type {name!r}")
    return decode(kinds[name], fields)


def decode(kind: type[T], document: object) -> T:
    """Return a JSON document as a value of a dataclass, and of the classes of its fields.

    Raises ValueError that names the field when one is missing or unknown, or has another type.
    """
    # The import takes 30 ms. Commands that read no such document do not pay for it.
    import msgspec  # noqa: PLC0415

    try:
        value = msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error

    # msgspec skips unknown fields of dataclasses. They come from a newer version, which may mean
    # something else by the fields that are known.
    unknown = _unknown_fields(document, msgspec.to_builtins(value))
    if unknown:
        raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
    return value


def _unknown_fields(document: object, known: object) -> set[str]:
    """Return the keys of a document that the value decoded from it does not have."""
    unknown: set[str] = set()
    if isinstance(document, dict) and isinstance(known, dict):
        unknown |= document.keys() - known.keys()
        for name in document.keys() & known.keys():
            unknown |= _unknown_fields(document[name], known[name])
    elif isinstance(document, list) and isinstance(known, list | tuple):
        for document_item, known_item in zip(document, known, strict=True):
            unknown |= _unknown_fields(document_item, known_item)
    return unknown
