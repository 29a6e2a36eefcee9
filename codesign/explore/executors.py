"""Who measures points: an executor takes what they share and the points, and tells each once done.

Nothing else is asked of one, so that processes of this machine and those of a cluster are alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from codesign.explore.evaluate import Done, Evaluator, Job, Task


class Executor(Protocol):
    """Measures points."""

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Done]:
        """Every point once, in any order.

        Args:
            job: what all of them share.
            tasks: the points; neighbours share most.
        """


class Serial:
    """One point after the other, in this process."""

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Done]:
        """As of ``Executor``, in the order of the points."""
        evaluator = Evaluator(job)
        yield from map(evaluator.measure, tasks)
