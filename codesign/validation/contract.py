"""What a plugin says about one family of reference figures, and what a comparison gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar

from codesign.errors import ValidationError

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One figure, ours and theirs.

    Attributes:
        name: what was run; with the quantity it is unique in its family.
        quantity: what is compared, such as ``cycles`` or ``energy``.
        unit: symbol of the unit of both figures; empty for a count.
        ours: our figure, finite and at least 0.
        theirs: the reference, finite and above 0.
        calibrated: whether a constant of ours was fitted to this figure.
        note: what a reader must know about this figure; one line.

    Raises:
        ValidationError: a figure that cannot be compared.
    """

    name: str
    quantity: str
    unit: str = ""
    ours: float
    theirs: float
    calibrated: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        for field in ("ours", "theirs"):
            value = getattr(self, field)
            if hasattr(value, "item"):  # a number of an array, which JSON would not know
                object.__setattr__(self, field, value.item())
        if not (math.isfinite(self.theirs) and self.theirs > 0):
            raise ValidationError(
                f"{self.quantity} of case {self.name!r}: theirs must be finite and above 0, got "
                f"{self.theirs}; leave it out as NotRun with the reason"
            )
        if not (math.isfinite(self.ours) and self.ours >= 0):
            raise ValidationError(
                f"{self.quantity} of case {self.name!r}: ours must be finite and at least 0, got "
                f"{self.ours}; correct the comparison"
            )

    @property
    def error(self) -> float:
        """Signed error ours / theirs - 1: above 0 where ours is larger."""
        return (self.ours - self.theirs) / self.theirs


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRun:
    """A reference that is not compared; it is listed all the same.

    Attributes:
        name: a case, or a file of cases.
        reason: why; one line.
    """

    name: str
    reason: str


Outcome: TypeAlias = Case | NotRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation(Generic[Row]):
    """A family of cases: where its references come from, and how one of them is compared.

    Attributes:
        title: what is compared with what; one line.
        source: tool with version, or publication, of the reference figures; one line.
        rows: the references in order, read and checked but not run. It takes the data folder, or
            None where the folder or one of ``files`` is not there; the rows that need no file, if
            there are any, are given then.
        compare: runs one of the rows and gives its cases. It is a pure function of the row.
        files: paths below the data folder that ``rows`` reads.
        note: what is known about the differences; one line.

    Raises:
        ValidationError: a title or source that says nothing.
    """

    title: str
    source: str
    rows: Callable[[Path | None], Sequence[Row]]
    compare: Callable[[Row], Iterable[Outcome]]
    files: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        for field in ("title", "source"):
            if not getattr(self, field).strip():
                raise ValidationError(f"a Validation needs a {field}, got an empty one; write it")
