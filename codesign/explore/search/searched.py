"""What a search has found: its points in order of their evaluation, and their front."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from codesign.explore.journal import Record
from codesign.explore.swept import Row, Swept


@dataclass(frozen=True, repr=False, kw_only=True)
class Searched(Swept):
    """The points of one search; ``points`` are those that constraints on parameters leave.

    Attributes:
        sampler: what asked for them.
        seed: of the sampler.
        order: combinations in the order of their evaluation, failed ones among them.
        reference: the point up to which the hypervolume counts, by objective.
        hypervolumes: after each evaluation.
        ended: why it ended.
    """

    sampler: str
    seed: int
    order: tuple[int, ...]
    reference: Mapping[str, float]
    hypervolumes: tuple[float, ...]
    ended: str

    def __repr__(self) -> str:
        return (
            f"<Searched {self.model} on {self.hardware} by {self.sampler}, seed {self.seed}: "
            f"{len(self.order)} of {self.points} points, {len(self.failed)} failed, hypervolume "
            f"{self.hypervolume:.4g}>"
        )

    @property
    def hypervolume(self) -> float:
        """That of all its points, in the product of the units of the objectives."""
        return self.hypervolumes[-1] if self.hypervolumes else 0.0

    def sequence(self) -> list[Row]:
        """Rows in the order of their evaluation; one that failed has ``message``."""
        rows = {row["index"]: row for row in (*self.done, *self.failed)}
        return [dict(rows[index]) for index in self.order]


def swept_of(records: Iterable[Record], points: int = 0, left_out: int = 0) -> Swept:
    """What the records of a journal come to that no sweep has planned.

    Args:
        records: of the journal.
        points: how many there are in all.
        left_out: how many were left out.
    """
    kept = [record for record in records if record["event"] != "planned"]
    planned = {"event": "planned", "points": points, "left_out": left_out}
    return replace(Swept.of([*kept, planned]), to_come=0)
