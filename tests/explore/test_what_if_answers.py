"""What is told of a change: the move that was asked for, and each of two figures by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from geared import Geared
from strategies import Sketch, machine

from codesign import Engines, Trace
from codesign.errors import CodesignError, MappingError
from codesign.explore import what_if as asking
from codesign.explore.changes import Change
from codesign.explore.what_if import Answer, what_if
from codesign.hardware.spec import Hardware
from codesign.simulation import Prepared, prepare
from codesign.testing import elementwise


def chained(*names: str) -> Trace:
    sketch = Sketch("chain")
    x = sketch.input("x", 16, 64)
    for name in names:
        x = sketch.matmul(name, x, 64)
    return sketch.trace()


def answers(asked: Prepared, *changes: Change) -> tuple[Answer, ...]:
    result = asked.run()
    return what_if(asked, result, result.why(), changes=changes or None)


def slow_and_fast() -> Hardware:
    """Two arrays, of which the second has a tenth of the clock."""
    parts = dict(machine(systolics=2, formats=("int8", "int8"), bandwidth=1e12).components)
    parts["npu1"] = replace(parts["npu1"], clock=1e8)  # type: ignore[call-arg]  # it has one
    return Hardware("two speeds", "", None, parts)


@pytest.mark.parametrize("name", ["first", "layer[0]", "what?*"])
@pytest.mark.parametrize("rules", [{}, {"*": "npu0"}, {"kind:contraction": "npu0"}, {"same": ""}])
def test_a_move_is_made_whatever_rules_the_user_has(name: str, rules: dict[str, str]) -> None:
    if "same" in rules:
        rules = {name.replace("[", "[[]"): "npu0"}
    asked = prepare(chained(name, "other"), slow_and_fast(), engines=Engines(rules=rules))
    move = Change(f"{name} on npu1", "engine", "npu1", rules={name: "npu1"})
    (told,) = answers(asked, move)
    assert told.replayed is not None
    assert told.replayed < 0.5  # a tenth of the clock: the move cannot have been without effect


def test_other_rules_of_the_user_still_count() -> None:
    asked = prepare(
        chained("first", "second"), slow_and_fast(), engines=Engines(rules={"second": "npu1"})
    )
    move = Change("first on npu1", "engine", "npu1", rules={"first": "npu1"})
    both = prepare(
        chained("first", "second"), slow_and_fast(), engines=Engines(rules={"*": "npu1"})
    ).run()
    (told,) = answers(asked, move)
    assert told.latency_s == both.latency_s


def test_what_cannot_be_predicted_is_replayed_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> float:
        raise MappingError("the recorded tiles do not fit;\nreport it")

    monkeypatch.setattr(asking, "predict", refuse)
    (told,) = answers(prepare(chained("op"), machine()), twice("bus0.bandwidth", 32e9))
    assert (told.predicted, told.is_estimate) == (None, True)
    assert told.replayed is not None
    assert told.note == "no prediction: the recorded tiles do not fit; report it"


def twice(path: str, value: float) -> Change:
    return Change(f"{path} x2", "bandwidth", path.partition(".")[0], {path: value})


def test_what_does_not_run_keeps_its_prediction() -> None:
    asked = prepare(chained("op"), machine())
    broken = replace(asked, engines=Engines(rules={"nowhere": "npu0"}))
    result = asked.run()
    (told,) = what_if(broken, result, result.why(), changes=[twice("bus0.bandwidth", 32e9)])
    assert told.predicted is not None
    assert (told.replayed, told.latency_s) == (None, None)
    assert "matches no operator" in told.note


def test_changes_may_handle_no_more_events_than_is_said() -> None:
    asked = prepare(chained(*(f"layer{n}" for n in range(11))), machine())
    result = asked.run()
    change = twice("bus0.bandwidth", 31e9)
    (short,) = what_if(asked, result, result.why(), changes=[change], most_events=35)
    assert (short.predicted, short.replayed) == (None, None)
    assert "given up after 35 events" in short.note
    (told,) = what_if(asked, result, result.why(), changes=[change], most_events=10_000)
    assert told.predicted == told.replayed
    with pytest.raises(CodesignError, match="most_events must be a whole number >= 1, got 0"):
        what_if(asked, result, result.why(), changes=[change], most_events=0)


def geared(**values: float) -> Prepared:
    parts = dict(machine(bandwidth=1e12).components)
    parts["vector"] = Geared(name="vector", buffer="sram0", **values)
    op = elementwise((64,))
    trace = Trace("e", (op,), tuple(access.tensor for access in op.operands))
    return prepare(trace, Hardware("geared", "", None, parts))


def test_only_the_clock_that_plans_count_in_makes_them_faster() -> None:
    """The engine counts in its core clock; that of its bus changes nothing."""
    told = {one.change.text: one for one in answers(geared())}
    core, other = told["vector.core_clock x2"], told["vector.bus_clock x2"]
    assert core.predicted == pytest.approx(2, rel=0.05)
    assert core.predicted == pytest.approx(core.replayed)
    assert other.predicted is None  # no plan counts in it: the record cannot tell
    assert other.replayed == 1


def test_a_clock_of_an_engine_without_work_gains_nothing() -> None:
    asked = prepare(chained("op"), machine())
    told = {one.change.text: one for one in answers(asked)}
    assert told["vector.clock x2"].predicted == 1


def test_which_of_two_launches_a_plan_pays_is_not_guessed() -> None:
    """Kernels that are timed on the device pay the start of the kernel, and no launch of a host."""
    op = elementwise((64,))
    trace = Trace("e", (op,), tuple(access.tensor for access in op.operands))
    told = {one.change.text: one for one in answers(prepare(trace, "a100-80gb"))}
    host, device = told["gpu.launch_overhead / 2"], told["gpu.t0 / 2"]
    assert (host.predicted, device.predicted) == (None, None)
    assert host.replayed == 1
    assert device.replayed == pytest.approx(2, rel=0.01)
