"""The schemas of resource types and the actions that IAM knows, as cfn-lint installs them.

cfn-lint ships the schemas of CloudFormation's registry, and the Service Authorization Reference as
`Policies.json`. They are read as files: importing cfn-lint takes seconds.
"""

import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deploytool.core.errors import DeploytoolError, NotInstalled
from deploytool.core.permissions.published import Published, parse_schema

_PLACEHOLDER = re.compile(r"\$\{[^}]+\}")
# The region whose registry has the most types.
_REGION = "us-east-1"


class InstalledSchemas:
    """The schemas of the installed cfn-lint (`Schemas`).

    Raises NotInstalled without cfn-lint, and DeploytoolError when it has another layout.
    """

    def __init__(self) -> None:
        spec = find_spec("cfnlint")
        if spec is None or not spec.submodule_search_locations:
            raise NotInstalled("cfn-lint is not installed", hint="pip install 'deploytool[lint]'")
        data = Path(spec.submodule_search_locations[0]) / "data"
        self._resources = data / "schemas" / "resources"
        self._files: Mapping[str, str] = _document(
            data / "schemas" / "providers" / f"{_REGION}.json"
        )
        self._services: Mapping[str, Any] = _document(data / "AdditionalSpecs" / "Policies.json")

    def published(self, kind: str) -> Published | None:
        """Return what the schema of a type publishes; None when the type is not known."""
        name = self._files.get(kind)
        if name is None:
            return None
        return parse_schema(_document(self._resources / f"{name}.json"), self.is_action)

    def is_action(self, action: str) -> bool:
        """Return whether IAM has an action; one with wildcards must match some action."""
        service, _, name = action.lower().partition(":")
        actions = self.actions(service)
        if "*" in name:
            return any(fnmatchcase(known, name) for known in actions)
        return name in actions

    def actions(self, service: str) -> Mapping[str, Any]:
        """Return the actions of a service in lower case, each with the types of its resources."""
        actions: Mapping[str, Any] = self._services.get(service, {}).get("Actions", {})
        return actions

    def takes(self, action: str, arn: str) -> bool:
        """Return whether an action acts on resources with such an ARN."""
        return any(re.fullmatch(pattern, arn) for pattern in self.arn_formats(action))

    def arn_formats(self, action: str) -> tuple[str, ...]:
        """Return the regular expressions of the ARNs that an action takes; none when it takes `*`."""
        service, _, name = action.lower().partition(":")
        kinds = self.actions(service).get(name, {}).get("Resources", ())
        resources: Mapping[str, Any] = self._services.get(service, {}).get("Resources", {})
        formats: list[str] = []
        for kind in kinds:
            # The names of resources are in lower case where they are defined.
            formats += resources.get(kind.lower(), {}).get("ARNFormats", ())
        # ${Region} and its like are what the reference leaves open; the rest is a regular expression.
        return tuple(_PLACEHOLDER.sub("[^:]*", text) for text in formats)


@cache
def _document(path: Path) -> Any:  # noqa: ANN401  # a JSON document
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DeploytoolError(
            f"the installed cfn-lint has no {path.name} where deploytool reads it",
            hint="pip install 'cfn-lint>=1.58'",
        ) from error
