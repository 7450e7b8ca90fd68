"""Ports that only keep state, in memory: those of a drill, and buckets and locks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

from deploytool.core.drill.record import DrillRecord, DrillUnderWay
from deploytool.core.errors import ApiUnavailable, CloudRefused, DeploytoolError
from deploytool.core.failover.records import (
    LastDrill,
    OutputsRecord,
    Record,
    ServingRecord,
    StandbyRecord,
    SwitchRecord,
)
from deploytool.core.project.package import Package
from deploytool.core.service.ports import ApiMapping

T = TypeVar("T", StandbyRecord, SwitchRecord, ServingRecord, LastDrill, OutputsRecord)


@dataclass
class SimulatedStandbyRecords:
    """The StandbyRecords port. `kept` has the records by their class.

    Every call raises `error`, for instance while the API of the standby region is down.
    """

    kept: dict[type[Record], Record] = field(default_factory=dict)
    error: DeploytoolError | None = None

    def read(self, kind: type[T]) -> T | None:
        self._raise_error()
        return cast("T | None", self.kept.get(kind))

    def write(self, record: StandbyRecord | SwitchRecord | LastDrill | OutputsRecord) -> None:
        self._raise_error()
        self.kept[type(record)] = record

    def remove_all(self) -> None:
        self._raise_error()
        self.kept.clear()

    def _raise_error(self) -> None:
        if self.error is not None:
            raise self.error


@dataclass
class SimulatedDrillRecords:
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
class SimulatedGuard:
    """The Guard port. `armed` maps the id of each guarded drill to the seconds until it acts."""

    armed: dict[str, float] = field(default_factory=dict)

    def arm(self, drill_id: str, seconds: float) -> None:
        self.armed[drill_id] = seconds

    def disarm(self, drill_id: str) -> None:
        self.armed.pop(drill_id, None)


@dataclass
class SimulatedFunctions:
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
class SimulatedMappings:
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


@dataclass
class SimulatedBuckets:
    """The Buckets port. `stored` has the keys of the objects, by region and bucket."""

    stored: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def put(self, region: str, bucket: str, package: Package) -> bool:
        keys = self.stored.setdefault((region, bucket), set())
        new = package.key not in keys
        keys.add(package.key)
        return new

    def empty(self, region: str, bucket: str) -> int:
        return len(self.stored.pop((region, bucket), set()))


@dataclass
class SimulatedValues:
    """The StoredValues port. `stored` is by name, in every region; `calls` has region and names.

    With a `refusal` AWS refuses every call with that text.
    """

    stored: Mapping[str, str]
    calls: list[tuple[str, Sequence[str]]] = field(default_factory=list)
    refusal: str = ""

    def read(self, region: str, names: Sequence[str]) -> Mapping[str, str]:
        self.calls.append((region, names))
        if self.refusal:
            raise CloudRefused(self.refusal)
        return {name: self.stored[name] for name in names if name in self.stored}


@dataclass
class SimulatedLocks:
    """The Locks port. `held` maps region and name to the value; `calls` lists the methods.

    The APIs of the regions in `dead` do not answer.
    """

    held: dict[tuple[str, str], str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)

    def read(self, region: str, name: str) -> str | None:
        self._call("read", region)
        return self.held.get((region, name))

    def make(self, region: str, name: str, value: str) -> bool:
        self._call("make", region)
        return self.held.setdefault((region, name), value) is value

    def renew(self, region: str, name: str, value: str) -> None:
        self._call("renew", region)
        self.held[region, name] = value

    def remove(self, region: str, name: str) -> None:
        self._call("remove", region)
        self.held.pop((region, name), None)

    def _call(self, method: str, region: str) -> None:
        self.calls.append(method)
        if region in self.dead:
            raise ApiUnavailable(f"{method} in {region}: Service Unavailable (503)", region)
