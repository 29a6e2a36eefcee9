"""What a result says about what stays on chip."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from codesign.mapping.hold import Hold, peak
from codesign.mapping.paths import Paths
from codesign.mapping.pins import Pinned
from codesign.mapping.placement import Block, Placement, Step
from codesign.mapping.regions import stationary
from codesign.mapping.residency import Residency

_SLOWER = 1.05
"""Estimated time, times that of fetching everything, above which a note says so (assumed)."""

_NAMES = 3
"""Most names of regions in a note."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was decided.

    Attributes:
        asked: what the user wants.
        pinned: what is pinned where.
        holds: what stays.
        missed: what a search has left out, the best first.
        saved: bytes to and from home that a search has saved in a run.
        seconds: time of a run by the plans' own estimates.
        fetching_s: the same if nothing stayed.
        without_turns: number of candidates, if they were too many for greedy to give those that it
            left out a turn to go first; else 0.
    """

    asked: Residency
    pinned: Pinned
    holds: Sequence[Hold]
    missed: Sequence[Hold] = ()
    saved: int = 0
    seconds: float = 0.0
    fetching_s: float = math.inf
    without_turns: int = 0


def write_notes(program: tuple[Step, ...], paths: Paths, kept: Kept) -> tuple[str, ...]:
    """One line each on where tensors live, what stays, and what does not fit."""
    home = paths.home
    found = [f"every operator takes its operands from {home} and stores its results there"]
    found += _homes(kept)
    found += _pins(kept)
    if kept.asked.policy in ("greedy", "optimal"):
        found += _search(paths, kept)
    elif kept.asked.policy == "region":
        found += _regions(program, paths, kept)
    elif kept.asked.policy == "none" and any(isinstance(step, Block) for step in program):
        rest = "nothing" if not kept.holds and not kept.pinned.homes else "nothing else"
        found.append(f"residency 'none' keeps {rest} on chip: every step fetches anew")
    return tuple(found + _time(kept))


def set_up_notes(placement: Placement) -> tuple[str, ...]:
    """What is loaded once, and whether figures have it; nothing where nothing stays for ever."""
    if not placement.setup:
        return ()
    return (
        f"a set-up before the first run loads {placement.setup_bytes:,} B from {placement.home} "
        "that stay from run to run; figures of a run are of the first one, with its set-up",
    )


def _homes(kept: Kept) -> list[str]:
    found = Counter(kept.pinned.homes.values())
    return [
        f"but {_tensors(count)} pinned to {memory} {_verb(count, 'live')} there"
        for memory, count in found.items()
    ]


def _pins(kept: Kept) -> list[str]:
    found = []
    for memory in dict.fromkeys(kept.pinned.buffers.values()):
        names = [name for name, place in kept.pinned.buffers.items() if place == memory]
        holds = [hold for hold in kept.holds if set(names).intersection(hold.names)]
        is_all = {name for h in holds if h.is_whole for name in h.names}.issuperset(names)
        part = "" if is_all else "part of "
        found.append(
            f"but {part}{_tensors(len(names))} pinned to {memory} "
            f"{_verb(len(names), 'stay')} there: "
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
            f"but {_tensors(count)} {_verb(count, 'stay')} in {memory} where that saves most: "
            f"{peak(mine, memory):,} B at most at once"
        )
    if chosen:
        found.append(f"that saves {kept.saved:,} B to and from {paths.home} in every run")
    if kept.missed:
        best = kept.missed[0]
        found.append(
            f"{_tensors(len(kept.missed))} would save more and "
            f"{_verb(len(kept.missed), 'find')} no room, most of all "
            f"{best.names[0]} ({best.bytes:,} B)"
        )
    if kept.without_turns:
        found.append(
            f"{kept.without_turns:,} candidates are too many for residency 'greedy' to give those "
            "that it left out a turn to go first; pin what matters"
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
            f"{part}: {_peaks(mine, paths)} at most"
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
            why = f"policy 'region' keeps it in one buffer of all engines, these have {names}"
        found.append(f"{_named(leave)} keeps nothing on chip and fetches anew at every step: {why}")
    return found


def _peaks(holds: Sequence[Hold], paths: Paths) -> str:
    """Bytes taken at most at once: of the buffer, and of each stage with its name."""
    found = [f"{peak(holds, paths.buffers[0]):,} B"]
    for stage in paths.stages:
        taken = peak(holds, stage)
        found += [f"{taken:,} B of {stage}"] if taken else []
    return " and ".join(found)


def _time(kept: Kept) -> list[str]:
    if kept.seconds <= _SLOWER * kept.fetching_s:
        return []
    return [
        f"the tiles beside what stays take {kept.seconds * 1e3:,.3g} ms by the plans' own "
        f"estimates, longer than the {kept.fetching_s * 1e3:,.3g} ms of residency 'none'; "
        "a limit leaves them more room"
    ]


def _tensors(count: int) -> str:
    return "1 tensor" if count == 1 else f"{count:,} tensors"


def _verb(count: int, word: str) -> str:
    return f"{word}s" if count == 1 else word


def _named(blocks: list[Block]) -> str:
    names = [block.region.name for block in blocks]
    if len(names) == 1:
        return names[0]
    shown = names[:_NAMES] + ["..."] * (len(names) > _NAMES)
    return f"each of {len(names)} regions ({', '.join(shown)})"
