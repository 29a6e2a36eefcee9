"""What changes would gain: predictions against complete replays, resource by resource."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from corpus import CORPUS, PRESETS
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Sketch, machine

from codesign import load_hardware
from codesign.explore.changes import Change, find_changes
from codesign.explore.what_if import MOST_OFF, Answer, predict, what_if
from codesign.replay.shares import TIED
from codesign.simulation import prepare
from codesign.workload.record import Trace

FIGURES = Path(__file__).with_name("what_if.txt")
"""Predictions and replays of the whole corpus; run this file as a script to write them anew."""
SINGLE = ("bandwidth", "clock", "set-up")


@cache
def answers(make: Callable[[], Trace], preset: str) -> tuple[Answer, ...]:
    asked = prepare(make(), preset)
    result = asked.run()
    return what_if(asked, result, result.why())


CASES = [(make, preset) for make in CORPUS for preset in PRESETS]


def ids(case: object) -> str:
    return getattr(case, "__name__", str(case))


@pytest.mark.parametrize(("make", "preset"), CASES, ids=ids)
def test_a_prediction_is_within_a_tenth_of_the_replay_or_called_an_estimate(
    make: Callable[[], Trace], preset: str
) -> None:
    for one in answers(make, preset):
        assert one.replayed is not None
        if one.predicted is None:
            assert one.is_estimate
        else:
            assert one.is_estimate == (abs(one.predicted / one.replayed - 1) > MOST_OFF)
        assert bool(one.note) == one.is_estimate


def test_most_predictions_of_a_single_resource_hit() -> None:
    every = [one for case in CASES for one in answers(*case) if one.change.kind in SINGLE]
    missed = [one for one in every if one.is_estimate]
    assert len(every) >= 30
    assert len(missed) <= len(every) / 20
    # those that gain something are predicted, too, not only those that gain nothing
    gaining = [one for one in every if one.replayed and one.replayed > 1.1]
    assert len(gaining) >= 12
    assert sum(one.is_estimate for one in gaining) <= 1


def table() -> str:
    """Every single-resource change on the corpus: predicted, replayed, how far off."""
    lines = ["case | change | predicted | replayed | off"]
    for make, preset in CASES:
        for one in answers(make, preset):
            if one.change.kind in SINGLE and one.predicted and one.replayed:
                off = f"{100 * (one.predicted / one.replayed - 1):+.1f} %"
                label = " (estimate)" if one.is_estimate else ""
                figures = f"{one.predicted:.3f} | {one.replayed:.3f} | {off}{label}"
                lines.append(f"{make.__name__} on {preset} | {one.change.text} | {figures}")
    return "\n".join(lines) + "\n"


def test_the_figures_are_those_that_are_written_down() -> None:
    assert table() == FIGURES.read_text()


def test_the_largest_gain_comes_first() -> None:
    gains = [one.replayed or 0.0 for one in answers(CORPUS[0], "edge-npu")]
    assert gains == sorted(gains, reverse=True)


def test_what_holds_a_decode_step_back_is_the_memory() -> None:
    first = next(one for one in answers(CORPUS[1], "edge-npu"))
    assert first.change.text == "dram.bandwidth x2"
    assert first.replayed == pytest.approx(2, rel=0.02)
    assert first.path_share > 0.9


def test_a_second_resource_that_takes_over_is_seen() -> None:
    """Read off the path alone a memory at twice the rate would save half of its time."""
    one = next(a for a in answers(CORPUS[1], "server-npu") if a.change.component == "dram")
    assert one.predicted is not None
    off_the_path = 1 / (1 - one.path_share / 2)
    assert off_the_path > 1.5 > one.predicted
    assert not one.is_estimate


def test_a_larger_scratchpad_is_replayed_only() -> None:
    found = {one.change.kind: one for one in answers(CORPUS[5], "edge-npu")}
    assert found["size"].predicted is None
    assert found["size"].replayed is not None
    assert found["size"].replayed > 2  # the weights of all steps fit


def sketched(*, vector_too: bool = False) -> Trace:
    sketch = Sketch("two")
    x = sketch.matmul("first", sketch.input("x", 16, 64), 64)
    sketch.matmul("second", sketch.pointwise("act", x) if vector_too else x, 64)
    return sketch.trace()


def test_operators_are_tried_on_every_engine_that_takes_them() -> None:
    asked = prepare(sketched(), machine(systolics=2, formats=("int8", "int8")))
    result = asked.run()
    changes = find_changes(result, result.why())
    moves = [one for one in changes if one.kind == "engine"]
    assert {one.text.split(" on ")[0] for one in moves} == {"first", "second"}
    engines = {a.op.name: a.engine for a, _ in result.placement.assignments()}
    for one in moves:
        ((name, engine),) = one.rules.items()
        assert engine != engines[name]
    for answer in what_if(asked, result, result.why(), changes=moves):
        assert answer.predicted is None
        assert answer.replayed is not None


def test_what_cannot_be_is_told_and_comes_last() -> None:
    asked = prepare(sketched(), machine())
    result = asked.run()
    changes = (
        Change("less", "size", "sram0", {"sram0.size": 1}),
        Change("more", "bandwidth", "bus0", {"bus0.bandwidth": 32e9}),
    )
    good, bad = what_if(asked, result, result.why(), changes=changes)
    assert (good.change.text, bad.change.text) == ("more", "less")
    assert bad.replayed is None
    assert "\n" not in bad.note
    assert bad.as_json()["estimate"] is True


def test_progress_counts_the_changes() -> None:
    asked = prepare(sketched(), machine())
    result, heard = asked.run(), list[tuple[int, int]]()
    what_if(asked, result, result.why(), watch=lambda done, every: heard.append((done, every)))
    assert [done for done, _ in heard] == list(range(heard[-1][1] + 1))


def test_banked_memories_get_channels_and_flat_ones_a_rate() -> None:
    for preset, path in (("edge-npu-lpddr5", "channels"), ("edge-npu", "bandwidth")):
        asked = prepare(CORPUS[1](), load_hardware(preset))
        result = asked.run()
        found = {one.text for one in find_changes(result, result.why())}
        assert any(text.endswith(f".{path} x2") and "dram" in text for text in found), found


# -- laws ----------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from([8, 24, 40, 100]), min_size=1, max_size=5),
    st.sampled_from([1e9, 16e9]),
    st.sampled_from([1e12, 5e9]),
    st.sampled_from([1e9, 3e9]),
)
def test_what_is_not_on_the_path_of_a_chain_gains_nothing(
    widths: list[int], bandwidth: float, memory_rate: float, clock: float
) -> None:
    """One engine with a channel each way: nothing contends, so only the path counts."""
    chain = Sketch("chain")
    x = chain.input("x", 8, 24)
    for number, width in enumerate(widths):
        x = chain.matmul(f"op{number}", x, width)
    hardware = machine(bandwidth=bandwidth, duplex="full", memory_rate=memory_rate, clock=clock)
    asked = prepare(chain.trace(), hardware)
    result = asked.run()
    why = result.why()
    on_path, off_path = {name for one in why.by("component") for name in one.split(TIED)}, 0
    for change in find_changes(result, why):
        if change.kind in SINGLE and on_path.isdisjoint(change.component.split(TIED)):
            off_path += 1
            assert predict(change, result, why) == 1.0, change.text
    assert off_path  # the vector unit at least has nothing to do


if __name__ == "__main__":
    FIGURES.write_text(table())
