"""Residency in part: weights stay column by column until the memory is full to the last byte."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from codesign.mapping.hold import Hold
from codesign.mapping.packing import Packing


def choose_parts(
    candidates: Sequence[Hold],
    limits: Mapping[str, int],
    length: int,
    fixed: Iterable[Hold] = (),
    again: Mapping[str, int] | None = None,
) -> tuple[Hold, ...]:
    """Holds that fit together, the last of them in part, by bytes saved per byte held.

    Of candidates that are worth the same over the same range, as many bytes stay as there is room
    for. Where several splits give that, wide columns go before narrow ones, so that few operators
    are cut.

    Args:
        candidates: what may stay.
        limits: the most bytes that holds may take, by memory.
        length: number of operators.
        fixed: holds that are decided already.
        again: for each operator that can be cut, the bytes that every further part of it moves
            once more; a cut that costs more than it saves is not made.
    """
    packing = Packing(limits, length, fixed)
    possible = [hold for hold in candidates if hold.saved > 0]
    for _, group in itertools.groupby(sorted(possible, key=_order), key=_kind):
        _add(packing, [hold for hold in group if not packing.clashes(hold)])
    again = again or {}
    for name in again:
        cuts = [h for h in packing.holds if not h.is_whole and _operator(h) == name]
        if sum(hold.saved for hold in cuts) <= cut_cost(cuts, again):
            for hold in cuts:
                packing.remove(hold)
    return packing.holds


def cut_cost(holds: Iterable[Hold], again: Mapping[str, int]) -> int:
    """Bytes that are moved once more because holds cut operators.

    Args:
        holds: what stays.
        again: for each operator that can be cut, the bytes that every further part of it moves
            once more.
    """
    marks = {(_operator(h), h.part.columns) for h in holds if h.part and not h.is_whole}
    return sum(again.get(name, 0) for name, _ in marks)


def _kind(hold: Hold) -> tuple[float, int, int, str]:
    return -hold.saved / hold.bytes, hold.length, hold.first, hold.memory


def _order(hold: Hold) -> tuple[float, int, int, str, int, tuple[str, ...]]:
    return *_kind(hold), -_grain(hold), hold.names


def _grain(hold: Hold) -> int:
    """Bytes of the smallest piece of a hold that can stay by itself."""
    return hold.part.grain.column_bytes(hold.part.operand) if hold.part else hold.bytes


def _operator(hold: Hold) -> str:
    return hold.part.grain.op.name if hold.part else ""


def _add(packing: Packing, group: Sequence[Hold]) -> None:
    """Adds alternatives of equal worth, as many bytes of them as fit."""
    distinct: list[Hold] = []
    for hold in group:
        if not any(hold.clashes(other) for other in distinct):
            distinct.append(hold)
    if not distinct:
        return
    room = packing.room(distinct[0])
    if sum(hold.bytes for hold in distinct) <= room:
        packing.fill(distinct)
        return
    grains = [Grains(_grain(hold), hold.bytes // _grain(hold)) for hold in distinct]
    for hold, count in zip(distinct, fill(room, grains), strict=True):
        if hold.part is None or count * _grain(hold) == hold.bytes:
            chosen = [hold] * bool(count)
        else:
            chosen = [hold.with_columns(count)] * bool(count)
        packing.fill(chosen)


@dataclass(frozen=True, slots=True)
class Grains:
    """Equal pieces.

    Attributes:
        size: bytes of one, at least 1.
        count: how many there are.
    """

    size: int
    count: int


def fill(room: int, grains: Sequence[Grains]) -> list[int]:
    """How many pieces of each kind take most of a room; of equal answers, few of the last kinds.

    Exact: bit b of ``sums[i]`` says whether some of the first i bundles take exactly b bytes.
    """
    bundles = [
        (number, bundle, bundle * kind.size)
        for number, kind in enumerate(grains)
        for bundle in _bundles(kind.count)
    ]
    mask = (1 << max(room, 0) + 1) - 1
    sums = [1]
    for _, _, size in bundles:
        sums.append((sums[-1] | sums[-1] << size) & mask if size <= room else sums[-1])
    counts = [0] * len(grains)
    left = sums[-1].bit_length() - 1
    for place in reversed(range(len(bundles))):
        number, bundle, size = bundles[place]
        if not sums[place] >> left & 1:
            counts[number] += bundle
            left -= size
    return counts


def _bundles(count: int) -> list[int]:
    """Bundles of pieces from which every number up to ``count`` can be put together."""
    found, size = [], 1
    while count:
        found.append(min(size, count))
        count -= found[-1]
        size *= 2
    return found
