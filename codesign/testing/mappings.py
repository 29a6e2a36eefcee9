"""What an engine promises that says it takes fixed mappings."""

from __future__ import annotations

from codesign.errors import MappingError
from codesign.hardware.component import Engine
from codesign.hardware.fixed import FixedMapping
from codesign.hardware.plan import Budget
from codesign.testing.plans import check_plan
from codesign.testing.rules import expect
from codesign.workload.compulsory import compulsory_bytes
from codesign.workload.record import Op
from codesign.workload.work import elements

_RATE = 1e9
_PLACE = "a fixed mapping"


def check_mappings(engine: Engine, op: Op) -> None:
    """Checks that ``plan`` keeps to ``Budget.fixed``: one tile for all of an operator, or none.

    In a buffer with room for four times its operands, a plan that was decided to be one tile keeps
    every promise of a plan. In one that has not room for them once, there is none: an engine that
    plans smaller tiles all the same did not listen.

    Raises:
        AssertionError: says which promise is broken and what to change.
    """
    if not engine.takes_mappings:
        return
    tile = op.loops.extents if op.kind == "contraction" else (elements(op),)
    mapping = FixedMapping(tile, place=_PLACE)
    size = sum(compulsory_bytes(op, number) for number in range(len(op.operands)))
    place = f"{engine.kind}.plan({op.name!r}) under {_PLACE} of one tile"
    ample = Budget(
        4 * sum(access.bytes for access in op.operands) + 64, _RATE, _RATE, fixed=mapping
    )
    try:
        check_plan(engine, op, ample, engine.plan(op, ample))
    except MappingError as error:  # its own stores may be too small for that
        expect(
            _PLACE in str(error),
            f"{place} raised {str(error)!r}; name the mapping by its place, {_PLACE!r}",
        )
    tight = Budget(max(1, size // 2), _RATE, _RATE, fixed=mapping)
    try:
        plan = engine.plan(op, tight)
    except MappingError:
        return
    expect(
        False,
        f"{place} has {plan.tiles} tiles in {tight.buffer_bytes} B, where one tile does not fit; "
        "keep to Budget.fixed, or leave takes_mappings False",
    )
