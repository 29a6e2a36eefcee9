"""What engines answer when the mapping asks them, and answers that they have given before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral
from typing import Any, TypeVar, cast

from codesign.errors import OF_OTHERS, CodesignError, MappingError, PluginError
from codesign.hardware.component import Engine
from codesign.hardware.plan import MOST_CYCLES, Budget, TilePlan
from codesign.mapping.kept import Kept, KeptOf, Mark, Marks
from codesign.mapping.recall import Computation, Recall, Steps
from codesign.mapping.twins import Content, Watch, watches
from codesign.raised import raised
from codesign.workload.record import Op

T = TypeVar("T")

_PLANS = 4096
"""Plans that are kept (assumed): those of a few large models on a few engines."""
_STEP_BYTES = 128 << 20
"""Bytes of tables that engines plan with and that are kept (assumed)."""
_OPS = 1 << 15
"""Operators whose content is known, and refusals that are kept (assumed)."""
_BUDGETS = 512
"""Budgets of which it is known what they hold (assumed): most operators of a model share a few."""
_ENGINES = 512
"""Engines of which it is known what they read to plan (assumed)."""

_plans = Recall[TilePlan](_PLANS)
_steps = Steps(_STEP_BYTES)
_refused = Kept[tuple[Engine, str | None]](_OPS)
_watched: KeptOf[Engine, Watch[Engine]] = watches(_ENGINES)
_granted = KeptOf[Budget, Content](_BUDGETS, Content)
_contents = Marks[Op](_OPS, lambda op: op.content)


def content_of(op: Op) -> Mark:
    """Stands for ``Op.content``, on which the cost of an operator depends."""
    return _contents.of(op)


def refusals(op: Op, engines: Sequence[Engine]) -> dict[str, str]:
    """Engines that refuse an operator, with their reasons."""
    content = content_of(op)
    answers = {engine.name: _refusal(engine, op, content) for engine in engines}
    return {name: reason for name, reason in answers.items() if reason is not None}


def _refusal(engine: Engine, op: Op, content: Mark) -> str | None:
    key = id(engine), content
    found = _refused.find(key)
    if found is None:  # the engine stands beside the answer so that no other is made at its address
        answer: object = _ask(engine, op, "supports", partial(engine.supports, op))
        if answer is not None and not isinstance(answer, str):
            raise PluginError(
                f"{engine.name} ({engine.kind}): supports() of {op.name!r} must be None or the "
                f"reason why not, got {answer!r:.60}; run codesign.testing.check_engine on it"
            )
        found = _refused.keep(key, (engine, answer))
    return found[1]


def plan_of(engine: Engine, op: Op, budget: Budget) -> TilePlan:
    """An engine's plan.

    It is the same again for operators of the same content and for whatever else the engine would
    have read the same of: of the budget and of its own fields.

    Raises:
        MappingError: no tile fits the budget.
        PluginError: the engine fails, or returns something else.
    """
    grant = Watch(budget, _granted.of(budget))
    inputs: dict[str, Watch[Any]] = {"engine": _watched.of(engine), "budget": grant}
    computed = Computation((type(engine), content_of(op)), inputs, _plans, _steps)
    twin, granted = inputs["engine"].twin, inputs["budget"].twin
    return computed.result(lambda: _planned(twin, op, granted))


def _planned(engine: Engine, op: Op, budget: Budget) -> TilePlan:
    plan = _ask(engine, op, "plan", partial(engine.plan, op, budget))
    if not isinstance(plan, TilePlan):
        raise PluginError(
            f"{engine.name} ({engine.kind}): plan of {op.name!r} must be a TilePlan, "
            f"got {type(plan).__name__}; run codesign.testing.check_engine on it"
        )
    for tile, _ in plan.counts:
        if not isinstance(tile.cycles, int) or tile.cycles < 0:
            raise PluginError(
                f"{engine.name} ({engine.kind}): a tile of {op.name!r} must take whole cycles, at "
                f"least 0, got {tile.cycles!r}; run codesign.testing.check_engine on it"
            )
    _check_rows(engine, op, "actions", plan.actions, (str, str, object))
    _check_rows(engine, op, "slots", plan.slots, (str, int))
    for _, action, count in plan.actions:
        if not isinstance(count, Integral) or count < 0:
            raise PluginError(
                f"{engine.name} ({engine.kind}): plan of {op.name!r} counts {count!r} of "
                f"{action!r}; whole and at least 0; run codesign.testing.check_engine on it"
            )
    longest = max((tile.cycles for tile, _ in plan.counts), default=0)
    if longest >= MOST_CYCLES:
        raise MappingError(
            f"{engine.name}: a tile of {op.name!r} takes 2**60 cycles or more; raise the rate of "
            "what it waits for, or lower the clock"
        )
    return plan


def _check_rows(engine: Engine, op: Op, name: str, rows: object, types: tuple[type, ...]) -> None:
    """Rows of a plan are tuples: a generator would be empty when it is read again."""
    row: object = rows
    if isinstance(rows, tuple):
        row = next((one for one in rows if not _is_row(one, types)), None)
        if row is None:
            return
    words = {str: "text", int: "int", object: "count"}
    raise PluginError(
        f"{engine.name} ({engine.kind}): {name} of the plan of {op.name!r} must be a tuple of "
        f"({', '.join(words[one] for one in types)}), got {row!r:.60}; run "
        "codesign.testing.check_engine on it"
    )


def _is_row(row: object, types: tuple[type, ...]) -> bool:
    is_shaped = isinstance(row, tuple) and len(row) == len(types)
    return is_shaped and all(map(isinstance, cast("tuple[Any, ...]", row), types))


def _ask(engine: Engine, op: Op, question: str, answer: Callable[[], T]) -> T:
    """An answer of a plugin, whose own failures are told as such."""
    try:
        return answer()
    except CodesignError as error:
        if isinstance(error, MappingError):
            raise
        raise PluginError(_failed(engine, op, question, error)) from error
    except OF_OTHERS as error:  # a plugin may fail in any way; name it and say where
        raise PluginError(_failed(engine, op, question, error)) from error


def _failed(engine: Engine, op: Op, question: str, error: BaseException) -> str:
    told = raised(error, engine, getattr(type(engine), question, None))
    return (
        f"{engine.name} ({engine.kind}): {question}() of {op.name!r} raised {told}; "
        "run codesign.testing.check_engine on it"
    )
