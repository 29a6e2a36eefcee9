"""What holds for every tile plan, whichever engine made it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from codesign.hardware.component import Engine
from codesign.hardware.plan import Budget, Tile, TilePlan
from codesign.testing.rules import check_priced, expect
from codesign.workload.compulsory import alike, compulsory_bytes
from codesign.workload.record import Op

_ROUNDING = 1 + 1e-9  # of floating-point sums that are equal on paper


def check_plan(engine: Engine, op: Op, budget: Budget, plan: TilePlan) -> None:
    """Checks one plan against the operator and the budget it was made for.

    Args:
        engine: who made it.
        op: what it runs.
        budget: what it was granted.
        plan: the plan.

    Raises:
        AssertionError: says which promise is broken and what to change.
    """
    place = f"{engine.kind}.plan({op.name!r}, {budget.buffer_bytes} B)"
    _check_signs(place, plan)
    _check_capacity(place, engine, op, budget, plan)
    _check_rooms(place, engine, op, budget, plan)
    _check_loads(place, op, budget, plan)
    _check_stores(place, op, budget, plan)
    _check_slots(place, op, plan)
    check_actions(place, engine, plan.actions)
    _check_work(place, op, plan)
    _check_least(place, engine, op, plan)


def _check_signs(place: str, plan: TilePlan) -> None:
    expect(plan.tiles >= 1, f"{place}: has no tile; a loop repeats at least once")
    expect(plan.clock_hz >= 1, f"{place}: clock_hz must be at least 1, got {plan.clock_hz}")
    for tile, times in plan.counts:
        expect(times >= 1, f"{place}: repeats a tile {times} times; a loop repeats at least once")
        expect(
            _is_count(tile.cycles),
            f"{place}: a tile takes {tile.cycles!r} cycles; whole and at least 0, round up",
        )
        for move in (*tile.loads, *tile.stores):
            expect(
                _is_count(move.bytes) and move.rows >= 1 and move.pitch >= 0,
                f"{place}: {move} is not whole bytes, at least one row and a pitch of at least 0",
            )
    numbers = {
        "held_bytes": plan.held_bytes,
        "slot_in_bytes": plan.slot_in_bytes,
        "slot_out_bytes": plan.slot_out_bytes,
        "slots_in": plan.slots_in,
        "slots_out": plan.slots_out,
    }
    for name, number in numbers.items():
        expect(_is_count(number), f"{place}: {name} must be whole and at least 0, got {number!r}")
    idle = sorted(set(plan.exclusive) - set(plan.loaded))
    expect(
        not idle, f"{place}: exclusive names operands {idle}, which no tile loads; leave them out"
    )


def _is_count(number: object) -> bool:
    return isinstance(number, int) and number >= 0


def _check_rooms(place: str, engine: Engine, op: Op, budget: Budget, plan: TilePlan) -> None:
    granted = {store.memory: store.bytes for store in budget.stores}
    rooms = {room.memory: room for room in plan.rooms}
    for room in plan.rooms:
        expect(
            room.memory in engine.stages and room.granted_bytes == granted.get(room.memory),
            f"{place}: {room} must be of a memory in stages, with the bytes of budget.stores",
        )
        expect(
            room.held_bytes + room.slot_in_bytes <= room.granted_bytes,
            f"{place}: {room} takes more than it is granted; choose smaller tiles",
        )
    for memory in engine.stages if granted else ():
        found = rooms.get(memory)
        most = found.held_bytes + found.slot_in_bytes if found else 0
        loads = max(_loaded(tile, engine, op, memory) for tile, _ in plan.counts)
        expect(
            loads <= most,
            f"{place}: a tile loads {loads} B into {memory!r}, where its room takes {most} B; say "
            "in rooms what it takes",
        )


def _check_capacity(place: str, engine: Engine, op: Op, budget: Budget, plan: TilePlan) -> None:
    expect(
        plan.buffer_bytes <= budget.buffer_bytes,
        f"{place}: takes {plan.buffer_bytes} B of buffer; choose smaller tiles, or raise "
        "MappingError",
    )
    room_in = plan.held_bytes + plan.slot_in_bytes * bool(plan.slots_in)
    room_out = plan.held_bytes + plan.slot_out_bytes * bool(plan.slots_out)
    for tile, _ in plan.counts:
        loads = _loaded(tile, engine, op, engine.buffer)
        stores = sum(move.bytes for move in tile.stores)
        expect(
            loads <= room_in,
            f"{place}: a tile loads {loads} B into {room_in} B of held and input slot; let "
            "slot_in_bytes be the inputs of the largest tile",
        )
        expect(
            stores <= room_out,
            f"{place}: a tile stores {stores} B from {room_out} B of held and output slot; let "
            "slot_out_bytes be the outputs of the largest tile",
        )


def _loaded(tile: Tile, engine: Engine, op: Op, memory: str) -> int:
    """Bytes that a tile loads into a memory."""
    return sum(m.bytes for m in tile.loads if engine.stage(op, m.operand) == memory)


def _check_loads(place: str, op: Op, budget: Budget, plan: TilePlan) -> None:
    inputs = len(op.inputs)
    same = alike(op)[:inputs]
    loaded: Counter[int] = Counter()
    there: set[int] = set()
    for operand, first in enumerate(same):
        got = plan.loaded.get(operand, 0)
        loaded[first] += got
        if budget.is_resident(operand):
            there.add(first)
            expect(
                not got,
                f"{place}: loads {got} B of operand {operand}, which lies in the buffer already; "
                "ask budget.is_resident",
            )
    for operand, got in loaded.items():
        least = compulsory_bytes(op, operand)
        expect(
            got >= least or operand in there,
            f"{place}: loads {got} B of operand {operand}, of which {least} B are compulsory; "
            "every input byte crosses at least once",
        )
    extra = sorted(set(plan.loaded) - set(range(inputs)))
    expect(
        not [operand for operand in extra if operand >= len(op.operands)],
        f"{place}: loads operands {extra}, the operator has {len(op.operands)}",
    )


def _check_stores(place: str, op: Op, budget: Budget, plan: TilePlan) -> None:
    """Outputs leave exactly once; each tile may round up to whole bytes and whole blocks."""
    for operand in range(len(op.inputs), len(op.operands)):
        got = plan.stored.get(operand, 0)
        if budget.is_resident(operand):
            expect(
                not got,
                f"{place}: stores {got} B of operand {operand}, which stays in the buffer; "
                "ask budget.is_resident",
            )
            continue
        exact = op.operands[operand].bytes
        stores = sum(times for tile, times in plan.counts if tile.stores)
        expect(
            exact <= got <= most_bytes(op, operand, stores),
            f"{place}: stores {got} B of operand {operand}, which has {exact} B; every output byte "
            "leaves exactly once",
        )
    inputs = [operand for operand in sorted(plan.stored) if operand < len(op.inputs)]
    expect(not inputs, f"{place}: stores operands {inputs}, which the operator only reads")


def most_bytes(op: Op, operand: int, stores: int) -> int:
    """Bytes of an operand that leaves once in so many stores, each rounded up.

    Whole bytes need no rounding; a part of a byte or of a block with a shared scale does.
    """
    access = op.operands[operand]
    dtype = access.tensor.dtype
    whole_bytes = dtype.bits % 8 == 0 and not dtype.block
    return access.bytes + (0 if whole_bytes else stores * dtype.storage_bytes(max(1, dtype.block)))


def _check_slots(place: str, op: Op, plan: TilePlan) -> None:
    for name, rows, width in (("slots", plan.slots, 2), ("actions", plan.actions, 3)):
        expect(
            isinstance(rows, tuple)
            and all(isinstance(row, tuple) and len(row) == width for row in rows),
            f"{place}: {name} must be a tuple of tuples of {width}, got {rows!r:.60}; write "
            "((...), (...))",
        )
    slots = dict(plan.slots)
    expect(
        _is_count(plan.start_cycles) and plan.start_cycles <= plan.cycles,
        f"{place}: {plan.start_cycles!r} of {plan.cycles} cycles start it; whole, and no more",
    )
    expect(len(slots) == len(plan.slots), f"{place}: names a cause of slots twice; add them up")
    for cause, count in plan.slots:
        expect(_is_count(count), f"{place}: books {count!r} slots as {cause!r}; whole, at least 0")
    effective = slots.get("effective", 0)
    if any(access.tensor.sparsity for access in op.inputs):
        expect(
            effective <= op.macs,
            f"{place}: books {effective} effective MAC slots, of {op.macs} MACs with zeros among "
            "them; effective are those with both operands",
        )
    elif op.macs:
        expect(
            effective == op.macs,
            f"{place}: books {effective} effective MAC slots, the operator has {op.macs} MACs; "
            "put ('effective', op.macs) into slots",
        )


def check_actions(place: str, engine: Engine, actions: Iterable[tuple[str, str, int]]) -> None:
    """Checks that what an engine charges to itself and to its buffer is counted and priced.

    Args:
        place: what charged, for people.
        engine: the engine.
        actions: (component, action, count), as in ``TilePlan.actions``.

    Raises:
        AssertionError: names the action and says what to change.
    """
    for component, action, count in actions:
        expect(_is_count(count), f"{place}: counts {count!r} of {action!r}; whole and at least 0")
        if component == "":
            check_priced(engine, action)
        elif component == "buffer":
            expect(
                action in ("read", "write"),
                f"{place}: charges the buffer for {action!r}; a memory prices read and write",
            )


def _check_work(place: str, op: Op, plan: TilePlan) -> None:
    """Multiply-accumulates take time and energy."""
    if not op.macs:
        return
    expect(
        plan.cycles > 0,
        f"{place}: takes 0 cycles for {op.macs} MACs; give its tiles the cycles they compute for",
    )
    expect(
        any(count for component, _, count in plan.actions if component == ""),
        f"{place}: charges the engine no action for {op.macs} MACs; put "
        "('', action, count) into actions and its energy into energies_j",
    )


def _check_least(place: str, engine: Engine, op: Op, plan: TilePlan) -> None:
    """What the engine says that no plan goes below, this one does not go below."""
    least = engine.least(op)
    seconds = plan.cycles / plan.clock_hz
    expect(
        0 <= least.seconds <= seconds * _ROUNDING,
        f"{place}: computes for {seconds} s, and least() says {least.seconds} s; lower it to what "
        "the fastest plan takes",
    )
    counts: Counter[tuple[str, str]] = Counter()
    for component, action, count in plan.actions:
        counts[component, action] += count
    for component, action, least_count in least.actions:
        expect(
            0 <= least_count <= counts[component, action] * _ROUNDING,
            f"{place}: counts {counts[component, action]} times {action!r}, and least() says "
            f"{least_count}; lower it to what the most frugal plan takes",
        )
