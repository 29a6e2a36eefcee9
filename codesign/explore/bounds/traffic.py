"""Bytes that a model must move from and to off-chip memory, by what may stay on chip.

Of what a step of a region reads and nothing in it writes, at most what the chip holds can be there
when the step begins; the rest comes anew. The same holds of one operator and of the whole run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from codesign.explore.pareto import Floats
from codesign.mapping.regions import stationary
from codesign.mapping.residency import Residency
from codesign.workload.compulsory import alike, compulsory_bytes
from codesign.workload.record import Access, Branch, Item, Op, Region, all_carries, iterate

Judge: TypeAlias = "Callable[[Op], bool]"
"""Whether an operator reads its operands through the chip."""


@dataclass(frozen=True)
class Rule:
    """What may stay on chip between operators.

    Attributes:
        keeps: ``nothing``; ``regions``: what a region touches at every step, all of it or nothing;
            ``tensors``: any of them as a whole; ``parts`` of them, too.
        begins_empty: whether nothing is on chip when a run begins.
    """

    keeps: Literal["nothing", "regions", "tensors", "parts"] = "parts"
    begins_empty: bool = False

    @classmethod
    def of(cls, residency: Residency) -> Rule:
        """What a residency allows."""
        if residency.pins or residency.across_runs:
            return cls("parts" if residency.partial else "tensors")
        if residency.policy in ("none", "region"):
            return cls("nothing" if residency.policy == "none" else "regions", True)
        return cls("parts" if residency.partial else "tensors", True)


def least_moved(items: tuple[Item, ...], capacities: Floats, rule: Rule, counts: Judge) -> Floats:
    """Least bytes between the chip and off-chip memory in one run.

    Args:
        items: of the trace as it runs.
        capacities: bytes that all memories on chip hold together, of shape ``(capacities,)``.
        rule: what may stay there.
        counts: which operators count; those that compute where data is do not.

    Returns:
        Bytes, of shape ``(capacities,)``.
    """
    if rule.keeps == "nothing":
        return np.full(len(capacities), _moved_anew(items, counts))
    if rule.keeps == "regions":
        return _Regions(capacities, counts).moved(items)
    return _Tensors(capacities, counts, whole=rule.keeps == "tensors").moved(
        items, begins_empty=rule.begins_empty
    )


def _moved_anew(items: Collection[Item], counts: Judge) -> float:
    """Every operator fetches its operands and stores its results."""
    found = iterate(tuple(items))
    return float(sum((_read(op).total() + _written(op)) * n for op, n in found if counts(op)))


@dataclass(frozen=True)
class _Regions:
    """Traffic where a region keeps all that it touches at every step in one place, or nothing."""

    capacities: Floats
    counts: Judge

    def moved(self, items: Collection[Item]) -> Floats:
        """Of some items, one after the other."""
        total = np.zeros(len(self.capacities))
        for item in items:
            if isinstance(item, Region):
                total += self._of_region(item)
            elif isinstance(item, Branch):
                total += self.moved(item.likelier)
            else:
                total += _moved_anew((item,), self.counts)
        return total

    def _of_region(self, region: Region) -> Floats:
        anew = region.steps * self.moved(region.body)
        needed = sum(tensor.plain_bytes for tensor in stationary(region))
        kept = _read_only(region.body, (region,), self.counts).total()
        kept += region.steps * self._moving(region)
        found: Floats = np.where(needed <= self.capacities, np.minimum(kept, anew), anew)
        return found

    def _moving(self, region: Region) -> int:
        """Bytes of one step that lie elsewhere at every step."""
        return sum(
            times * _home_bytes(access, compulsory_bytes(op, number))
            for op, times in iterate(region.body)
            if self.counts(op)
            for number, access in enumerate(op.operands)
            if access.advance and (number >= len(op.inputs) or alike(op)[number] == number)
        )


@dataclass(frozen=True)
class _Tensors:
    """Traffic where any tensor may stay between any operators."""

    capacities: Floats
    counts: Judge
    whole: bool

    def moved(self, items: tuple[Item, ...], *, begins_empty: bool) -> Floats:
        """Of a whole run."""
        read = _read_only(items, (), self.counts)
        first = np.full(len(self.capacities), float(read.total()))
        found: Floats = np.maximum(first if begins_empty else self._beyond(read), self._all(items))
        return found

    def _all(self, items: Collection[Item]) -> Floats:
        return sum(map(self._of, items), np.zeros(len(self.capacities)))

    def _of(self, item: Item) -> Floats:
        if isinstance(item, Op):
            if not self.counts(item):
                return np.zeros(len(self.capacities))
            return self._beyond(_read(item)) + np.maximum(0.0, _written(item) - self.capacities)
        if isinstance(item, Branch):
            return self._all(item.likelier)
        step = self._beyond(_read_only(item.body, (item,), self.counts))
        found: Floats = item.steps * np.maximum(step, self._all(item.body))
        return found

    def _beyond(self, sizes: Counter[str]) -> Floats:
        """Bytes of tensors that cannot all be on chip at once: at most that much of them can."""
        found = np.zeros(len(self.capacities))
        small = np.full(len(self.capacities), float(sizes.total()))
        if self.whole:  # one that does not fit as a whole does not stay
            for size in sizes.values():
                found += np.where(size > self.capacities, size, 0)
            small -= found
        return found + np.maximum(0.0, small - self.capacities)


def _read_only(items: Collection[Item], around: tuple[Region, ...], counts: Judge) -> Counter[str]:
    """Bytes, by tensor, that some items read at every turn and nothing in them writes."""
    ops = [op for op, _ in iterate(tuple(items))]
    written = {access.tensor.name for op in ops for access in op.outputs}
    for carry in all_carries((*around, *items)):
        written |= {carry.state.name, carry.update.name}
    most: Counter[str] = Counter()
    for op in filter(counts, ops):
        for number, access in enumerate(op.inputs):
            if access.tensor.name not in written and not access.advance:
                _raise(most, access, compulsory_bytes(op, number))
    return most


def _read(op: Op) -> Counter[str]:
    """Bytes of the inputs of an operator, by tensor."""
    most: Counter[str] = Counter()
    for number, first in enumerate(alike(op)[: len(op.inputs)]):
        if first == number:
            _raise(most, op.inputs[number], compulsory_bytes(op, number))
    return most


def _raise(most: Counter[str], access: Access, size: int) -> None:
    name = access.tensor.name
    most[name] = max(most[name], _home_bytes(access, size))


def _written(op: Op) -> int:
    return sum(
        _home_bytes(access, compulsory_bytes(op, number))
        for number, access in enumerate(op.outputs, start=len(op.inputs))
    )


def _home_bytes(access: Access, size: int) -> int:
    """Bytes that move for so many in a buffer; on chip the same may take fewer."""
    return min(size, access.tensor.home_bytes(size))
