"""Whether all that a placement will be charged for has an energy, before it is replayed."""

from __future__ import annotations

from collections.abc import Iterator

from codesign.errors import MappingError, did_you_mean
from codesign.hardware.plan import TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.charges import charged, crossing, owner
from codesign.mapping.placement import Assignment, Placement


def check_prices(placement: Placement, hardware: Hardware) -> None:
    """Checks that every action of every plan, and every transfer, has an energy.

    Transfers charge ``read`` and ``write`` to the memories at both ends and on the way, and
    ``move`` to the links. What a process engine charges beyond its transfers is only known when it
    does; ``check_charge`` is for that.

    Args:
        placement: what will run where.
        hardware: the same hardware that it was placed on.

    Raises:
        MappingError: an action that its component does not price, or that is charged to no
            component, with the first operator that charges it.
    """
    seen: set[tuple[object, ...]] = set()
    ways: set[tuple[str, str, bool]] = set()
    priced: set[tuple[str, str]] = set()
    for assignment, _ in placement.assignments():
        # a plan is known by its identity: comparing its loops would take longer than checking them
        inputs = len(assignment.op.inputs)
        key = (assignment.engine, id(assignment.plan), assignment.homes, inputs)
        if key not in seen:
            seen.add(key)
            for charge in _charges(assignment, hardware, ways):
                if charge not in priced:
                    check_charge(*charge, assignment, hardware)
                    priced.add(charge)


def planned_j(one: Assignment, plan: TilePlan, hardware: Hardware) -> float:
    """Joules of an operator by its plan: what its tiles move and what its engine does.

    Without leakage, and without the rows that a DRAM opens, which only a replay knows.

    Args:
        one: the operator on its engine, with the homes of its operands.
        plan: its tiles.
        hardware: the machine.

    Raises:
        MappingError: an action without an energy, as ``check_prices``.
    """
    total = 0.0
    for (name, action), count in charged(one, plan, hardware).items():
        check_charge(name, action, one, hardware)
        total += hardware.components[name].energy_j(action, count)
    return total


def _charges(
    one: Assignment, hardware: Hardware, ways: set[tuple[str, str, bool]]
) -> Iterator[tuple[str, str]]:
    """(component, action) of what an assignment will do, but for moves along ways met before."""
    plan, engine = one.plan, hardware.engine(one.engine)
    operands, inputs = range(len(one.op.operands)), len(one.op.inputs)
    moved = (plan.loaded, plan.stored) if plan else (operands[:inputs], operands[inputs:])
    for some, is_load in zip(moved, (True, False), strict=True):
        for operand in some:
            way = one.homes[operand], one.stage(operand, engine), is_load
            if way in ways:
                continue
            if one.op.operands[operand].tensor.stored is None:  # else a codec is charged too
                ways.add(way)
            for component, action, _ in crossing(one, operand, 1, is_load, hardware):
                yield component, action
    for component, action, _ in plan.actions if plan else ():
        yield owner(component, engine), action


def check_charge(component: str, action: str, assignment: Assignment, hardware: Hardware) -> None:
    """Checks that one action of an assignment has an energy.

    Args:
        component: name of who is charged; ``""`` is the engine, ``"buffer"`` its buffer.
        action: what it does.
        assignment: what charges it.
        hardware: the hardware that it was placed on.

    Raises:
        MappingError: there is no such component, or it does not price the action, or below 0.
    """
    charged = owner(component, hardware.engine(assignment.engine))
    if charged not in hardware.components:
        raise MappingError(
            f"{assignment.op.name}: engine {assignment.engine!r} charges action {action!r} to an "
            f"unknown component {charged!r}{did_you_mean(charged, hardware.components)}; "
            "charge one of them, '' for the engine or 'buffer'"
        )
    part = hardware.components[charged]
    prices = part.energies_j()
    if prices.get(action, 0) < 0:
        raise MappingError(
            f"{charged} ({part.kind}): the energy of action {action!r} must be >= 0 J, got "
            f"{prices[action]:g}; correct energies_j of kind {part.kind!r}"
        )
    if action not in prices:
        raise MappingError(
            f"{charged} ({part.kind}) has no energy for action {action!r}, which operator "
            f"{assignment.op.name!r} needs on engine {assignment.engine!r}; "
            f"add it to energies_j of kind {part.kind!r}"
        )
