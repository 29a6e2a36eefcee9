"""The recurrent-transducer study: what replays fetch equals what was derived, to the byte."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import rnnt_closed_form as oracle
import rnnt_figures as figures
from rnnt_case import component, design, ladder, measured, per_second, replayed
from rnnt_closed_form import MIB, Plan
from studies import rnnt as measuring

import codesign

HALF = MIB // 2
A, C, D = ladder.A, ladder.C, ladder.D
SIDES = (A, ladder.LADDER[1], C, D)
"""The columns of the tables: A frame by frame, A in chunks, C with 0.5 MiB, D with 1 MiB."""
BASELINE = figures.TOTAL_BATCHED[0]


def cut(one: Any) -> float:
    return float(BASELINE / measured(one).bytes_per_s)


@pytest.mark.parametrize("column", range(4))
def test_every_component_fetches_its_derived_bytes(column: int) -> None:
    found = per_second(measured(SIDES[column]))
    assert found == {name: row[column] for name, row in figures.COMPONENTS.items()}
    assert measured(SIDES[column]).bytes_per_s == figures.TOTAL_BATCHED[column]


@pytest.mark.parametrize("column", range(4))
def test_the_joiner_per_frame_costs_what_was_derived(column: int) -> None:
    one = replace(SIDES[column], per_frame=column > 0)
    assert measured(one).bytes_per_s == figures.TOTAL_PER_FRAME[column]


@pytest.mark.parametrize("column", range(4))
def test_parameters_and_work_are_those_of_the_model(column: int) -> None:
    one, seconds = SIDES[column], 2
    assert one.model.parameters == figures.PARAMETERS[column]
    parts = replayed(one).parts.values()
    work = sum(
        assignment.op.macs * total.runs
        for part in parts
        for assignment, total in part.replay.totals
    )
    assert work == seconds * figures.MACS_PER_S[column]


def test_half_a_mebibyte_is_as_good_as_one_for_a_in_chunks() -> None:
    assert measured(ladder.A_CHUNKS).weights == measured(ladder.LADDER[1]).weights


def test_counts_per_step_frame_and_chunk_are_exact() -> None:
    for column, one in enumerate(SIDES[:3]):
        found = measured(one).weights
        for name, expected in figures.PER_STEP.items():
            size = sum(count for module, count in found.items() if component(module) == name)
            if name == "join_out":
                size -= 8 * 1_026_025  # those of the tokens
            assert size == expected[column] * _turns(name, column)


def _turns(name: str, column: int) -> int:
    """How often a figure is due in 2 s: per step or frame of A frame by frame, else per chunk."""
    return {"encoder 0": 200, "encoder 1": 100}.get(name, 50) if column == 0 else 25


def test_a_frame_a_chunk_and_a_token_fetch_what_was_derived() -> None:
    for column, one in enumerate(SIDES[:3]):
        parts = replayed(one).parts
        sound = sum(
            (measuring.weights_of(one, parts[stream]) for stream in ("chunk", "frame")),
            start=measuring.Counter(),
        )
        assert sound.total() == figures.PER_FRAME_OR_CHUNK[column] * (50 if column == 0 else 25)
        tokens = measuring.weights_of(one, parts["token"])
        assert tokens.total() == 8 * figures.PER_TOKEN[column]


def test_the_four_steps_of_a_frame_fetch_what_was_derived() -> None:
    """Frame by frame in time: each run of the first layer begins another 10 ms step."""
    parts = replayed(A).parts
    steps: list[int] = []
    for span in parts["chunk"].replay.spans:
        if span.assignment.op.name == "encoder.0.input":
            steps.append(0)
        for operand, size in span.assignment.plan.loaded.items():
            if span.assignment.op.operands[operand].tensor.role == "weight":
                steps[-1] += size
    joiner = 1_026_025  # the joiner's output runs in a stream of its own behind the fourth step
    expected = [*figures.STEPS_OF_A_FRAME[:3], figures.STEPS_OF_A_FRAME[3] - joiner]
    assert steps == 50 * expected
    assert measuring.weights_of(A, parts["frame"]).total() == 50 * joiner


STEPS = (*ladder.LADDER, *ladder.CONTROLS)


@pytest.mark.parametrize("number", range(len(STEPS)), ids=list(figures.LADDER))
def test_every_step_of_the_ladder_and_every_control_is_exact(number: int) -> None:
    parameters, size, ratio = list(figures.LADDER.values())[number]
    one = STEPS[number]
    assert one.model.parameters == parameters
    assert measured(one).bytes_per_s == size
    assert round(cut(one), 3) == ratio


def test_the_headline_is_4_79_or_4_61_fewer_accesses_at_1_92_of_the_size() -> None:
    assert round(cut(C), 2) == 4.79
    assert round(cut(replace(C, per_frame=True)), 2) == 4.61
    assert round(A.model.parameters / C.model.parameters, 2) == 1.92


@pytest.mark.parametrize(("per_frame", "ratio"), [(False, 3.41), (True, 3.32)])
def test_at_equal_schedule_buffer_and_rule_the_cut_is_smaller(
    per_frame: bool, ratio: float
) -> None:
    sides = [replace(one, per_frame=per_frame) for one in (ladder.A_CHUNKS, C)]
    assert sides[0].chunk == sides[1].chunk
    assert sides[0].buffer == sides[1].buffer
    a, c = (measured(one).bytes_per_s for one in sides)
    assert round(float(a / c), 2) == ratio


def test_with_the_best_static_pinning_on_both_sides_the_cut_is_4_68() -> None:
    a, c = (measured(one).bytes_per_s for one in ladder.PINNED)
    assert [a, c] == list(figures.STATIC_PINNING)
    assert round(float(a / c), 2) == 4.68


def test_what_is_pinned_is_loaded_once_and_in_no_figure_per_second() -> None:
    beside, own = measured(ladder.LADDER[8]), measured(ladder.LADDER[6])
    assert sum(beside.loaded_once.values()) == ladder.BESIDE == 545_728
    assert sum(own.loaded_once.values()) == 641_641
    assert "join_output" not in own.weights
    assert not measured(A).loaded_once


MODELS = {"LSTM": ladder.LSTM, "CIFG": ladder.CIFG, "CIFG, 2 blocks": ladder.BLOCKS, "C": C.model}


@pytest.mark.parametrize("name", figures.POLICIES)
def test_the_policy_table_is_right_to_its_last_digit(name: str) -> None:
    for buffer, expected in zip((HALF, MIB, 2 * MIB), figures.POLICIES[name], strict=True):
        whole = design.Design(name, MODELS[name], buffer=buffer)
        part = replace(whole, partial=True)
        halved = replace(part, buffer=buffer // 2)
        assert tuple(round(cut(one), 3) for one in (whole, part, halved)) == expected


def test_keeping_part_fills_the_buffer_to_the_last_byte() -> None:
    part = design.Design("part", ladder.LSTM, partial=True)
    assert measured(part).bytes_per_s == oracle.total(oracle.A, Plan(partial=True))


@pytest.mark.parametrize("one", [A, C], ids=["A", "C"])
def test_the_front_door_gives_the_same_bytes_as_the_study(one: Any) -> None:
    """The study places each stream by itself; a scenario does without being told."""
    machine = measuring.recogniser().with_("buffer.size", one.buffer + measuring.STAGING)
    result = codesign.simulate_scenario(design.scenario(one), machine)
    assert measuring.read_off(one, result).weights == measured(one).weights
    assert result.offchip_bytes_per_s == measured(one).bytes_per_s


def test_skipping_what_recurs_changes_nothing() -> None:
    machine = measuring.recogniser().with_("buffer.size", C.buffer + measuring.STAGING)
    scenario = design.scenario(C)
    quick, exact = (
        codesign.simulate_scenario(scenario, machine, exact_events=exact) for exact in (False, True)
    )
    assert quick.energy_by_component_j == exact.energy_by_component_j
    assert quick.offchip_bytes_per_s == exact.offchip_bytes_per_s
    assert quick.played.of("token") == exact.played.of("token")


def test_the_price_of_the_chunk_is_that_of_the_schedule() -> None:
    """A step waits up to 70 ms, 35 ms in the mean; an encoder frame up to 40 ms, 20 in the mean."""
    trace = codesign.layer_major(C.model.encoder(8), 8)
    (note,) = [note for note in trace.notes if "behind" in note]
    assert "up to 7 others (mean 3.5)" in note
    assert "up to 4 steps (mean 2) behind frame by frame" in note
