"""What a result says about what stays on chip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from codesign.mapping.hold import Hold, peak
from codesign.mapping.paths import Paths
from codesign.mapping.pins import Pinned
from codesign.mapping.placement import Block, Step
from codesign.mapping.regions import stationary
from codesign.mapping.residency import Residency


@dataclass(frozen=True, slots=True)
class Kept:
    """What was decided.

    Attributes:
        asked: what the user wants.
        pinned: what is pinned where.
        holds: what stays.
        missed: what a search has left out, the best first.
        saved: bytes to and from home that a search has saved in a run.
    """

    asked: Residency
    pinned: Pinned
    holds: Sequence[Hold]
    missed: Sequence[Hold] = ()
    saved: int = 0


def write_notes(program: tuple[Step, ...], paths: Paths, kept: Kept) -> tuple[str, ...]:
    """One line each on where tensors live, what stays, and what does not fit."""
    home = paths.home
    found = [f"every operator takes its operands from {home} and stores its results there"]
    found += _homes(kept)
    found += _pins(kept)
    if kept.asked.policy in ("greedy", "optimal"):
        found += _search(paths, kept)
    elif kept.asked.policy != "pinned":
        found += _regions(program, paths, kept)
    return tuple(found)


def _homes(kept: Kept) -> list[str]:
    found = Counter(kept.pinned.homes.values())
    return [
        f"but {_tensors(count)} pinned to {memory} live there" for memory, count in found.items()
    ]


def _pins(kept: Kept) -> list[str]:
    found = []
    for memory in dict.fromkeys(kept.pinned.buffers.values()):
        names = [name for name, place in kept.pinned.buffers.items() if place == memory]
        holds = [hold for hold in kept.holds if set(names).intersection(hold.names)]
        is_all = {name for h in holds if h.is_whole for name in h.names}.issuperset(names)
        part = "" if is_all else "part of "
        found.append(
            f"but {part}{_tensors(len(names))} pinned to {memory} stay there: "
            f"{peak(holds, memory):,} B at most at once"
        )
    return found


def _search(paths: Paths, kept: Kept) -> list[str]:
    found = []
    chosen = [h for h in kept.holds if not set(h.names).intersection(kept.pinned.buffers)]
    for memory in dict.fromkeys(hold.memory for hold in chosen):
        mine = [hold for hold in chosen if hold.memory == memory]
        count = len({name for hold in mine for name in hold.names})
        found.append(
            f"but {_tensors(count)} stay in {memory} where that saves most: "
            f"{peak(mine, memory):,} B at most at once"
        )
    if chosen:
        found.append(f"that saves {kept.saved:,} B to and from {paths.home} in every run")
    if kept.missed:
        best = kept.missed[0]
        found.append(
            f"{_tensors(len(kept.missed))} would save more and find no room, most of all "
            f"{best.names[0]} ({best.bytes:,} B)"
        )
    return found


def _regions(program: tuple[Step, ...], paths: Paths, kept: Kept) -> list[str]:
    blocks = [step for step in program if isinstance(step, Block)]
    stay = [block for block in blocks if block.residences]
    leave = [block for block in blocks if not block.residences]
    settled = {*kept.pinned.homes, *kept.pinned.buffers}
    found = []
    if stay:
        mine = [hold for hold in kept.holds if settled.isdisjoint(hold.names)]
        part = "" if all(hold.is_whole for hold in mine) else ", as much of it as fits"
        found.append(
            f"but what {_named(stay)} reads or carries at every step stays on chip meanwhile"
            f"{part}: {peak(mine, paths.buffers[0]):,} B at most"
        )
    if leave:
        sizes = [
            sum(t.bytes for t in stationary(block.region) if t.name not in settled)
            for block in leave
        ]
        limit = kept.asked.limits.get(paths.buffers[0])
        where = "beside the tiles" if limit is None else f"in the {limit:,} B of the limit"
        why = f"up to {max(sizes):,} B would have to fit {where}"
        if len(paths.buffers) > 1:
            names = ", ".join(paths.buffers)
            why = f"only engines that share a buffer can keep it, these have {names}"
        found.append(f"{_named(leave)} keeps nothing on chip and fetches anew at every step: {why}")
    return found


def _tensors(count: int) -> str:
    return "1 tensor" if count == 1 else f"{count:,} tensors"


def _named(blocks: list[Block]) -> str:
    names = [block.region.name for block in blocks]
    return names[0] if len(names) == 1 else f"each of {len(names)} regions ({names[0]}, ...)"
