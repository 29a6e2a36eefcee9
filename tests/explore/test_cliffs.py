"""Sizes at which one more loop keeps its weights: found in the trace, tried, and replayed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from conftest import Codesign
from strategies import Sketch, machine

from codesign import Residency, Trace, simulate
from codesign.explore.changes import Change
from codesign.explore.cliffs import partial_residency, residency_cliffs
from codesign.explore.what_if import LEAST_GAIN, Answer, what_if
from codesign.hardware.spec import load_hardware
from codesign.mapping.residency import Policy
from codesign.result.result import Result
from codesign.simulation import Prepared, prepare
from codesign.workload.dtype import DType

KIB = 1024


def loops(*widths: int, steps: int = 12, repeats: int = 0) -> Trace:
    """One recurrent layer after another."""
    sketch = Sketch("loops", DType.parse("fp32"))
    x = sketch.input("x", steps, 80)
    for number, width in enumerate(widths):
        x = sketch.recurrent(f"rnn{number}", x, width, repeats)
    return sketch.trace()


def asked(trace: Trace, size: str, residency: Residency | Policy = "region") -> Prepared:
    return prepare(trace, "edge-npu", settings={"sram.size": size}, residency=residency)


def cliffs(one: Prepared) -> dict[str, int]:
    """Sizes by what stays there."""
    found = {}
    for change in residency_cliffs(one, one.run()):
        ((path, size),) = change.settings.items()
        assert path == "sram.size"
        start, _, what = change.text.partition(", ")
        assert start.startswith("sram.size = ")
        found[what] = size
    return found


def answers(one: Prepared) -> dict[str, Answer]:
    result = one.run()
    return {told.change.text: told for told in what_if(one, result, result.why())}


def fetched(result: Result, weight: str) -> int:
    """How often a weight came on chip."""
    return sum(
        times
        for step, times in result.placement.assignments()
        for number, access in enumerate(step.op.inputs)
        if access.tensor.name == weight and step.plan and step.plan.loaded.get(number)
    )


def test_the_size_is_the_next_one_at_which_the_weights_stay() -> None:
    one = asked(loops(256), "64 KiB")
    ((what, size),) = cliffs(one).items()
    weights = 80 * 256 + 256 * 256  # int8
    assert what == "weights of rnn0 stay"
    assert weights < size <= weights * 1.5
    machine = load_hardware("edge-npu")
    assert fetched(one.run(), "rnn0.u") == 12
    assert fetched(simulate(one.trace, machine.with_("sram.size", size)), "rnn0.u") == 1
    below = max(s << e for e in range(10, 20) for s in (4, 5, 6, 7) if s << e < size)
    assert fetched(simulate(one.trace, machine.with_("sram.size", below)), "rnn0.u") == 12


def test_two_loops_of_different_sizes_have_a_size_each() -> None:
    found = cliffs(asked(loops(128, 384), "16 KiB"))
    assert list(found) == ["weights of rnn0 stay", "weights of 2 loops stay"]
    assert found["weights of rnn0 stay"] < found["weights of 2 loops stay"]


def test_one_size_that_keeps_the_weights_of_all_is_told_once() -> None:
    assert list(cliffs(asked(loops(80, 80), "8 KiB"))) == ["weights of 2 loops stay"]


def test_only_loops_that_fetch_count() -> None:
    assert list(cliffs(asked(loops(64, 512), "128 KiB"))) == ["weights of rnn1 stay"]
    assert cliffs(asked(loops(64, 128), "256 KiB")) == {}


def test_a_loop_in_a_loop_is_found() -> None:
    one = asked(loops(256, repeats=3), "64 KiB")
    # 80 x 256 + 256 x 256 weights of a byte are 84 KiB; the inner loop and the one around it fetch
    assert cliffs(one) == {"weights of 2 loops stay": 96 * KIB}
    assert fetched(one.run(), "rnn0.u") == 3 * 12
    large = load_hardware("edge-npu").with_("sram.size", 96 * KIB)
    assert fetched(simulate(one.trace, large), "rnn0.u") == 1


def test_a_model_without_loops_has_no_cliff() -> None:
    sketch = Sketch("chain", DType.parse("fp32"))
    sketch.matmul("second", sketch.matmul("first", sketch.input("x", 16, 512), 512), 512)
    one = asked(sketch.trace(), "64 KiB")
    assert residency_cliffs(one, one.run()) == ()
    assert partial_residency(one, one.run()) == ()


@pytest.mark.parametrize(
    "residency",
    ["none", Residency("pinned", ("rnn0.h",)), Residency(limits={"sram": 8 * KIB})],
)
def test_what_the_user_keeps_off_the_chip_has_no_cliff(residency: Residency | Policy) -> None:
    assert cliffs(asked(loops(256), "64 KiB", residency)) == {}


def test_greedy_residency_has_a_size_at_which_all_stays_too() -> None:
    one = asked(loops(256), "64 KiB", "greedy")
    ((what, size),) = cliffs(one).items()
    assert what == "weights of rnn0 stay"
    assert size > 80 * 256 + 256 * 256


def test_engines_with_buffers_of_their_own_have_none() -> None:
    sketch = Sketch("loops")
    sketch.recurrent("rnn", sketch.input("x", 4, 64), 64)
    one = prepare(sketch.trace(), machine(buffers=2, links=2))
    assert residency_cliffs(one, one.run()) == ()


def test_a_cliff_gains_where_twice_the_size_gains_nothing() -> None:
    told = answers(asked(loops(256, 256, steps=40), "32 KiB"))
    (cliff,) = (one for text, one in told.items() if "weights of 2 loops stay" in text)
    twice = told["sram.size x2"]
    assert cliff.replayed is not None
    assert twice.replayed is not None
    assert cliff.replayed > 3 > 1.1 > twice.replayed
    assert cliff.predicted is None
    assert cliff.is_estimate
    assert cliff.note == "only a mapping anew can tell"
    assert cliff.change.kind == "residency"


def test_the_replayed_gain_is_that_of_a_run_at_that_size() -> None:
    one = asked(loops(256), "64 KiB")
    before = one.run()
    for told in what_if(one, before, before.why(), changes=residency_cliffs(one, before)):
        after = replace(one, machine=one.machine.with_all(told.change.settings)).run()
        assert told.replayed == before.replay.makespan / after.replay.makespan
        assert told.latency_s == after.latency_s


def test_part_of_the_weights_is_a_hint_where_it_gains_and_else_not_told() -> None:
    one = asked(loops(256, steps=40), "64 KiB")
    hint = answers(one)["--residency greedy --partial"]
    assert hint.replayed is not None
    assert hint.replayed >= LEAST_GAIN
    kept = replace(one, residency=Residency("greedy", partial=True)).run()
    assert hint.latency_s == kept.latency_s
    assert hint.as_json()["residency"]["partial"] is True
    useless = Change("hint", "residency", "sram", residency=Residency("none"), is_hint=True)
    result = one.run()
    assert what_if(one, result, result.why(), changes=[useless]) == ()


def test_part_of_the_weights_is_not_asked_about_where_it_is_asked_for() -> None:
    one = asked(loops(256), "64 KiB", Residency("greedy", partial=True))
    assert partial_residency(one, one.run()) == ()


def test_the_command_shows_both(codesign: Codesign) -> None:
    words = ("why", "lstm_lm", "--steps", "20", "--hardware", "edge-npu", "--set")
    ran = codesign(*words, "sram.size=128 KiB")
    (line,) = (one for one in ran.out.splitlines() if "weights of 2 loops stay" in one)
    assert line.startswith("sram.size = 320 KiB, weights of 2 loops stay:")
    found = json.loads(codesign(*words, "sram.size=128 KiB", "--json").out)["what_if"]
    (cliff,) = (one for one in found if one["kind"] == "residency" and one["settings"])
    assert cliff["settings"] == {"sram.size": 320 * KIB}
    assert cliff["predicted_speedup"] is None
