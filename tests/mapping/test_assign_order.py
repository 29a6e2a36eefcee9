"""What an operator waits for."""

from __future__ import annotations

from dataclasses import replace

from random_programs import Program
from strategies import Sketch

from codesign.mapping.assign.order import find_before
from codesign.mapping.timeline import make_timeline
from codesign.workload.record import Op, Trace, iterate


def before(trace: Trace) -> dict[str, set[str]]:
    timeline = make_timeline(trace.items)
    names = [op.name for op in timeline.ops]
    found = find_before(timeline)
    return {name: {names[n] for n in waits} for name, waits in zip(names, found, strict=True)}


def test_a_reader_waits_for_the_writer_and_nobody_else() -> None:
    sketch = Sketch("t")
    x = sketch.input("x", 4, 8)
    a, b = sketch.matmul("a", x, 8), sketch.matmul("b", x, 8)
    sketch.pointwise("c", a, b, function="add")
    sketch.pointwise("d", a)
    assert before(sketch.trace()) == {"a": set(), "b": set(), "c": {"a", "b"}, "d": {"a"}}


def test_who_overwrites_waits_for_the_writer_and_for_all_readers() -> None:
    sketch = Sketch("t")
    x = sketch.input("x", 4, 8)
    a = sketch.matmul("a", x, 8)
    sketch.pointwise("r1", a)
    sketch.pointwise("r2", a)
    again = Op("again", "move", (x.access(),), (a.access(),), functions=("move",))
    trace = replace(sketch.trace(), items=(*sketch.trace().items, again))
    assert before(trace)["again"] == {"a", "r1", "r2"}


def test_an_operator_that_changes_what_it_reads_does_not_wait_for_itself() -> None:
    sketch = Sketch("t")
    x = sketch.tensor("x", (4, 8), "state")
    own = Op("own", "elementwise", (x.access(),), (x.access(),), functions=("relu",))
    trace = replace(sketch.trace(), items=(own, replace(own, name="next")), tensors=(x,))
    assert before(trace) == {"own": set(), "next": {"own"}}


def test_all_of_a_region_waits_for_what_any_of_it_waits_for_from_outside() -> None:
    """Its steps go on to the end of the region, and each of them needs the next part of x."""
    sketch = Sketch("t")
    x = sketch.matmul("before", sketch.input("x", 6, 8), 8)
    y = sketch.recurrent("layer", x, 8)
    sketch.matmul("after", y, 8)
    trace = sketch.trace()
    (region,) = trace.regions
    assert region.steps > 1
    found = before(trace)
    body = {op.name for op, _ in iterate(region.body)}
    assert len(body) > 1
    assert all("before" in found[name] for name in body)
    assert found["after"] & body


def test_one_step_of_a_region_waits_as_if_it_were_none() -> None:
    sketch = Sketch("t")
    x = sketch.matmul("before", sketch.input("x", 1, 8), 8)
    sketch.recurrent("layer", x, 8)
    trace = sketch.trace()
    (region,) = trace.regions
    assert region.steps == 1
    found = before(trace)
    assert any("before" not in found[op.name] for op, _ in iterate(region.body))


def test_waits_point_back_in_any_program() -> None:
    for seed in range(60):
        timeline = make_timeline(Program(seed).grow(6).items)
        found = find_before(timeline)
        assert len(found) == len(timeline.ops)
        assert all(n < number for number, waits in enumerate(found) for n in waits)
        for number, op in enumerate(timeline.ops):
            read = {access.tensor.name for access in op.inputs}
            for n in range(number):
                wrote = {access.tensor.name for access in timeline.ops[n].outputs}
                later = {
                    access.tensor.name
                    for between in timeline.ops[n + 1 : number]
                    for access in between.outputs
                }
                assert not (wrote & read) - later or n in found[number]
