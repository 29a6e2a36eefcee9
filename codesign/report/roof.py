"""Where each operator lies under the roofs of its engine and of the memories off the chip.

After Williams, Waterman and Patterson, Roofline: an insightful visual performance model, CACM 2009.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from codesign.report.saved import Saved
from codesign.report.sums import bytes_by_operator


@dataclass(frozen=True)
class Point:
    """One operator.

    Attributes:
        name: of the operator.
        engine: where it ran.
        intensity: MACs for each byte off the chip; infinite where it moves none.
        macs_per_s: from its first transfer to its end, mean over its runs.
    """

    name: str
    engine: str
    intensity: float
    macs_per_s: float


@dataclass(frozen=True)
class Roofline:
    """All operators: each is a point, or is in one of the lists of those that have no place.

    Attributes:
        points: operators with MACs and with bytes off the chip.
        on_chip: operators with MACs whose operands all stay on the chip.
        roofs: MAC/s of each engine.
        slopes: byte/s of each memory off the chip.
        without_macs: names of operators that multiply nothing, such as copies.
        without_time: names of operators that multiply, of which the folder lists no run.
        without_side: names of operators that multiply, where nobody knows which memory is off the
            chip, as an earlier version wrote the folder.
    """

    points: tuple[Point, ...]
    on_chip: tuple[Point, ...]
    roofs: dict[str, float]
    slopes: dict[str, float]
    without_macs: tuple[str, ...]
    without_time: tuple[str, ...]
    without_side: tuple[str, ...] = ()


def find_roofline(saved: Saved) -> Roofline:
    """Operators by name, those that several engines share as one."""
    names = frozenset(part.name for part in saved.off_chip) or _seem_off_chip(saved)
    moved = bytes_by_operator(saved, names)
    sizes = {name: moved.row(name) for name in moved.rows}
    time, listed = _times(saved)
    macs: dict[str, int] = {}
    runs: dict[str, int] = {}
    engines: dict[str, str] = {}
    columns = ("name", "engine", "macs", "runs")
    for name, engine, count, again in zip(*(saved.operators[c] for c in columns), strict=True):
        macs[name] = macs.get(name, 0) + count
        runs[name] = runs.get(name, 0) + again
        engines.setdefault(name, engine)
    points = [
        Point(
            name,
            engines[name],
            count / sizes[name] if sizes.get(name) else math.inf,
            # of very many runs the folder lists some
            count * listed[name] / runs[name] * 1e12 / time[name],
        )
        for name, count in macs.items()
        if count and time.get(name)
    ]
    roofs = {p.name: p.macs_per_s for p in saved.parts if p.sort == "engine" and p.macs_per_s}
    slopes = {part.name: part.bytes_per_s for part in saved.off_chip if part.bytes_per_s}
    inside = tuple(point for point in points if point.intensity == math.inf)
    is_blind = not names and any(saved.summary.offchip_bytes.values())
    return Roofline(
        tuple(point for point in points if point.intensity < math.inf),
        () if is_blind else inside,
        roofs,
        slopes,
        tuple(name for name, count in macs.items() if not count),
        tuple(name for name, count in macs.items() if count and not time.get(name)),
        tuple(point.name for point in inside) if is_blind else (),
    )


def _times(saved: Saved) -> tuple[dict[str, int], dict[str, int]]:
    """Picoseconds of all runs of each operator that the folder lists, and how many they are."""
    time: dict[str, int] = {}
    listed: dict[str, int] = {}
    for op, start, end in zip(
        saved.spans.ops, saved.spans.starts.tolist(), saved.spans.ends.tolist(), strict=True
    ):
        time[op] = time.get(op, 0) + end - start
        listed[op] = listed.get(op, 0) + 1
    return time, listed


def _seem_off_chip(saved: Saved) -> frozenset[str]:
    """Memories whose bytes are those off the chip, where an earlier version did not say which."""
    total = sum(saved.summary.offchip_bytes.values())
    found = [
        name for name in dict.fromkeys(saved.ledger["component"]) if bytes_of(saved, name) == total
    ]
    return frozenset(found[:1])


def bytes_of(saved: Saved, component: str) -> int:
    """Bytes of tensors that a memory reads and writes."""
    rows = zip(
        *(saved.ledger[name] for name in ("component", "action", "role", "count")), strict=True
    )
    return sum(
        count
        for name, action, role, count in rows
        if name == component and action in ("read", "write") and role
    )
