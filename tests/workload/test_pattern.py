from __future__ import annotations

from codesign.testing.passes import Sketch
from codesign.workload import view
from codesign.workload.dtype import DType
from codesign.workload.pattern import Match, Pattern, find, label
from codesign.workload.record import Op
from codesign.workload.rewrite import Editor

SILU: Pattern = ("mul", "x", ("sigmoid", "x"))


def last_match(s: Sketch, pattern: Pattern) -> Match | None:
    trace = s.trace()
    (*_, root) = trace.ops()
    return find(Editor(trace), root[0], pattern)


def test_an_expression_is_found_with_its_variables() -> None:
    s = Sketch()
    x = s.tensor("x", (2, 3), "input")
    s.map("mul", x, s.map("sigmoid", x))
    match = last_match(s, SILU)
    assert match is not None
    assert match.bound["x"] == x
    assert sorted(match.members) == ["mul1", "sigmoid0"]


def test_factors_may_come_in_either_order() -> None:
    s = Sketch()
    x = s.tensor("x", (2, 3), "input")
    s.map("mul", s.map("sigmoid", x), x)
    assert last_match(s, SILU) is not None


def test_operands_of_a_difference_may_not() -> None:
    s = Sketch()
    x = s.tensor("x", (2, 3), "input")
    s.map("sub", s.map("exp", x), x)
    assert last_match(s, ("sub", "x", ("exp", "x"))) is None
    assert last_match(s, ("sub", ("exp", "x"), "x")) is not None


def test_a_variable_stands_for_one_view() -> None:
    s = Sketch()
    x, y = s.tensor("x", (2, 3), "input"), s.tensor("y", (2, 3), "input")
    s.map("mul", x, s.map("sigmoid", y))
    assert last_match(s, SILU) is None


def test_different_slices_of_one_tensor_are_different_views() -> None:
    s = Sketch()
    x = s.tensor("x", (2, 2, 3), "input")
    s.map("mul", view.select(x, 0, 0), s.map("sigmoid", view.select(x, 0, 1)))
    assert last_match(s, SILU) is None


def test_an_inner_result_that_someone_else_reads_forbids_a_match() -> None:
    s = Sketch()
    x = s.tensor("x", (2, 3), "input")
    gate = s.map("sigmoid", x)
    s.map("neg", gate)
    s.map("mul", x, gate)
    assert last_match(s, SILU) is None


def test_casts_in_between_are_looked_through_and_taken_along() -> None:
    s = Sketch()
    half = DType("fp", 16)
    x = s.tensor("x", (2, 3), "input", half)
    wide = s.map("cast", x)
    s.map("mul", wide, s.map("cast", s.map("sigmoid", wide)))
    match = last_match(s, SILU)
    assert match is not None
    assert match.bound["x"] == x
    assert len(match.members) == 4


def test_a_cast_that_serves_others_too_stays() -> None:
    s = Sketch()
    wide = s.map("cast", s.tensor("x", (2, 3), "input"))
    s.map("neg", wide)
    s.map("mul", wide, s.map("sigmoid", wide))
    match = last_match(s, SILU)
    assert match is not None
    assert match.bound["x"] == wide


def test_a_permuted_reader_is_another_expression() -> None:
    s = Sketch()
    x = s.tensor("x", (3, 3), "input")
    s.map("mul", x, view.transpose(s.map("sigmoid", x), 0, 1))
    assert last_match(s, SILU) is None


def test_a_broadcast_reader_is_the_same_expression() -> None:
    s = Sketch()
    x = s.tensor("x", (2, 3), "input")
    mean = s.op("reduce", ["mean"], [x], (2, 1))
    s.map("mul", x, view.expand(mean, (2, 3)))
    assert last_match(s, ("mul", "x", ("mean", "x"))) is not None


def test_a_further_condition_decides_between_matches() -> None:
    s = Sketch()
    x, y = s.tensor("x", (2, 3), "input"), s.tensor("y", (2, 3), "input")
    s.map("mul", x, y)
    trace = s.trace()
    (root,) = (op for op, _ in trace.ops())
    match = find(Editor(trace), root, ("mul", "a", "b"), lambda m: m.bound["a"] == y)
    assert match is not None
    assert match.bound["b"] == x


def test_an_operator_of_several_functions_is_known_by_its_kind() -> None:
    s = Sketch()
    x = s.tensor("x", (2, 3), "input")
    s.op("elementwise", ["exp", "neg"], [x], (2, 3))
    s.op("move", [], [x], (2, 3))
    names = [label(op) for op in s.items if isinstance(op, Op)]
    assert names == ["elementwise", "move"]


def test_a_variable_is_never_an_inner_result() -> None:
    s = Sketch()
    gate = s.map("sigmoid", s.tensor("x", (2, 3), "input"))
    s.map("mul", gate, gate)
    assert last_match(s, ("mul", ("sigmoid", "gate"), "value")) is None
