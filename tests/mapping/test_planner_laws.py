"""What every policy keeps to, on random programs: room, coherence, and one account of bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from coherence import trouble
from random_programs import case
from recurrent_layer import ON_CHIP, study_machine

from codesign.hardware.spec import Hardware
from codesign.mapping import decide
from codesign.mapping.hold import Hold
from codesign.mapping.place import place
from codesign.mapping.placement import Assignment, Block, Placement, Step
from codesign.mapping.residency import Residency
from codesign.replay.run import replay
from codesign.result.result import build_result
from codesign.workload.record import Trace

FORMS = {
    "none": Residency("none"),
    "region": Residency("region"),
    "region in parts": Residency("region", partial=True),
    "pinned": Residency("pinned", pins=("*",), partial=True),
    "greedy": Residency("greedy"),
    "greedy in parts": Residency("greedy", partial=True),
    "greedy for ever": Residency("greedy", partial=True, across_runs=True),
    "greedy beside pins": Residency("greedy", pins=("x",), across_runs=True, partial=True),
    "optimal": Residency("optimal"),
}
SEEDS = range(25)
every_form = pytest.mark.parametrize("form", FORMS)


@cache
def placed(seed: int, form: str) -> tuple[Placement, Hardware]:
    trace, hardware = case(seed)
    return place(trace, hardware, FORMS[form]), hardware


def operators(steps: Sequence[Step]) -> Iterator[tuple[Assignment, bool]]:
    """Every assignment in order, each region once, and whether residency has put it in."""
    for step in steps:
        if isinstance(step, Assignment):
            is_move = ".preload" in step.op.name or ".writeback" in step.op.name
            yield step, is_move
            continue
        yield from ((one, True) for one in [step.preload] if one)
        yield from operators(step.body)
        yield from ((one, True) for one in [step.writeback] if one)


def residents(placement: Placement, memory: str) -> list[tuple[Assignment, int]]:
    """Every operator of the program with the bytes that stay in a memory meanwhile."""
    line = [one for one, is_move in operators(placement.program) if not is_move]
    names = [one.op.name.partition("[")[0] for one in line]  # parts of an operator are that one
    taken = [0] * len(line)
    for stay in placement.stays:
        if stay.memory == memory:
            last = len(names) - 1 - names[::-1].index(stay.last)
            for number in range(names.index(stay.first), last + 1):
                taken[number] += stay.bytes
    return list(zip(line, taken, strict=True))


@every_form
def test_at_every_operator_what_stays_and_the_tiles_fit_the_buffer(form: str) -> None:
    most = 0
    for seed in SEEDS:
        placement, hardware = placed(seed, form)
        for one, taken in residents(placement, "sram"):
            assert one.plan is not None
            tiles = one.plan.held_bytes + one.plan.slot_in_bytes + one.plan.slot_out_bytes
            assert taken + max(tiles, one.budget_bytes) <= hardware.memories[0].size, one.op.name
            most = max(most, taken)
    assert (most > 0) == (form != "none")


@every_form
def test_at_every_operator_what_stays_keeps_to_its_limit(form: str) -> None:
    for seed in SEEDS[:8]:
        trace, hardware = case(seed)
        asked = replace(FORMS[form], limits={"sram": 150})
        if form == "greedy beside pins":
            asked = replace(asked, pins=())
        found = residents(place(trace, hardware, asked), "sram")
        assert max(taken for _, taken in found) <= 150


@every_form
def test_every_read_sees_what_was_written_last(form: str) -> None:
    for seed in SEEDS:
        placement, hardware = placed(seed, form)
        assert trouble(placement, hardware) == [], f"seed {seed}"


@pytest.mark.parametrize("policy", ["pinned", "region", "greedy"])
@pytest.mark.parametrize("pins", [ON_CHIP, ("*@queue",), ("role:weight", "role:[!w]*@queue")])
def test_every_read_sees_what_was_written_last_where_tensors_live_beside_the_buffer(
    pins: tuple[str, ...], policy: Any
) -> None:
    for seed in SEEDS:
        trace, _ = case(seed)
        hardware = study_machine(700)
        asked = Residency(policy, pins, partial=True, across_runs=bool(seed % 2))
        assert trouble(place(trace, hardware, asked), hardware) == [], f"seed {seed}"


def test_the_check_of_reads_finds_a_preload_that_is_missing() -> None:
    placement, hardware = placed(1, "region")
    steps = [
        replace(step, preload=None) if isinstance(step, Block) else step
        for step in placement.program
    ]
    assert any(isinstance(step, Block) and step.preload for step in placement.program)
    assert trouble(replace(placement, program=tuple(steps)), hardware)


def at_home(placement: Placement, one: Assignment) -> int:
    assert one.plan is not None
    moved = [*one.plan.loaded.items(), *one.plan.stored.items()]
    return sum(size for operand, size in moved if one.homes[operand] == placement.home)


@every_form
def test_the_replay_moves_what_was_planned_and_the_setup_once(form: str) -> None:
    for seed in SEEDS[:10]:
        placement, hardware = placed(seed, form)
        planned = placement.home_bytes + sum(at_home(placement, one) for one in placement.setup)
        result = build_result(placement, hardware, replay(placement, hardware))
        assert sum(result.offchip_bytes.values()) == planned


Chooser = Callable[..., tuple[Hold, ...]]


@pytest.mark.parametrize("policy", ["greedy", "optimal"])
def test_the_plan_saves_what_was_predicted(policy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """These tiles load every operand once, however much of the buffer they get."""
    chosen: list[int] = []
    real: Chooser = decide._CHOOSERS[policy]

    def noted(*args: Any) -> tuple[Hold, ...]:
        holds = real(*args)
        chosen.append(sum(hold.saved for hold in holds))
        return holds

    monkeypatch.setitem(decide._CHOOSERS, policy, noted)
    for seed in SEEDS:
        trace, hardware = case(seed)
        chosen.clear()
        nothing, found = place(trace, hardware, "none"), place(trace, hardware, policy)
        assert nothing.home_bytes - found.home_bytes == max(chosen), f"seed {seed}"
        said = [note for note in found.notes if note.startswith("that saves")]
        assert said == [f"that saves {max(chosen):,} B to and from dram in every run"]


@every_form
def test_no_form_moves_more_than_none(form: str) -> None:
    for seed in SEEDS:
        assert placed(seed, form)[0].home_bytes <= placed(seed, "none")[0].home_bytes


def test_parts_and_weights_that_stay_for_ever_pay_on_these_programs() -> None:
    """No theorem, since both are greedy: but more to choose from must not choose worse."""
    parts_pay = ever_pays = 0
    for seed in SEEDS:
        whole, parts, ever = (
            placed(seed, form)[0].home_bytes
            for form in ("greedy", "greedy in parts", "greedy for ever")
        )
        assert ever <= parts <= whole, f"seed {seed}"
        parts_pay += parts < whole
        ever_pays += ever < parts
    assert min(parts_pay, ever_pays) >= 5


def test_a_placement_is_the_same_every_time() -> None:
    trace: Trace = case(3)[0]
    for form in FORMS.values():
        assert place(trace, case(3)[1], form) == place(trace, case(3)[1], form)
