"""The user's own tags, which every stack and its resources get. Pure.

CloudFormation gives the tags of a stack to its resources (User Guide, "Resource tag"). The rules are
the narrowest of the services, so that no resource fails for its tags in the middle of a deployment:
- a key of 1 to 127 and a value of 1 to 255 characters: both have one at least (CloudFormation API
  reference of Tag), and ACM takes one less than the others (ACM User Guide, "Tag restrictions");
- letters, digits, spaces and `+ - = . _ : / @` (the pattern of tags in the API references of Lambda,
  CloudWatch Logs, IAM and ACM), and no prefix `aws:`, in any case, of a key or a value (AWS Batch User
  Guide, "Tag restrictions");
- keys that differ in more than their case (IAM User Guide, "Tags for IAM resources": of one role two
  keys that differ only in case are refused);
- 50 tags a resource (the same), of which deploytool and its templates take some (our reading).
"""

import re
from collections.abc import Mapping

from deploytool.core.errors import InputProblems

KEY_LENGTH = 127  # characters
VALUE_LENGTH = 255  # characters
ALLOWED = re.compile(r"[\w .:/=+@-]*")  # \w: letters and digits of any language, and _
OWN_PREFIX = "deploytool:"
# Of 50, four are deploytool's, and a template may set some of its own, like Name.
MOST_TAGS = 40


def parse_tags(value: object, key: str, problems: InputProblems) -> dict[str, str]:
    """Return the tags below `tags`. Adds each problem, with the key of the tag."""
    if not isinstance(value, dict):
        problems.add(key, f'must be a table of texts, like [{key}] with team = "orders"')
        return {}

    tags: dict[str, str] = {}
    for name, text in value.items():
        if not isinstance(text, str):
            problems.add(f"{key}.{name}", f"{text!r} is not text; write it in quotes")
            continue
        problem = _key_problem(name) or _value_problem(text)
        if problem:
            problems.add(f"{key}.{name}", problem)
        tags[name] = text
    return tags


def check_tags(tags: Mapping[str, str], key: str, problems: InputProblems) -> None:
    """Add the problems of all tags of a stage together."""
    if len(tags) > MOST_TAGS:
        problems.add(
            key, f"has {len(tags)} tags; {MOST_TAGS} are possible, since a resource has 50 at most"
        )

    keys: dict[str, str] = {}
    for name in tags:
        first = keys.setdefault(name.lower(), name)
        if first != name:
            message = f"differs from '{first}' only in upper and lower case, which IAM refuses"
            problems.add(f"{key}.{name}", message)


def _key_problem(name: str) -> str:
    if not 1 <= len(name) <= KEY_LENGTH:
        return f"a key has 1 to {KEY_LENGTH} characters; this one has {len(name)}"
    if name.lower().startswith("aws:"):
        return "AWS reserves keys that begin with aws:"
    if name.lower().startswith(OWN_PREFIX):
        return f"deploytool's own tags begin with {OWN_PREFIX}"
    if not ALLOWED.fullmatch(name):
        return "a key may have letters, digits, spaces and + - = . _ : / @"
    return ""


def _value_problem(text: str) -> str:
    if not 1 <= len(text) <= VALUE_LENGTH:
        return f"a value has 1 to {VALUE_LENGTH} characters; this one has {len(text)}"
    if text.lower().startswith("aws:"):
        return "AWS reserves values that begin with aws:"
    if not ALLOWED.fullmatch(text):
        return f"'{text}': a value may have letters, digits, spaces and + - = . _ : / @"
    return ""
