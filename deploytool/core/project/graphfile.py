"""The graph file (infra/stacks.yaml) as frozen types: the stacks, and each parameter's sources."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploytool.core.project.settings import ALWAYS, Condition, SettingSpec

# What a parameter can take of an artifact: its key in the bucket, its version, the bucket's name.
PARTS = ("key", "version", "bucket")

# Where a stack exists: once, in each region, or once in the secondary. A global stack is in the
# primary region, unless it names another one.
SCOPES = ("global", "regional", "secondary")

# The names below `service`: what a check and a drill need to know of a deployment. The names of the
# second group have a value in each region.
SERVICE = (
    "hosted_zone",
    "health_check",
    "failover_check",
    "switch_check",
    "guard_function",
    "guard_role",
    "guard_schedules",
)
REGIONAL_SERVICE = ("function", "rest_api", "http_api", "target")


@dataclass(frozen=True)
class SettingSource:
    """A parameter's value from a setting.

    With `item` (from 1 on) it is that item of a list, empty when the list has fewer.
    """

    name: str
    item: int | None = None


@dataclass(frozen=True)
class OutputSource:
    """A parameter's value from a stack's output.

    The stack is in `region` (primary, secondary or a region's name), or when that is empty in the
    region of the stack that takes the output.
    """

    stack: str
    output: str
    region: str = ""


@dataclass(frozen=True)
class ArtifactSource:
    """A parameter's value from a packaged artifact."""

    artifact: str
    part: str  # one of PARTS


@dataclass(frozen=True)
class LiteralSource:
    """A parameter's value as written."""

    value: str


Source = SettingSource | OutputSource | ArtifactSource | LiteralSource


@dataclass(frozen=True)
class ParameterSource:
    """One of the sources that a parameter may have, and where it applies.

    With `only` (primary or secondary) the source applies to that role, and with `when` while the
    condition is true.
    """

    source: Source
    only: str = ""  # empty: in both regions
    when: Condition = ALWAYS


# In the order of the file. The first that applies, and whose stack the stage uses, gives the value.
Alternatives = tuple[ParameterSource, ...]


@dataclass(frozen=True)
class Snapshot:
    """A resource that must be replaced whenever one of these stacks' templates changes.

    An example is an API Gateway deployment: it keeps a copy of the API as it was at its creation.
    """

    resource: str  # logical id
    stacks: tuple[str, ...]


@dataclass(frozen=True)
class StackSpec:
    """One entry below `stacks`. A stage uses the stack only if `when` is true.

    `region` is that of a global stack that is not in the primary region, else empty.
    """

    name: str
    template: str  # path, relative to the graph file
    scope: str  # one of SCOPES
    parameters: Mapping[str, Alternatives]
    snapshot: Snapshot | None
    when: Condition
    region: str = ""


@dataclass(frozen=True)
class ArtifactSpec:
    """A folder to package, and the bucket (an output of a regional stack) to store it in.

    `build` is a command for the shell, empty for the recipe that fits the folder, None to package
    the folder as it is. `output` is the folder that the command fills, below the artifact's own.
    `ignore` are patterns of files to leave out. `runtime` and `architecture` are those of the
    function; empty takes them from its template.
    """

    name: str
    source: str  # path of the folder, relative to the graph file
    bucket: OutputSource
    build: str | None = ""
    output: str = ""
    ignore: tuple[str, ...] = ()
    runtime: str = ""
    architecture: str = ""


@dataclass(frozen=True)
class GraphFile:
    """The whole of the graph file. Each mapping is by name."""

    file: str  # as deploytool.toml names it, for messages
    settings: Mapping[str, SettingSpec]
    artifacts: Mapping[str, ArtifactSpec]
    stacks: Mapping[str, StackSpec]
    service: Mapping[str, Alternatives]

    @property
    def used_settings(self) -> frozenset[str]:
        """The settings that any source names, declared or not, and built-in ones."""
        all_alternatives = list(self.service.values())
        for spec in self.stacks.values():
            all_alternatives += spec.parameters.values()

        settings: set[str] = set()
        for alternatives in all_alternatives:
            for alternative in alternatives:
                if isinstance(alternative.source, SettingSource):
                    settings.add(alternative.source.name)
        return frozenset(settings)
