"""Changes at which the residency planner answers otherwise: the next size at which weights stay.

A scratchpad of twice the size may lie just below the size that keeps the weights of a loop, or far
above it. The sizes come from the trace: what a region that keeps nothing touches at every step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from codesign.errors import CodesignError
from codesign.explore.changes import Change
from codesign.mapping.place import place
from codesign.mapping.placement import Placement
from codesign.mapping.regions import stationary
from codesign.quantities import size as told_size
from codesign.result.result import Result
from codesign.simulation import Prepared
from codesign.workload.record import Branch, Item, Region

_STEPS = 4
"""Sizes that are tried for each set of weights; tiles take some of the room (assumed)."""
_STOPS = (4, 5, 6, 7)
"""Sizes asked about are 4 to 7 quarters of a power of two, so that they are easily said."""


def residency_cliffs(prepared: Prepared, result: Result) -> tuple[Change, ...]:
    """Sizes at which the weights of one more region stay, and those of all.

    Only of a buffer that all engines share, and of regions whose weights the run fetches at every
    step. Each size is tried with the mapping: it is one at which the weights do stay.

    Args:
        prepared: the model and the machine.
        result: how it runs.
    """
    buffer = _buffer(prepared)
    if not buffer:
        return ()
    wanted = {region.name: _weights(region) for region in _fetching(prepared, result.placement)}
    loops = sorted(wanted, key=lambda name: sum(wanted[name].values()))
    first, every = loops[:1], f"weights of {len(loops)} loops stay"
    sets = {f"weights of {name} stay": [name] for name in first} | {every: loops}
    found = [
        _change(prepared, buffer, text, [wanted[name] for name in names])
        for text, names in sets.items()
        if names and not (len(loops) == 1 and text == every)
    ]
    # what keeps the weights of one loop may keep those of all
    sizes = {tuple(one.settings.items()): one for one in found if one is not None}
    return tuple(sizes.values())


def partial_residency(prepared: Prepared, result: Result) -> tuple[Change, ...]:
    """That part of the weights stays, where a region keeps nothing; worth it only if it gains.

    Args:
        prepared: the model and the machine.
        result: how it runs.
    """
    asked, buffer = prepared.residency, _buffer(prepared)
    may = asked.policy in ("region", "greedy") and not asked.partial
    if not may or not buffer or not any(True for _ in _fetching(prepared, result.placement)):
        return ()
    text = "--residency greedy --partial"
    stays = replace(asked, policy="greedy", partial=True)
    return (Change(text, "residency", buffer, residency=stays, is_hint=True),)


def _change(
    prepared: Prepared, buffer: str, text: str, loops: Sequence[Mapping[str, int]]
) -> Change | None:
    """The first of some sizes at which all weights of some loops stay; None if none is."""
    now = next(memory.size for memory in prepared.machine.memories if memory.name == buffer)
    names = {name for weights in loops for name in weights}
    for size in _sizes(max(now, *(sum(weights.values()) for weights in loops)) + 1):
        settings = {f"{buffer}.size": size}
        try:
            placed = _placed(replace(prepared, machine=prepared.machine.with_all(settings)))
        except CodesignError:  # a machine that cannot have that size
            return None
        if names <= _staying(placed):
            told = f"{buffer}.size = {told_size(size)}, {text}"
            return Change(told, "residency", buffer, settings)
    return None


def _sizes(least: int) -> Iterator[int]:
    """The next sizes of the grid, the smallest first."""
    power = max(0, least.bit_length() - 3)
    grid = (stop << exponent for exponent in range(power, power + 4) for stop in _STOPS)
    found = [size for size in grid if size >= least]
    yield from found[:_STEPS]


def _placed(prepared: Prepared) -> Placement:
    machine, how = prepared.machine, (prepared.residency, prepared.engines)
    return place(prepared.trace, machine, *how, prepared.mapping, prepared.objective)


def _buffer(prepared: Prepared) -> str:
    """The buffer of all engines, where weights of loops may stay; "" where there is none."""
    machine, asked = prepared.machine, prepared.residency
    buffers = {engine.buffer for engine in machine.engines}
    name = next(iter(buffers), "")
    is_home = any(machine.home(engine.name).name == name for engine in machine.engines)
    keeps = asked.policy in ("region", "greedy", "optimal") and name not in asked.limits
    return name if len(buffers) == 1 and keeps and not is_home else ""


def _fetching(prepared: Prepared, placement: Placement) -> Iterator[Region]:
    """Regions some of whose weights do not stay, the outermost first."""
    staying = _staying(placement)
    for region in _regions(prepared.trace.items):
        if not _weights(region).keys() <= staying:
            yield region


def _regions(items: tuple[Item, ...]) -> Iterator[Region]:
    for item in items:
        if isinstance(item, Branch):
            yield from _regions(item.likelier)
        elif isinstance(item, Region):
            yield item
            yield from _regions(item.body)


def _weights(region: Region) -> dict[str, int]:
    """Bytes in a buffer of the weights that a region reads at every step, by name."""
    return {t.name: t.plain_bytes for t in stationary(region) if t.role in ("weight", "constant")}


def _staying(placement: Placement) -> frozenset[str]:
    """Names of the tensors all of which stay from one operator to another."""
    return frozenset(
        stay.tensor.name for stay in placement.stays if stay.bytes >= stay.tensor.plain_bytes
    )
