"""What residency costs and saves, by hand: parts, write-backs, evictions, steps and runs."""

from __future__ import annotations

import itertools
from typing import Any, Literal

import pytest
from coherence import trouble
from recurrent_layer import ON_CHIP, layer, study_machine, weight_bytes
from test_residency import STAYS, STEPS, WIDTH, recurrent, with_reader
from toy_machine import machine, priced

from codesign.hardware.spec import Hardware
from codesign.mapping.place import place
from codesign.mapping.placement import Assignment, Placement
from codesign.mapping.residency import Policy, Residency
from codesign.replay.run import replay
from codesign.result.result import build_result
from codesign.testing.operators import whole
from codesign.workload.record import Access, Op, Region, Trace

MATRIX = WIDTH * WIDTH
COLUMN = WIDTH
STATES = 2 * WIDTH


def toy(buffer: int = 1 << 12) -> Hardware:
    return machine(priced(contraction=5, move=5, elementwise=5), buffer=buffer)


def planned(trace: Trace, policy: Any = "greedy", buffer: int = 1 << 12, **asked: Any) -> Placement:
    return place(trace, toy(buffer), Residency(policy, **asked))


def moved(placement: Placement, word: str) -> dict[str, int]:
    """Bytes to or from home, once for each run, by tensor, of operators with a word in the name."""
    found: dict[str, int] = {}
    for one, times in placement.assignments():
        if word in one.op.name and one.plan is not None:
            for operand, size in [*one.plan.loaded.items(), *one.plan.stored.items()]:
                if one.homes[operand] == placement.home:
                    name = one.op.operands[operand].tensor.name
                    found[name] = found.get(name, 0) + size * times
    return found


# -- a part of a matrix ---------------------------------------------------------------------------


@pytest.mark.parametrize("columns", range(2, WIDTH))
def test_the_columns_that_stay_are_fetched_once_and_the_others_at_every_step(columns: int) -> None:
    room = columns * COLUMN + COLUMN // 2  # half a column more helps nobody
    asked = Residency("pinned", ("u",), limits={"sram": room}, partial=True)
    placement = place(recurrent(), toy(), asked)
    (stay,) = placement.stays
    assert (stay.tensor.name, stay.bytes) == ("u", columns * COLUMN)
    assert weight_bytes(placement) == columns * COLUMN + STEPS * (MATRIX - columns * COLUMN)
    assert trouble(placement, toy()) == []


def test_the_parts_of_a_cut_operator_do_all_of_its_work() -> None:
    asked = Residency("pinned", ("u",), limits={"sram": 5 * COLUMN}, partial=True)
    parts = [
        (one.op, times)
        for one, times in place(recurrent(), toy(), asked).assignments()
        if "cell" in one.op.name
    ]
    assert [op.name for op, _ in parts] == ["cell[0:5]", "cell[5:16]"]
    assert sum(op.macs * times for op, times in parts) == recurrent().macs


def test_a_cut_that_costs_more_than_it_saves_is_not_made() -> None:
    """A column of 16 B would be fetched once, and the state of 16 B twice at every step."""
    cases: list[tuple[Policy, tuple[str, ...]]] = [("pinned", ("u",)), ("greedy", ())]
    for policy, pins in cases:
        asked = Residency(policy, pins, {"sram": COLUMN}, partial=True)
        placement = place(recurrent(), toy(), asked)
        assert placement.stays == ()
        assert placement.home_bytes == place(recurrent(), toy(), "none").home_bytes


def test_a_whole_matrix_that_fits_is_not_cut() -> None:
    asked = Residency("pinned", ("u",), {"sram": MATRIX}, partial=True)
    placement = place(recurrent(), toy(), asked)
    assert [stay.bytes for stay in placement.stays] == [MATRIX]
    assert [one.op.name for one, _ in placement.assignments()] == ["rnn.preload", "cell"]


@pytest.mark.parametrize("room", [0, 100, 1_000, 2_304, 5_000])
def test_a_study_layer_keeps_as_many_bytes_as_there_is_room_for(room: int) -> None:
    steps, trace = 8, layer("l", 24, 24, 8)
    recurrent_set = 4 * 24 * 24 + 12 * 24  # the matrix, then bias, gain and shift of four gates
    asked = Residency("region", ON_CHIP, {"weights": room}, partial=True)
    found = weight_bytes(place(trace, study_machine(1 << 16), asked))
    kept = min(room, recurrent_set)
    assert found >= 4 * 24 * 24 + kept + steps * (recurrent_set - kept)
    assert found <= 4 * 24 * 24 + kept + steps * (recurrent_set - kept) + (steps - 1) * 4


# -- write-backs and evictions --------------------------------------------------------------------


def chain(*roles: Literal["activation", "output"]) -> Trace:
    """``x -> t0 -> t1 -> ...``, 100 bytes each."""
    views = [whole("x", (100,), "input")]
    views += [whole(f"t{n}", (100,), role) for n, role in enumerate(roles)]
    pairs = itertools.pairwise(views)
    ops = tuple(Op(f"op{n}", "elementwise", (a,), (b,)) for n, (a, b) in enumerate(pairs))
    return Trace("chain", ops, tuple(view.tensor for view in views))


def test_an_activation_between_producer_and_consumer_moves_nothing() -> None:
    placement = planned(chain("activation", "activation", "output"))
    assert placement.home_bytes == 200
    assert planned(chain("activation", "activation", "output"), "none").home_bytes == 600


def test_an_output_that_others_read_stays_for_them_and_is_written_back_once() -> None:
    placement = planned(chain("output", "output"))
    assert moved(placement, "writeback") == {"t0": 100}
    assert moved(placement, "op") == {"x": 100, "t0": 100, "t1": 100}
    assert placement.home_bytes == 300
    assert planned(chain("output", "output"), "none").home_bytes == 400


def test_what_a_region_leaves_behind_is_written_back_or_stays_for_its_reader() -> None:
    trace = with_reader("h.next")
    back = planned(trace, "region")
    assert moved(back, "writeback") == {"h.next": WIDTH}
    assert moved(back, "head")["h.next"] == WIDTH
    stays = planned(trace)
    assert moved(stays, "writeback") == {}
    assert "h.next" not in moved(stays, "head")
    assert back.home_bytes - stays.home_bytes == 2 * WIDTH


def shared_weight(between: int) -> Trace:
    """A weight that is read, then others of so many bytes, then the first one again."""
    first = whole("w", (100,), "weight")
    ops = []
    for number, weight in enumerate([first, whole("v", (between,), "weight"), first]):
        shape = weight.shape
        out = whole(f"y{number}", shape, "output")
        twice = whole(f"z{number}", shape, "output")
        ops += [
            Op(f"op{number}", "elementwise", (weight,), (out,)),
            Op(f"again{number}", "elementwise", (weight,), (twice,)),
        ]
    tensors = {a.tensor.name: a.tensor for op in ops for a in op.operands}
    return Trace("shared", tuple(ops), tuple(tensors.values()))


def test_a_weight_that_makes_room_for_another_is_fetched_again() -> None:
    def loads(room: int) -> int:
        return weight_bytes(planned(shared_weight(100), limits={"sram": room}))

    assert loads(200) == 100 + 100
    assert loads(199) == loads(100) == 100 + 100 + 100
    assert loads(99) == 6 * 100


def test_a_write_back_is_replayed_and_charged() -> None:
    placement, hardware = planned(chain("output", "output")), toy()
    result = build_result(placement, hardware, replay(placement, hardware))
    assert sum(result.offchip_bytes.values()) == placement.home_bytes == 300
    nothing = planned(chain("output", "output"), "none")
    other = build_result(nothing, hardware, replay(nothing, hardware))
    assert result.energy_by_component_j["dram"] < other.energy_by_component_j["dram"]


def test_who_takes_the_bytes_of_another_waits_for_its_readers() -> None:
    placement = planned(chain("activation", "activation", "activation", "output"), buffer=201)
    reuses = {one.op.name: one.reuses for one, _ in placement.assignments()}
    assert reuses["op2"] == ("t0",)  # t2 lies where t0 was, beside t1


# -- steps and runs -------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["region", "greedy", "optimal"])
def test_the_state_is_carried_on_chip_from_step_to_step(policy: Any) -> None:
    placement = planned(recurrent(), policy)
    assert moved(placement, "cell") == {"x": STEPS * WIDTH}
    assert placement.home_bytes == MATRIX + WIDTH + STEPS * WIDTH  # u, h0, and a row a step


def test_without_room_for_the_matrix_the_state_alone_is_carried() -> None:
    placement = planned(recurrent(), limits={"sram": STATES})
    assert {stay.tensor.name for stay in placement.stays} == {"h", "h.next"}
    assert placement.home_bytes == WIDTH + STEPS * (MATRIX + WIDTH)


def test_a_byte_less_than_the_state_and_its_update_carries_neither() -> None:
    placement = planned(recurrent(), limits={"sram": STATES - 1})
    assert placement.stays == ()
    assert placement.home_bytes == STEPS * (MATRIX + 3 * WIDTH)


def test_weights_that_stay_across_runs_are_fetched_in_the_setup_and_never_in_a_run() -> None:
    placement = planned(recurrent(), across_runs=True)
    assert {s.tensor.name: s.is_for_ever for s in placement.stays}["u"]
    assert [weight for one in placement.setup for weight in names(one)] == ["u"]
    assert placement.home_bytes == WIDTH + STEPS * WIDTH
    once, thrice = (sum(t for one, t in placement.assignments(n) if one.op.macs) for n in (1, 3))
    assert thrice == 3 * once
    setups = [t for one, t in placement.assignments(3) if one in placement.setup]
    assert setups == [1]


def names(one: Assignment) -> list[str]:
    return [access.tensor.name for access in one.op.inputs]


def counter(steps: int = 5) -> Trace:
    """A cache that the model keeps: every step writes a row of it, then reads all of it."""
    x = whole("x", (steps, 10), "input")
    cache = whole("cache", (steps, 10), "state").tensor
    row = Access(x.tensor, (1, 10), (10, 1), advance=(10,))
    slot = Access(cache, (1, 10), (10, 1), advance=(10,))
    total = whole("total", (1, 10), "activation")
    body = (
        Op("append", "move", (row,), (slot,), functions=("move",)),
        Op("sum", "elementwise", (cache.access(),), (total,)),
    )
    region = Region("loop", steps, body)
    return Trace("counter", (region,), (x.tensor, cache, total.tensor))


def test_kept_state_is_fetched_before_a_run_and_written_back_after_it() -> None:
    placement = planned(counter())
    assert moved(placement, "preload") == {"cache": 50}
    assert moved(placement, "writeback") == {"cache": 50}
    assert trouble(placement, toy()) == []


def test_kept_state_that_is_pinned_across_runs_moves_once_and_never_again() -> None:
    placement = planned(counter(), "pinned", pins=("cache",), across_runs=True)
    assert "cache" not in moved(placement, "sum") | moved(placement, "append")
    assert moved(placement, "writeback") == {}
    assert [name for one in placement.setup for name in names(one)] == ["cache"]
    assert trouble(placement, toy()) == []


def test_the_state_of_a_region_begins_anew_in_every_run() -> None:
    placement = planned(recurrent(), "pinned", pins=("*",), across_runs=True, buffer=STAYS + 512)
    assert trouble(placement, toy()) == []
    ever = {stay.tensor.name: stay.is_for_ever for stay in placement.stays}
    assert ever["u"]
    assert not ever["h"]
    assert not ever["h.next"]
