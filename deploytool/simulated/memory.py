"""Ports of a drill that keep their state in memory: record, guard, functions and mappings."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from deploytool.core.drill.record import DrillRecord, DrillUnderWay
from deploytool.core.service.ports import ApiMapping


@dataclass
class MemoryDrillRecords:
    """The DrillRecords port. `record` is the record of the drill under way."""

    record: DrillRecord | None = None

    def write(self, record: DrillRecord) -> None:
        if self.record:
            raise DrillUnderWay(self.record)
        self.record = record

    def read(self) -> DrillRecord | None:
        return self.record

    def clear(self, drill_id: str) -> None:
        if self.record and self.record.drill_id == drill_id:
            self.record = None


@dataclass
class MemoryGuard:
    """The Guard port. `armed` maps the id of each guarded drill to the seconds until it acts."""

    armed: dict[str, float] = field(default_factory=dict)

    def arm(self, drill_id: str, seconds: float) -> None:
        self.armed[drill_id] = seconds

    def disarm(self, drill_id: str) -> None:
        self.armed.pop(drill_id, None)


@dataclass
class MemoryFunctions:
    """The Functions port. `reserved` maps region and function to the reserved concurrency."""

    reserved: dict[tuple[str, str], int] = field(default_factory=dict)

    def reserved_concurrency(self, region: str, name: str) -> int | None:
        return self.reserved.get((region, name))

    def set_reserved_concurrency(self, region: str, name: str, reserved: int | None) -> None:
        if reserved is None:
            self.reserved.pop((region, name), None)
        else:
            self.reserved[region, name] = reserved


@dataclass
class MemoryMappings:
    """The Mappings port. `mappings` maps region and domain to base path mappings."""

    mappings: dict[tuple[str, str], list[ApiMapping]] = field(default_factory=dict)

    def of(self, region: str, domain: str) -> Sequence[ApiMapping]:
        return tuple(self.mappings.get((region, domain), ()))

    def create(self, region: str, domain: str, mapping: ApiMapping) -> None:
        present = self.mappings.setdefault((region, domain), [])
        if mapping not in present:
            present.append(mapping)

    def delete(self, region: str, domain: str, base_path: str) -> None:
        present = self.mappings.get((region, domain), [])
        kept = [mapping for mapping in present if mapping.base_path != base_path]
        self.mappings[region, domain] = kept
