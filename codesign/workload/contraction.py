"""Nests from labelled operands: the einsum notation that every product is lowered through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codesign.workload import view
from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import Access


def labelled_nest(
    operands: Sequence[tuple[Access, Sequence[str]]], extents: Mapping[str, int]
) -> tuple[tuple[Access, ...], LoopNest]:
    """The loop nest of a product of operands whose axes carry labels, as in einsum.

    Broadcast axes (stride 0 or extent 1) are dropped from their operand, loops of one trip are
    dropped, and loops that step together in every operand become one, so that a linear layer over
    ``[batch, time, features]`` has a single row loop wherever the strides allow it.

    Args:
        operands: accesses, inputs first, each with one label per axis. A label that ends in digits
            (``m0``, ``m1``) loses them if it is the only one left of its letter.
        extents: trip count of each label, in loop order.

    Returns:
        The accesses as the nest reads them, and the nest.
    """
    accesses = [_without_broadcast(access, labels) for access, labels in operands]
    order = [label for label, extent in extents.items() if extent != 1]
    counts = dict(extents)
    for label in reversed(order[:-1] if all(extents.values()) else []):
        following = order[order.index(label) + 1]
        if all(_mergeable(a, names, label, following) for a, names in accesses):
            accesses = [_merged(a, names, label, following) for a, names in accesses]
            counts[label] *= counts[following]
            order.remove(following)
    order = order or list(extents)[-1:]
    projections = tuple(
        tuple(Axis(((order.index(name), 1),)) for name in names) for _, names in accesses
    )
    nest = LoopNest(_tidy(order), tuple(counts[label] for label in order), projections)
    return tuple(access for access, _ in accesses), nest


def _without_broadcast(access: Access, labels: Sequence[str]) -> tuple[Access, list[str]]:
    kept = list(labels)
    for axis in reversed(range(len(labels))):
        if access.strides[axis] == 0 or access.shape[axis] == 1:
            access = view.select(access, axis, 0)
            del kept[axis]
    return access, kept


def _mergeable(access: Access, names: Sequence[str], first: str, second: str) -> bool:
    if first not in names or second not in names:
        return first not in names and second not in names
    one, two = names.index(first), names.index(second)
    adjacent = two == one + 1
    return adjacent and access.strides[one] == access.strides[two] * access.shape[two]


def _merged(
    access: Access, names: Sequence[str], first: str, second: str
) -> tuple[Access, list[str]]:
    if first not in names:
        return access, list(names)
    at = names.index(first)
    shape = (*access.shape[:at], access.shape[at] * access.shape[at + 1], *access.shape[at + 2 :])
    found = view.reshape(access, shape)
    if found is None:  # pragma: no cover - _mergeable has checked the strides
        raise ValueError(f"axes {first} and {second} of {access} do not merge")
    return found, [name for name in names if name != second]


def _tidy(labels: Sequence[str]) -> tuple[str, ...]:
    stems = [label.rstrip("0123456789") for label in labels]
    return tuple(
        stem if stem and stems.count(stem) == 1 else label
        for stem, label in zip(stems, labels, strict=True)
    )
