"""What every engine promises: its plans are pure data, fit the buffer and lose no byte."""

from __future__ import annotations

import pickle
from collections.abc import Iterable

from codesign.errors import OF_OTHERS, MappingError
from codesign.hardware.component import Engine
from codesign.hardware.fields_only import is_fields_only
from codesign.hardware.plan import Budget, Store, TilePlan
from codesign.mapping.choice import estimate_s
from codesign.mapping.twins import Watch
from codesign.raised import raised
from codesign.testing.mappings import check_mappings
from codesign.testing.operators import every_operator
from codesign.testing.plans import check_plan
from codesign.testing.processes import check_process_engine
from codesign.testing.rules import check_energies, check_fields, expect
from codesign.workload.record import Op

FORMATS = ("int8", "bf16", "fp16", "fp32", "int4")
"""Number formats that are offered to an engine, until it takes something."""
BUFFERS = (2048, 16384, 1 << 20)
"""Bytes of buffer that every operator is planned for; in the last one everything fits."""
_RATE = 1e9  # bytes per second: slow enough for the memory to matter, fast enough for the array
_SLACK = 1.05  # an engine may score plans a little differently from ``estimate_s``


def check_engine(engine: Engine, operators: Iterable[Op] | None = None) -> None:
    """Checks an engine: its fields, its energies, and its plans for small operators.

    Every operator that it supports is planned with several buffers and residencies. Each plan has
    to be equal when asked for again, survive pickling, fit the buffer, move at least the
    compulsory bytes, store every output once, and take cycles and actions for its MACs; more buffer
    must not make it slower, and a buffer of one byte must be a MappingError. An engine that takes
    fixed mappings has to keep to them, see ``codesign.testing.mappings``. An engine that is a
    process is replayed on each operator instead, see ``check_process_engine``.

    Args:
        engine: an instance as a hardware file would make it.
        operators: what to plan; by default small operators of every kind, in the first of
            ``FORMATS`` in which the engine takes any.

    Raises:
        AssertionError: says which promise is broken, for which operator, and what to change.
    """
    check_fields(type(engine))
    check_energies(engine)
    taken = _taken(engine, operators)
    expect(
        taken,
        f"{engine.kind}: supports() refuses every operator that it was offered; "
        "pass some that it takes: check_engine(engine, operators=[...])",
    )
    for op in taken:
        if engine.process is None:
            check_operator(engine, op)
        else:
            check_process_engine(engine, op)


def _taken(engine: Engine, operators: Iterable[Op] | None) -> list[Op]:
    if operators is not None:
        return [op for op in operators if _supports(engine, op)]
    for dtype in FORMATS:
        taken = [op for op in every_operator(dtype) if _supports(engine, op)]
        if taken:
            return taken
    return []


def _supports(engine: Engine, op: Op) -> bool:
    answer = engine.supports(op)
    expect(
        answer is None or (isinstance(answer, str) and answer),
        f"{engine.kind}.supports({op.name!r}) must be None or the reason why not, got {answer!r}",
    )
    expect(
        engine.supports(op) == answer,
        f"{engine.kind}.supports({op.name!r}): two calls gave two answers; keep no state",
    )
    return answer is None


def check_operator(engine: Engine, op: Op) -> None:
    """Checks the plans of one operator that the engine supports.

    Raises:
        AssertionError: says which promise is broken and what to change.
    """
    plans = []
    for buffer in BUFFERS:
        budget = Budget(buffer, _RATE, _RATE)
        plan = _planned(engine, op, budget)
        if plan is not None:
            check_plan(engine, op, budget, plan)
            plans.append((budget, plan))
    expect(
        plans and plans[-1][0].buffer_bytes == BUFFERS[-1],
        f"{engine.kind}: finds no plan for {op.name!r} in {BUFFERS[-1]} B, where it fits whole",
    )
    _check_pure(engine, op, *plans[-1])
    _check_growth(engine, op, plans)
    _check_residency(engine, op)
    _check_refusal(engine, op)
    _check_stages(engine, op)
    check_mappings(engine, op)


def _check_stages(engine: Engine, op: Op) -> None:
    """Operands are staged in memories that the engine names, and plans say what they take."""
    names = (engine.buffer, *engine.stages)
    known = (*names, *engine.occupies)
    for operand in range(len(op.operands)):
        stage = engine.stage(op, operand)
        expect(
            stage in known,
            f"{engine.kind}.stage({op.name!r}, {operand}) is {stage!r}; name it in stages too",
        )
    stores = tuple(Store(name, BUFFERS[-1], 0.0, 0.0) for name in (*names, "home"))
    budget = Budget(BUFFERS[-1], _RATE, _RATE, stores=stores)
    plan = _planned(engine, op, budget)
    if plan is not None:
        check_plan(engine, op, budget, plan)


def _planned(engine: Engine, op: Op, budget: Budget) -> TilePlan | None:
    """The plan, or None where the engine says that nothing fits."""
    try:
        plan = engine.plan(op, budget)
    except MappingError:
        return None
    except OF_OTHERS as error:
        raise AssertionError(
            f"{engine.kind}.plan({op.name!r}, {budget.buffer_bytes} B) raised "
            f"{raised(error, engine)}; raise codesign.errors.MappingError where nothing fits"
        ) from error
    expect(
        isinstance(plan, TilePlan),
        f"{engine.kind}.plan({op.name!r}) must return a codesign.TilePlan, got {plan!r:.60}",
    )
    return plan


def _check_pure(engine: Engine, op: Op, budget: Budget, plan: TilePlan) -> None:
    place = f"{engine.kind}.plan({op.name!r})"
    expect(
        engine.plan(op, budget) == plan,
        f"{place}: two calls gave two plans; keep no state and draw no random numbers",
    )
    if is_fields_only(type(engine)):
        twin = Watch(engine).twin
        expect(
            twin.plan(op, budget) == plan,
            f"{place}: another object with the same fields plans otherwise; take away fields_only, "
            "or keep nothing outside of fields and ask for no exact type",
        )
    try:
        copy = pickle.loads(pickle.dumps(plan))  # noqa: S301  # our own bytes, made on this line
    except OF_OTHERS as error:
        raise AssertionError(
            f"{place}: cannot be pickled ({type(error).__name__}), so no worker process can get "
            "it; put only plain data into a plan"
        ) from error
    expect(copy == plan, f"{place}: changes when pickled; put only plain data into a plan")


def _check_growth(engine: Engine, op: Op, plans: list[tuple[Budget, TilePlan]]) -> None:
    """More buffer only adds choices, so the best of them must not get worse."""
    best = float("inf")
    for budget, plan in plans:
        seconds = estimate_s(plan, budget)
        expect(
            seconds <= best * _SLACK,
            f"{engine.kind}.plan({op.name!r}): {budget.buffer_bytes} B of buffer take "
            f"{seconds:.3g} s, less buffer took {best:.3g} s; keep the smaller tiling as a choice",
        )
        best = min(best, seconds)


def _check_residency(engine: Engine, op: Op) -> None:
    """Operands that lie in the buffer already move nothing, one by one and all together."""
    count = len(op.operands)
    masks = [tuple(place == chosen for place in range(count)) for chosen in range(count)]
    for resident in (*masks, (True,) * count):
        budget = Budget(BUFFERS[-1], _RATE, _RATE, resident=resident)
        plan = _planned(engine, op, budget)
        expect(
            plan is not None,
            f"{engine.kind}: finds no plan for {op.name!r} with residency {resident}",
        )
        if plan is not None:
            check_plan(engine, op, budget, plan)


def _check_refusal(engine: Engine, op: Op) -> None:
    plan = _planned(engine, op, Budget(1, _RATE, _RATE))
    expect(
        plan is None,
        f"{engine.kind}.plan({op.name!r}): claims to fit a buffer of 1 B; raise MappingError where "
        "the smallest tile does not fit",
    )
