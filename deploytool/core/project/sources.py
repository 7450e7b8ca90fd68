"""The values of parameters' sources in a region: texts and outputs of other stacks. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from deploytool.core.project.config import Config, Setting, Stage
from deploytool.core.project.graph import NodeId, OutputRef, Upload, Value
from deploytool.core.project.graphfile import (
    ArtifactSource,
    GraphFile,
    LiteralSource,
    OutputSource,
    SettingSource,
    Source,
    StackSpec,
)
from deploytool.core.project.package import Package
from deploytool.core.project.settings import built_in, text_of


@dataclass(frozen=True)
class SourceResolver:
    """Resolves sources for one stage. The graph file must be valid (see `GraphCheck`)."""

    config: Config
    stage: Stage
    file: GraphFile
    packages: Mapping[str, Package]  # by artifact
    settings: Mapping[str, Setting]  # those that are the same in both regions

    def settings_in(self, region: str) -> dict[str, Setting]:
        """Return the values of all settings in a region."""
        return {
            **self.settings,
            **self.stage.regional.get(region, {}),
            **built_in(self.config, self.stage, region),
        }

    def regions_of(self, spec: StackSpec) -> tuple[str, ...]:
        """Return the regions in which a stack exists."""
        match spec.scope:
            case "regional":
                return self.config.regions
            case "secondary":
                return (self.config.secondary,)
            case _:
                return (spec.region or self.config.primary,)

    def is_used(self, node: NodeId) -> bool:
        """Return whether the stage uses a stack in its region."""
        return self.file.stacks[node.stack].when.is_met(self.settings_in(node.region))

    def missing_output(self, source: Source, region: str) -> OutputRef | None:
        """Return the output that a source takes from a stack that the stage does not use."""
        # All parts of an artifact need its bucket: the package is uploaded before the stack starts.
        if isinstance(source, ArtifactSource):
            source = self.file.artifacts[source.artifact].bucket
        if not isinstance(source, OutputSource):
            return None

        output = self.output(source, region)
        if self.is_used(output.node):
            return None
        return output

    def value(self, source: Source, region: str) -> Value:
        """Return what a source gives to a stack in `region`."""
        match source:
            case LiteralSource(value):
                return value
            case SettingSource(name, item):
                setting = _item_of(self.settings_in(region)[name], item)
                # A setting that is the same in both regions can still name the region in its text.
                return text_of(setting).replace("{region}", region)
            case ArtifactSource():
                return self._artifact_value(source, region)
            case OutputSource():
                return self.output(source, region)
            case _:
                assert_never(source)

    def _artifact_value(self, source: ArtifactSource, region: str) -> Value:
        match source.part:
            case "key":
                return self.packages[source.artifact].key
            case "version":
                return self.packages[source.artifact].version
            case _:
                return self.output(self.file.artifacts[source.artifact].bucket, region)

    def output(self, source: OutputSource, region: str) -> OutputRef:
        """Return the output that a stack in `region` takes, with the region that provides it."""
        producer = self.file.stacks[source.stack]
        if producer.scope != "regional":
            # There is one such stack, whatever region the source names.
            [provider_region] = self.regions_of(producer)
            return OutputRef(NodeId(source.stack, provider_region), source.output)

        match source.region:
            case "":
                provider_region = region
            case "primary":
                provider_region = self.config.primary
            case "secondary":
                provider_region = self.config.secondary
            case name:
                provider_region = name
        return OutputRef(NodeId(source.stack, provider_region), source.output)

    def uploads(self, sources: Iterable[Source], region: str) -> tuple[Upload, ...]:
        """Return the packages that the sources use, each once, with the bucket in `region`."""
        artifacts = {source.artifact for source in sources if isinstance(source, ArtifactSource)}

        uploads: list[Upload] = []
        for name in sorted(artifacts):
            bucket = self.output(self.file.artifacts[name].bucket, region)
            uploads.append(Upload(self.packages[name], bucket))
        return tuple(uploads)


def _item_of(setting: Setting, item: int | None) -> Setting:
    """Return an item of a list, counted from 1, "" when it has fewer; without `item` the setting."""
    if item is None or not isinstance(setting, tuple):
        return setting
    return setting[item - 1] if item <= len(setting) else ""
