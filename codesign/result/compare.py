"""What makes two results differ: latency, energy and off-chip bytes, part by part."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

from codesign.result.saved import Saved
from codesign.result.static import COMPUTING, STATIC

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Row(Generic[Number]):
    """One part of both results.

    Attributes:
        name: of the part; ``static`` of energy that flows whatever is computed, ``computing`` of
            what moves no tensor, ``none`` of time in which nothing moved.
        first: what the first result has of it.
        second: what the second one has.
    """

    name: str
    first: Number
    second: Number

    @property
    def change(self) -> Number:
        """Second less first."""
        return self.second - self.first


@dataclass(frozen=True)
class Comparison:
    """Two results beside each other.

    Every breakdown holds all of its figure: its first and second columns sum to those of the two
    results, and so its changes sum to the difference. The largest change comes first.

    Attributes:
        first: name of the first result.
        second: name of the second.
        latency: ticks of the two runs.
        energy: joules.
        offchip: off-chip bytes.
        path: ticks on the critical path by ``cause``, ``component``, ``op`` and ``role``.
        joules: joules by ``component``, ``action``, ``role`` and ``op``.
        moved: off-chip bytes by role.
        only_first: operators that only the first result has.
        only_second: operators that only the second one has.
        notes: what a reader should know, such as that the models differ.
    """

    first: str
    second: str
    latency: Row[int]
    energy: Row[float]
    offchip: Row[int]
    path: Mapping[str, tuple[Row[int], ...]]
    joules: Mapping[str, tuple[Row[float], ...]]
    moved: tuple[Row[int], ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As plain values; every row has its ``change``."""

        def rows(some: Sequence[Row[Any]]) -> list[dict[str, Any]]:
            return [asdict(one) | {"change": one.change} for one in some]

        return {
            "first": self.first,
            "second": self.second,
            "latency_ps": rows([self.latency])[0],
            "energy_j": rows([self.energy])[0],
            "offchip_bytes": rows([self.offchip])[0],
            "path_ps": {name: rows(some) for name, some in self.path.items()},
            "joules": {name: rows(some) for name, some in self.joules.items()},
            "offchip_bytes_by_role": rows(self.moved),
            "only_first": list(self.only_first),
            "only_second": list(self.only_second),
            "notes": list(self.notes),
        }


def compare_results(first: Saved, second: Saved) -> Comparison:
    """Compares two saved results.

    Args:
        first: what to compare with.
        second: what to compare.
    """
    both = (first, second)
    ops = [dict.fromkeys(one.operators) for one in both]
    moved = [one.offchip_bytes for one in both]
    return Comparison(
        first.label,
        second.label,
        Row("latency", *(one.makespan for one in both)),
        Row("energy", *(one.energy_j for one in both)),
        Row("off chip", *(sum(one.values()) for one in moved)),
        {
            column: _rows(*(_grouped(one.parts, column, "ps", sum) for one in both))
            for column in ("cause", "component", "op", "role")
        },
        {
            column: _rows(*(_grouped(one.ledger, column, "energy_j", math.fsum) for one in both))
            for column in ("component", "action", "role", "op")
        },
        _rows(*({(name, False): size for name, size in one.items()} for one in moved)),
        tuple(name for name in ops[0] if name not in ops[1]),
        tuple(name for name in ops[1] if name not in ops[0]),
        tuple(_notes(first, second)),
    )


def _notes(first: Saved, second: Saved) -> list[str]:
    found = []
    if first.trace_digest != second.trace_digest:
        same = first.model == second.model
        which = "the same model in another form" if same else "different models"
        found.append(f"these are results of {which}: {first.model} and {second.model}")
    if first.hardware == second.hardware and first.hardware_digest != second.hardware_digest:
        found.append(
            f"both ran on hardware called {first.hardware}, with other values or parts in each"
        )
    if first.version != second.version:
        found.append(
            f"they were made by versions {first.version} and {second.version} of codesign; "
            "part of the difference may come from that"
        )
    both = (("A", first), ("B", second))
    found += [f"in {side}, {line}" for side, one in both for line in one.own_kinds]
    return found


_Names = tuple[str, bool]
"""Name of a part, and whether it stands for rows that name none: an operator may have that name."""


def _grouped(
    rows: Sequence[Mapping[str, Any]],
    column: str,
    figure: str,
    total: Callable[[list[Any]], Number],
) -> dict[_Names, Number]:
    found: dict[_Names, list[Any]] = {}
    for row in rows:
        found.setdefault((_named(row, column), not row[column]), []).append(row[figure])
    return {name: total(values) for name, values in found.items()}


def _named(row: Mapping[str, Any], column: str) -> str:
    """As in the report of one result."""
    if "energy_j" not in row:
        return row[column] or "none"
    if row["op"] is None and column in ("op", "role"):
        return STATIC
    return row[column] or COMPUTING


def _rows(
    first: Mapping[_Names, Number], second: Mapping[_Names, Number]
) -> tuple[Row[Number], ...]:
    names = dict.fromkeys((*first, *second))
    rows = [Row(name[0], first.get(name, 0), second.get(name, 0)) for name in names]
    return tuple(sorted(rows, key=lambda row: (-abs(row.change), row.name)))
