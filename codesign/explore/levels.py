"""The values that a parameter takes in a table, in an order that a reader expects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign.errors import UnitError
from codesign.units import parse_quantity

Codes: TypeAlias = "NDArray[np.int64]"

ABSENT = -1
"""Code of a row that has no such parameter."""
_UNITS = ("B", "B/s", "Hz", "s", "J", "W", "V", "A")


@dataclass(frozen=True)
class Levels:
    """What a parameter takes, and which row takes what.

    Attributes:
        labels: of the values, in order: numbers, and texts that are quantities of one unit, from
            small to large; others as they first appear.
        codes: place of each row's value in ``labels``, or ``ABSENT``.
    """

    labels: tuple[str, ...]
    codes: Codes

    @classmethod
    def of(cls, values: Sequence[Any]) -> Levels:
        """Sorts out the values of a column; None is a row without the parameter."""
        first: dict[str, Any] = {}
        keys = [None if value is None else repr(value) for value in values]
        for key, value in zip(keys, values, strict=True):
            if key is not None:
                first.setdefault(key, value)
        places = {key: place for place, key in enumerate(_sorted(first))}
        codes = [ABSENT if key is None else places[key] for key in keys]
        labels = tuple(text_of(first[key]) for key in places)
        return cls(labels, np.array(codes, dtype=np.int64))

    @property
    def counts(self) -> tuple[int, ...]:
        """Rows of each value."""
        found = np.bincount(self.codes[self.codes >= 0], minlength=len(self.labels))
        return tuple(found.tolist())

    def label(self, row: int) -> str:
        """What a row takes; a dash for nothing."""
        code = int(self.codes[row])
        return "-" if code == ABSENT else self.labels[code]

    def at_most(self, count: int) -> Levels:
        """The same with neighbouring values taken together, in groups of about as many rows.

        Args:
            count: of groups, where there are more values than that.
        """
        if len(self.labels) <= count:
            return self
        rows = np.array(self.counts)
        middles = np.cumsum(rows) - rows / 2
        groups = np.minimum(count * middles // rows.sum(), count - 1).astype(np.int64)
        kept, groups = np.unique(groups, return_inverse=True)
        members = [np.flatnonzero(groups == group) for group in range(len(kept))]
        labels = tuple(_span(self.labels, some) for some in members)
        codes = np.where(self.codes >= 0, groups[self.codes], ABSENT)
        return Levels(labels, codes)


def factors_of(
    parameters: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> list[tuple[tuple[str, ...], Levels]]:
    """Parameters that vary in a table, each with its values; what always changes together as one.

    Args:
        parameters: names, in order.
        rows: values by name; a row may lack a parameter.
    """
    tied: dict[bytes, list[tuple[str, Levels]]] = {}
    for name in parameters:
        levels = Levels.of([row.get(name) for row in rows])
        if len(levels.labels) > 1:
            tied.setdefault(_partition(levels.codes), []).append((name, levels))
    return [
        (tuple(name for name, _ in some), _joined([levels for _, levels in some]))
        for some in tied.values()
    ]


def text_of(value: object) -> str:
    """A value as a table or an axis shows it: six digits at most, and no line breaks."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return "".join(sign if sign.isprintable() else " " for sign in str(value))


def _span(labels: Sequence[str], members: Codes) -> str:
    first, last = labels[members[0]], labels[members[-1]]
    return first if len(members) == 1 else f"{first} to {last}"


def _sorted(first: dict[str, Any]) -> list[str]:
    """Keys by size of their values, or as they are where these have no size."""
    sizes = _sizes(list(first.values()))
    if sizes is None:
        return list(first)
    by_key = dict(zip(first, sizes, strict=True))
    return sorted(first, key=by_key.__getitem__)


def _sizes(values: list[Any]) -> list[float] | None:
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return [float(value) for value in values]
    if not all(isinstance(value, str) for value in values):
        return None
    for unit in _UNITS:
        try:
            return [parse_quantity(value, unit) for value in values]
        except UnitError:
            continue
    return None


def _partition(codes: Codes) -> bytes:
    """Equal for columns that tell the same rows apart."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64).tobytes()


def _joined(tied: Sequence[Levels]) -> Levels:
    """Values of parameters that change together, as those of one."""
    if len(tied) == 1:
        return tied[0]
    whole = min(tied, key=lambda levels: int(np.sum(levels.codes == ABSENT)))
    rows = [int(np.argmax(whole.codes == code)) for code in range(len(whole.labels))]
    labels = [", ".join(levels.label(row) for levels in tied) for row in rows]
    return Levels(tuple(labels), whole.codes)
