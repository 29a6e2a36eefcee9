"""What is asked of a trace alone is found once for all hardware."""

from __future__ import annotations

import pytest
from strategies import Sketch
from toy_machine import machine, priced

from codesign.mapping.answers import content_of
from codesign.mapping.capacity import check_capacity
from codesign.mapping.kept import forget_all
from codesign.mapping.outline import outline_of
from codesign.mapping.place import place
from codesign.mapping.timeline import make_timeline
from codesign.testing.operators import whole
from codesign.workload.attention import attention_parts
from codesign.workload.record import Op, Trace


def layers() -> Trace:
    """Four products, the second and the third of which are equal."""
    sketch = Sketch("layers")
    x = sketch.input("x", 8, 16)
    for name in ("one", "two", "three"):
        x = sketch.matmul(name, x, 16)
    sketch.matmul("four", x, 4)
    return sketch.trace()


def attention() -> Trace:
    """An attention of two heads."""
    inputs = tuple(whole(name, (1, 2, 4, 8), "input") for name in "qkv")
    op = Op("heads", "attention", inputs, (whole("y", (1, 2, 4, 8), "output"),))
    return Trace("attention", (op,), tuple(access.tensor for access in op.operands))


def test_an_outline_tells_what_is_true_of_its_trace() -> None:
    trace = layers()
    found = outline_of(trace, frozenset())
    assert found.timeline == make_timeline(trace.items)
    assert found.contents == tuple(content_of(op) for op in found.timeline.ops)
    assert [op.name for op in found.alike.values()] == ["one", "two", "four"]
    assert not found.is_packed
    memory = machine(priced(contraction=1)).memories[-1]
    assert found.need.check(memory) == check_capacity(trace, memory)


def test_the_outline_of_a_trace_is_found_once() -> None:
    trace = layers()
    found = outline_of(trace, frozenset())
    assert outline_of(trace, frozenset()) is found
    assert outline_of(layers(), frozenset()) is not found
    forget_all()
    assert outline_of(trace, frozenset()) is not found


def test_what_is_split_makes_another_outline() -> None:
    trace = attention()
    entire, split = (outline_of(trace, frozenset(names)) for names in ((), ("heads",)))
    (op,) = entire.timeline.ops
    assert op.kind == "attention"
    assert split.timeline.ops == attention_parts(op)
    assert split.need.peak > entire.need.peak


@pytest.mark.parametrize("turns", [1, 2])
def test_a_machine_that_takes_other_operators_splits_others(turns: int) -> None:
    trace = attention()
    able, unable = machine(priced(attention=1)), machine(priced(contraction=1, softmax=1))
    for _ in range(turns):
        assert [one.op.kind for one, _ in place(trace, able).assignments()] == ["attention"]
        assert len(place(trace, unable).assignments()) == 3
