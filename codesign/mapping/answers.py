"""What engines answer when the mapping asks them, and plans that they have made before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from codesign.errors import CodesignError, MappingError, PluginError, one_line
from codesign.hardware.component import Engine
from codesign.hardware.plan import Budget, TilePlan
from codesign.workload.record import Op

T = TypeVar("T")

_KEPT = 4096
"""Plans that are kept (assumed): those of a few large models on a few engines."""

_made: OrderedDict[tuple[object, ...], tuple[Engine, TilePlan]] = OrderedDict()
"""Plans by engine, content and budget, the last used last.

An engine is frozen and plans by nothing else, so the plan of one run serves the next; a grid that
changes other parts of the hardware plans once. The engine stands beside the plan so that no other
one is made at its address.
"""


def refusals(op: Op, engines: Sequence[Engine]) -> dict[str, str]:
    """Engines that refuse an operator, with their reasons."""
    answers = {e.name: _ask(e, op, "supports", partial(e.supports, op)) for e in engines}
    return {name: reason for name, reason in answers.items() if reason is not None}


def plan_of(engine: Engine, op: Op, budget: Budget) -> TilePlan:
    """An engine's plan, the same again for the same question.

    Raises:
        MappingError: no tile fits the budget.
        PluginError: the engine fails, or returns something else.
    """
    key = id(engine), op.content, budget
    if key not in _made:
        _made[key] = engine, _planned(engine, op, budget)
        if len(_made) > _KEPT:
            _made.popitem(last=False)
    _made.move_to_end(key)
    return _made[key][1]


def _planned(engine: Engine, op: Op, budget: Budget) -> TilePlan:
    plan = _ask(engine, op, "plan", partial(engine.plan, op, budget))
    if not isinstance(plan, TilePlan):
        raise PluginError(
            f"{engine.name} ({engine.kind}): plan of {op.name!r} must be a TilePlan, "
            f"got {type(plan).__name__}; run codesign.testing.check_engine on it"
        )
    return plan


def _ask(engine: Engine, op: Op, question: str, answer: Callable[[], T]) -> T:
    """An answer of a plugin, whose own failures are told as such."""
    try:
        return answer()
    except CodesignError as error:
        if isinstance(error, MappingError):
            raise
        raise PluginError(_failed(engine, op, question, error)) from error
    except Exception as error:  # a plugin may fail in any way; name it and say where
        raise PluginError(_failed(engine, op, question, error)) from error


def _failed(engine: Engine, op: Op, question: str, error: Exception) -> str:
    return (
        f"{engine.name} ({engine.kind}): {question}() of {op.name!r} raised {one_line(error)}; "
        "run codesign.testing.check_engine on it"
    )
