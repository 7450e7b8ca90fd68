"""Mutations of texts and documents. Pure: the same random numbers give the same mutations."""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

Document = Any  # what YAML and JSON can say
Parent = Any  # a mapping or a list
Key = Any  # a key of a mapping, or an index of a list
Place = tuple[Parent, Key]

# What parsers, terminals, GitHub's runner and templates take for something else than text
TOKENS = (
    "\0", "\x1b[31m", "\x1b]0;title\x07", "\r", "\n", "\n::error::x\n", "\n::set-output name=a::b\n",
    "\u202e", "\ufeff",
    "\u2028", "\x85", "\x9b1m", "\x7f", "\t", "&a ", "*a", "<<: ", "!!python/object:os.system ", "!Ref ", "!Sub ",
    "!GetAtt ", "%YAML 9.9\n", "---\n", "...\n", "{{", "}}", "${", "}", "[", "]", "{", "}", "'", '"', "'''",
    '"""', ":",
    ": ", "#", "- ", "? ", "|", ">", "@", "`", "=", "null", "~", "true", "yes", "NaN", ".inf", "-0", "1e999", "0x1F",
    "0o17", "1_000", "99999999999999999999", "2026-01-01", "2026-01-01T00:00:00Z", "../", "/etc/passwd",
    "\\", "\\u0000",
    "[red]", "[/]", "[link=http://x.invalid]", "<script>", "&lt;", "|x|", "://", "*", "é", "日本", "😀", "a" * 300,
)  # fmt: skip
BAD_BYTES = (b"\xff", b"\xfe", b"\xc3", b"\x80", b"\xed\xa0\x80", b"\x00", b"\xef\xbb\xbf")
VALUES: tuple[Document, ...] = (
    None, True, False, 0, -1, 1.5, 10**30, float("nan"), float("inf"), "", " ", "null", "0", "\0", "\x1b[31m", "a\nb",
    "x" * 5000, "é", "::error::x", "${Nope}", "{{resolve:ssm:x}}", "*", [], {}, [[]], [None], {"": None},
    {"a": {"b": []}},
    ["a", "a"], {"Ref": "Nope"}, {"Ref": 1}, {"Fn::GetAtt": []}, {"Fn::Sub": {}}, {"Fn::If": ["a"]},
    {"Fn::Join": "x"},
    {"setting": "nope"}, {"output": "a"}, {"output": "a.b.c"}, {"setting": 1}, [{}] * 40,
)  # fmt: skip
DEPTH = 100  # levels of a value that is nested deeply


def mutate_text(text: bytes, random: Random) -> bytes:
    """Return a text after one to four mutations of its bytes, words or lines."""
    for _ in range(random.randint(1, 4)):
        text = random.choice(_OF_TEXT)(text, random)
    return text


def _insert_token(text: bytes, random: Random) -> bytes:
    at = random.randint(0, len(text))
    return text[:at] + random.choice(TOKENS).encode() + text[at:]


def _insert_bytes(text: bytes, random: Random) -> bytes:
    at = random.randint(0, len(text))
    return text[:at] + random.choice(BAD_BYTES) + text[at:]


def _flip(text: bytes, random: Random) -> bytes:
    if not text:
        return text
    at = random.randrange(len(text))
    return text[:at] + bytes([text[at] ^ (1 << random.randrange(8))]) + text[at + 1 :]


def _delete(text: bytes, random: Random) -> bytes:
    at = random.randint(0, len(text))
    return text[:at] + text[at + random.randint(1, 40) :]


def _truncate(text: bytes, random: Random) -> bytes:
    return text[: random.randint(0, len(text))]


def _repeat(text: bytes, random: Random) -> bytes:
    at = random.randint(0, len(text))
    span = text[at : at + random.randint(1, 200)]
    return text[:at] + span * random.choice((2, 2, 2, 50)) + text[at:]


def _replace_word(text: bytes, random: Random) -> bytes:
    words = text.split(b" ")
    words[random.randrange(len(words))] = random.choice(TOKENS).encode()
    return b" ".join(words)


def _replace_value(text: bytes, random: Random) -> bytes:
    """Replace what follows a `=` or a `:` on a line, as TOML and YAML have it."""
    lines = text.split(b"\n")
    chosen = random.randrange(len(lines))
    for separator in (b"=", b":"):
        key, found, _ = lines[chosen].partition(separator)
        if found:
            value = json.dumps(random.choice(VALUES)).encode()
            lines[chosen] = key + separator + b" " + value
            break
    return b"\n".join(lines)


def _move_line(text: bytes, random: Random) -> bytes:
    lines = text.split(b"\n")
    line = lines.pop(random.randrange(len(lines)))
    lines.insert(random.randint(0, len(lines)), line)
    return b"\n".join(lines)


def _double_line(text: bytes, random: Random) -> bytes:
    lines = text.split(b"\n")
    at = random.randrange(len(lines))
    return b"\n".join([*lines[:at], lines[at], *lines[at:]])


def _indent_line(text: bytes, random: Random) -> bytes:
    lines = text.split(b"\n")
    at = random.randrange(len(lines))
    lines[at] = random.choice((b" ", b"  ", b"\t", b"    ")) + lines[at]
    return b"\n".join(lines)


_OF_TEXT: Sequence[Callable[[bytes, Random], bytes]] = (
    _insert_token,
    _insert_bytes,
    _flip,
    _delete,
    _truncate,
    _repeat,
    _replace_word,
    _replace_value,
    _replace_value,
    _move_line,
    _double_line,
    _indent_line,
)


def mutate_document(document: Document, random: Random) -> Document:
    """Return a copy of a document after one to three mutations of its values and keys."""
    changed = deepcopy(document)
    for _ in range(random.randint(1, 3)):
        places = _places(changed)
        if places:
            parent, key = random.choice(places)
            random.choice(_OF_DOCUMENT)(parent, key, random)
    return changed


def _places(document: Document) -> list[Place]:
    """Return each value of a document as the mapping or list that has it, and its key."""
    found: list[Place] = []
    waiting = [document]
    while waiting:
        parent = waiting.pop()
        if isinstance(parent, dict):
            children = list(parent.items())
        elif isinstance(parent, list):
            children = list(enumerate(parent))
        else:
            continue
        for key, child in children:
            found.append((parent, key))
            waiting.append(child)
    return found


def _replace(parent: Parent, key: Key, random: Random) -> None:
    parent[key] = deepcopy(random.choice(VALUES))


def _remove(parent: Parent, key: Key, random: Random) -> None:  # noqa: ARG001  # as the others
    del parent[key]


def _rename(parent: Parent, key: Key, random: Random) -> None:
    if isinstance(parent, dict):
        value = parent.pop(key)
        parent[random.choice(("", "x", f"{key}s", str(key).upper(), "\x1b[1m", "a\nb", "ü"))] = (
            value
        )


def _add(parent: Parent, key: Key, random: Random) -> None:
    value = deepcopy(random.choice(VALUES))
    if isinstance(parent, dict):
        parent[random.choice(("", "x", f"{key}2", "Fn::Transform", "\n::error::"))] = value
    else:
        parent.append(value)


def _wrap(parent: Parent, key: Key, random: Random) -> None:
    value = parent[key]
    parent[key] = [value] if random.random() < 0.5 else {"x": value}


def _nest(parent: Parent, key: Key, random: Random) -> None:
    value = parent[key]
    is_list = random.random() < 0.5
    for _ in range(random.choice((5, 30, DEPTH))):
        value = [value] if is_list else {"a": value}
    parent[key] = value


def _exchange(parent: Parent, key: Key, random: Random) -> None:
    keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
    other = random.choice(keys)
    parent[key], parent[other] = parent[other], parent[key]


def _alter_text(parent: Parent, key: Key, random: Random) -> None:
    if isinstance(parent[key], str):
        text = mutate_text(parent[key].encode(errors="surrogatepass"), random)
        parent[key] = text.decode(errors="replace")


_OF_DOCUMENT: Sequence[Callable[[Any, Any, Random], None]] = (
    _replace,
    _replace,
    _remove,
    _rename,
    _add,
    _wrap,
    _nest,
    _exchange,
    _alter_text,
)
