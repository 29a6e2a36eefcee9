"""Hardware: named components and where their numbers come from, changed only by copying."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from codesign.errors import HardwareError, did_you_mean
from codesign.hardware import graph as graphs
from codesign.hardware.brought import with_brought
from codesign.hardware.build import adapter, check_alone, check_field, left_out, make
from codesign.hardware.component import Component, Direction, Engine, Link, Memory
from codesign.hardware.estimates import given_values
from codesign.hardware.provenance import Provenance
from codesign.hardware.refusals import Lines
from codesign.hardware.surroundings import Surroundings
from codesign.units import ticks
from codesign.workload.dtype import DType

if TYPE_CHECKING:
    from codesign.hardware.graph import Graph


CHANGED = "set for this run"
"""Source of the values that ``Hardware.with_`` has changed."""


@dataclass(frozen=True)
class Hardware:
    """A machine: engines, memories and links by name, and where their numbers come from.

    Attributes:
        name: what it is called.
        description: one sentence for people.
        precision: format that floating-point models are deployed in, or None for their own.
        components: parts by name, in file order, each before what it brings; cannot be changed.
        provenance: origin of every value that the file gives.
        around: presets and tables that values may refer to when they are changed.
    """

    name: str
    description: str
    precision: DType | None
    components: Mapping[str, Component]
    provenance: tuple[Provenance, ...] = ()
    around: Surroundings = field(default_factory=Surroundings, repr=False, compare=False)

    def __post_init__(self) -> None:
        components = with_brought(self.components)
        object.__setattr__(self, "components", MappingProxyType(components))
        fault = graphs.find_fault(self.components)
        if fault:
            raise HardwareError(f"{self.name}: {' '.join(fault)}")

    def __repr__(self) -> str:
        return f"<Hardware {self.name}: {', '.join(self.components)}>"

    def __hash__(self) -> int:
        return int(self.digest[:15], 16)

    def __reduce__(self) -> tuple[Any, ...]:
        # a mapping proxy cannot be sent to another process
        parts = dict(self.components)
        texts = (self.name, self.description, self.precision)
        return Hardware, (*texts, parts, self.provenance, self.around)

    @cached_property
    def engines(self) -> tuple[Engine, ...]:
        """Engines in file order."""
        return tuple(part for part in self.components.values() if isinstance(part, Engine))

    @cached_property
    def memories(self) -> tuple[Memory, ...]:
        """Memories in file order."""
        return tuple(part for part in self.components.values() if isinstance(part, Memory))

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Links in file order."""
        return tuple(part for part in self.components.values() if isinstance(part, Link))

    def engine(self, name: str) -> Engine:
        """An engine by name.

        Raises:
            HardwareError: there is no such engine.
        """
        found = self.components.get(name)
        if not isinstance(found, Engine):
            known = [part.name for part in self.engines]
            raise HardwareError(f"unknown engine {name!r}{did_you_mean(name, known)}")
        return found

    @cached_property
    def graph(self) -> Graph:
        """Components by name; an edge joins a link to a memory or an engine to its buffer."""
        return graphs.build_graph(self.components)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of names, kinds and resolved values; descriptions and sources do not count.

        Nor do fields that are left open, so that a kind can be given a new one.
        """
        parts = [
            [name, part.kind, adapter(type(part)).dump_python(part, mode="json", exclude_none=True)]
            for name, part in self.components.items()
        ]
        content = {"name": self.name, "precision": str(self.precision), "components": parts}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    @property
    def sources(self) -> tuple[Provenance, ...]:
        """Origin of every value: of the file's, and of those that stand behind one."""
        behind = (row for part in self.components.values() for row in part.origins)
        return (*self.provenance, *behind)

    @property
    def assumed(self) -> tuple[Provenance, ...]:
        """Values that rest on nobody's table: status ``assumed``."""
        return tuple(row for row in self.sources if row.status == "assumed")

    def route(self, a: str, b: str) -> tuple[str, ...]:
        """Names of the links on the only path from memory ``a`` to memory ``b``.

        Raises:
            HardwareError: one of the two is no memory, or no path joins them.
        """
        return tuple(n for n in self._path(a, b) if isinstance(self.components[n], Link))

    def crossed(self, a: str, b: str) -> tuple[str, ...]:
        """Names of the memories that a transfer from ``a`` to ``b`` goes through on its way.

        Raises:
            HardwareError: one of the two is no memory, or no path joins them.
        """
        between = self._path(a, b)[1:-1]
        return tuple(name for name in between if isinstance(self.components[name], Memory))

    def _path(self, a: str, b: str) -> tuple[str, ...]:
        if (a, b) not in self._paths:
            self._paths[a, b] = tuple(graphs.path(self.graph, self.components, a, b))
        return self._paths[a, b]

    @cached_property
    def _paths(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """Paths that somebody has asked for: the mapping asks for few of them, very often."""
        return {}

    def setup(self, source: str, target: str) -> int:
        """Ticks from issuing a transfer to its first byte in ``target``.

        The set-up of every link on the way, and the latency of every memory that is read or
        written.

        Raises:
            HardwareError: one of the two is no memory, or no path joins them.
        """
        crossed = self.crossed(source, target)
        ends: tuple[tuple[Direction, tuple[str, ...]], ...] = (
            ("read", (source, *crossed)),
            ("write", (target, *crossed)),
        )
        route = self.route(source, target)
        waits = [ticks(link.setup_s) for link in self.links if link.name in route]
        for direction, names in ends:
            memories = (memory for memory in self.memories if memory.name in names)
            waits += [ticks(memory.latency_s(direction)) for memory in memories]
        return sum(waits)

    def home(self, engine: str) -> Memory:
        """The memory where the tensors of an engine live by default.

        The largest one in reach of its buffer that is no engine's buffer; the buffer itself if
        there is none.

        Raises:
            HardwareError: there is no such engine.
        """
        name = graphs.home(self.graph, self.components, self.engine(engine).buffer)
        return next(memory for memory in self.memories if memory.name == name)

    def with_(self, path: str, value: object) -> Hardware:
        """A copy with one value changed.

        Args:
            path: ``component.field``, or ``component.field.key`` for an entry of a table.
            value: a number in the field's SI unit, or text with a unit such as ``"256 KiB"``.

        Raises:
            HardwareError: no such component, field or entry, or a value that breaks its rule.
        """
        return self.with_all({path: value})

    def with_all(self, changes: Mapping[str, object]) -> Hardware:
        """A copy with several values changed at once: only the result is checked.

        Args:
            changes: values by path, each as in ``with_``.

        Raises:
            HardwareError: see ``with_``.
        """
        changed: dict[str, dict[str, object]] = {}
        for path, value in changes.items():
            if not isinstance(path, str):
                raise HardwareError(
                    f"a value is named by a path such as 'sram.size', got {path!r:.60}"
                )
            name, _, rest = path.partition(".")
            changed.setdefault(self._changeable(name, path), {})[rest] = value
        components, provenance = dict(self.components), self.provenance
        for name, mine in changed.items():
            values = given_values(components[name], self.provenance)
            for path, value in mine.items():
                _change(values, components[name], path, value)
            components[name] = make(type(components[name]), name, values, Lines(), self.around)
            provenance = _with_origins(provenance, components[name], values, mine)
        return dataclasses.replace(self, components=components, provenance=provenance)

    def check_value(self, path: str, value: object) -> None:
        """Checks one value by itself, whatever the others are; with others it may break a rule yet.

        Args:
            path: as in ``with_``.
            value: as in ``with_``.

        Raises:
            HardwareError: no such component, field or entry, a value that its field cannot have,
                or a buffer that is no memory.
        """
        name, _, rest = path.partition(".")
        part = self.components[self._changeable(name, path)]
        values = given_values(part, self.provenance)
        _change(values, part, rest, value)
        field = rest.partition(".")[0]
        check_alone(type(part), name, field, values[field], self.around)
        graphs.check_buffer(self.components, part, field, value)

    def _changeable(self, name: str, path: str) -> str:
        if name not in self.components:
            raise HardwareError(
                f"unknown component {name[:60]!r} in {path[:80]!r}"
                f"{did_you_mean(name[:60], self.components)}"
            )
        return name


def _change(values: dict[str, object], part: Component, path: str, value: object) -> None:
    """Puts one value where it belongs among those that are given."""
    entry, _, key = path.partition(".")
    check_field(entry, part.name, type(part))
    if key:
        table = values.get(entry, getattr(part, entry))
        value = _with_entry(table, f"{part.name}.{path}", key, value)
    values[entry] = value


def _with_entry(table: object, path: str, key: str, value: object) -> dict[str, object]:
    if not isinstance(table, Mapping):
        raise HardwareError(f"{path[:80]!r} names an entry of a field that is no table; drop it")
    if key not in table:
        raise HardwareError(
            f"unknown entry {key[:60]!r} in {path[:80]!r}{did_you_mean(key, table)}"
        )
    return {**table, key: value}


def _with_origins(
    rows: tuple[Provenance, ...],
    component: Component,
    given: Mapping[str, object],
    changes: Mapping[str, object],
) -> tuple[Provenance, ...]:
    """Origins after changes: what follows from a changed value is told anew."""
    name, paths = component.name, tuple(f"{path}." for path in changes)
    kept = [
        row
        for row in rows
        if row.component != name
        or (row.field.partition(".")[0] in given and not f"{row.field}.".startswith(paths))
    ]
    changed = [
        Provenance(name, path, str(value), CHANGED, "assumed") for path, value in changes.items()
    ]
    return (*kept, *left_out(component, given), *changed)
