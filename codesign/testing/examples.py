"""What a plugin lets the conformance kit try, where defaults do not say it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codesign.workload.record import Op


@dataclass(frozen=True)
class Example:
    """One thing to try; a plugin returns it from ``codesign_examples``.

    Attributes:
        make: of a component kind, makes an instance; of a lowering, ``(module, args)`` whose graph
            has its target; of a fusion pass, a trace; of an estimator, a query.
        operators: of an engine, what to plan; small operators of every kind by default.
    """

    make: Callable[[], Any]
    operators: Callable[[], Iterable[Op]] | None = None
