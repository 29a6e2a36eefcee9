"""Where each operator lies under the roofs of its engine and of the memories off the chip.

After Williams, Waterman and Patterson, Roofline: an insightful visual performance model, CACM 2009.
"""

from __future__ import annotations

from dataclasses import dataclass

from codesign.report.saved import Saved
from codesign.report.sums import bytes_by_operator


@dataclass(frozen=True)
class Point:
    """One operator.

    Attributes:
        name: of the operator.
        engine: where it ran.
        intensity: MACs for each byte off the chip.
        macs_per_s: from its first transfer to its end, mean over its runs.
    """

    name: str
    engine: str
    intensity: float
    macs_per_s: float


@dataclass(frozen=True)
class Roofline:
    """All operators that can be drawn.

    Attributes:
        points: operators with MACs and with bytes off the chip.
        roofs: MAC/s of each engine.
        slopes: byte/s of each memory off the chip.
        without_macs: operators that multiply nothing.
        without_bytes: operators that multiply and move nothing off the chip.
    """

    points: tuple[Point, ...]
    roofs: dict[str, float]
    slopes: dict[str, float]
    without_macs: int
    without_bytes: int


def find_roofline(saved: Saved) -> Roofline:
    """Operators by name, those that several engines share as one."""
    names = frozenset(part.name for part in saved.off_chip) or _seem_off_chip(saved)
    moved = bytes_by_operator(saved, names)
    time: dict[str, int] = {}
    for op, start, end in zip(
        saved.spans.ops, saved.spans.starts.tolist(), saved.spans.ends.tolist(), strict=True
    ):
        time[op] = time.get(op, 0) + end - start
    macs: dict[str, int] = {}
    engines: dict[str, str] = {}
    for name, engine, count in zip(
        *(saved.operators[column] for column in ("name", "engine", "macs")), strict=True
    ):
        macs[name] = macs.get(name, 0) + count
        engines.setdefault(name, engine)
    working = [name for name, count in macs.items() if count and time.get(name)]
    sizes = {name: moved.row(name) for name in working}
    points = tuple(
        Point(name, engines[name], macs[name] / sizes[name], macs[name] * 1e12 / time[name])
        for name in working
        if sizes[name]
    )
    roofs = {p.name: p.macs_per_s for p in saved.parts if p.sort == "engine" and p.macs_per_s}
    slopes = {part.name: part.bytes_per_s for part in saved.off_chip if part.bytes_per_s}
    return Roofline(points, roofs, slopes, len(macs) - len(working), len(working) - len(points))


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
