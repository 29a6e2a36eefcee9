"""What fixed mappings mean for operators: names, sizes and engines, checked before any plan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slow_tiling import LAW, contractions
from toy_machine import priced

from codesign.errors import MappingError
from codesign.hardware.fixed import FixedMapping
from codesign.mapping.assign.ask import Engines, find_ruled
from codesign.mapping.fixed import Fixed, find_fixed, near, with_rules
from codesign.mapping.fixed_cut import operand_names
from codesign.mapping.fixed_file import read_mappings
from codesign.testing import convolution, elementwise, matmul, softmax
from codesign.workload.record import Op

CONV = replace(convolution(8, 16, 12, 3, padding=1), name="conv1")
PRODUCT = replace(matmul(10, 20, 30, batch=4, bias=True), name="linear")
SOFT = replace(softmax(4, 8), name="probabilities")
ENGINES = (priced("npu", contraction=5), priced("lanes", softmax=5, elementwise=5))
Content = Mapping[str, Mapping[str, object]]


def found(content: Content, *ops: Op) -> Fixed:
    return find_fixed(read_mappings(content), ops or (CONV, PRODUCT, SOFT), ENGINES)


def mapping_of(op: Op, **keys: object) -> FixedMapping:
    fixed = found({op.name: keys}, op).of(op)
    assert fixed is not None
    return fixed


def refused(content: Content, *ops: Op) -> str:
    with pytest.raises(MappingError) as caught:
        found(content, *ops)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def tile_of(op: Op, sizes: Mapping[str, int]) -> dict[str, int | None]:
    return dict(zip(op.loops.dims, mapping_of(op, tile=sizes).tile, strict=True))


def test_a_named_loop_fixes_its_class_whose_other_loops_are_whole() -> None:
    tile = tile_of(CONV, {"oy": 4})
    assert (tile["oy"], tile["ox"]) == (4, 12)
    assert [tile[name] for name in ("co", "ci", "ky", "kx")] == [None] * 4


def test_loops_of_one_class_may_all_be_cut() -> None:
    tile = tile_of(CONV, {"oy": 4, "ox": 5})
    assert (tile["oy"], tile["ox"]) == (4, 5)


@pytest.mark.parametrize(
    ("word", "size", "expected"),
    [
        ("m", 12, {"oy": 1, "ox": 12}),
        ("m", 48, {"oy": 4, "ox": 12}),
        ("m", 5, {"oy": 1, "ox": 5}),
        ("k", 72, {"ci": 8, "ky": 3, "kx": 3}),
        ("k", 9, {"ci": 1, "ky": 3, "kx": 3}),
        ("k", 18, {"ci": 2, "ky": 3, "kx": 3}),
        ("k", 6, {"ci": 1, "ky": 2, "kx": 3}),
        ("n", 16, {"co": 16}),
    ],
)
def test_a_word_for_a_class_cuts_its_loops_from_the_inside(
    word: str, size: int, expected: dict[str, int]
) -> None:
    tile = tile_of(CONV, {word: size})
    assert {name: tile[name] for name in expected} == expected
    assert math.prod(expected.values()) == size


def test_a_size_that_cuts_no_loop_evenly_names_its_neighbours() -> None:
    message = refused({"conv1": {"tile": {"m": 30}}})
    assert message == (
        "mapping: conv1: tile: m 30 cuts no loop evenly out of oy 12, ox 12; "
        "name these loops, or take 24 or 36"
    )


def test_a_loop_goes_before_the_word_of_a_class() -> None:
    # the nest of a product calls its loops b, m, n and k
    assert tile_of(PRODUCT, {"b": 2, "m": 5, "k": 10, "n": 30}) == {
        "b": 2,
        "m": 5,
        "n": 30,
        "k": 10,
    }
    assert tile_of(PRODUCT, {"g": 2})["b"] == 2


def test_a_class_and_one_of_its_loops_are_not_both_given() -> None:
    message = refused({"conv1": {"tile": {"m": 12, "oy": 3}}})
    assert "tile: oy and oy decide the same loop" in message or "m and oy" in message


@pytest.mark.parametrize("loop", ["cx", "o", "elements", "M"])
def test_an_unknown_loop_is_refused_with_those_that_there_are(loop: str) -> None:
    message = refused({"conv1": {"tile": {loop: 3}}})
    assert f"mapping: conv1: tile: no loop {loop!r}" in message
    assert message.endswith("known: ci, co, g, k, kx, ky, m, n, ox, oy")


@pytest.mark.parametrize(("loop", "extent"), [("oy", 12), ("ci", 8), ("m", 144), ("k", 72)])
def test_a_size_above_the_extent_is_refused(loop: str, extent: int) -> None:
    message = refused({"conv1": {"tile": {loop: extent + 1}}})
    assert f"tile: {loop} must be at most its extent {extent:,}, got {extent + 1:,}" in message
    assert mapping_of(CONV, tile={loop: extent}).tile


def test_the_order_is_of_loops_and_a_word_stands_for_all_of_its_class() -> None:
    dims = CONV.loops.dims
    assert [dims[dim] for dim in mapping_of(CONV, order=["co", "oy"]).order] == ["co", "oy"]
    words = [dims[dim] for dim in mapping_of(CONV, order=["n", "m", "k"]).order]
    assert [name for name in words if name not in ("b", "g")] == [
        "co",
        "oy",
        "ox",
        "ci",
        "ky",
        "kx",
    ]


def test_an_order_with_an_unknown_or_a_repeated_loop_is_refused() -> None:
    assert "order: no loop 'co2'; did you mean 'co'?" in refused({"conv1": {"order": ["co2"]}})
    message = refused({"conv1": {"order": ["oy", "m"]}})
    assert "order: m and a name before it are the same loop; keep one" in message


@pytest.mark.parametrize(
    ("names", "held"),
    [([], set()), (["input"], {0}), (["weight"], {1}), (["input", "weight"], {0, 1}), (["x"], {0})],
)
def test_operands_are_held_by_role_or_by_tensor(names: list[str], held: set[int]) -> None:
    assert mapping_of(PRODUCT, hold=names).held == frozenset(held)


@pytest.mark.parametrize("name", ["wieght", "output", "input 3", "y", "bias"])
def test_only_factors_can_be_held(name: str) -> None:
    message = refused({"linear": {"hold": [name]}})
    assert f"mapping: linear: hold: no operand {name!r}" in message
    assert "known: input, w, weight, x" in message


def test_an_operator_without_products_is_one_loop_over_elements() -> None:
    assert mapping_of(SOFT, tile={"elements": 8}).tile == (8,)
    message = refused({"probabilities": {"tile": {"m": 8}}})
    assert message == "mapping: probabilities: tile: no loop 'm'; known: elements"
    assert "at most its extent 32" in refused({"probabilities": {"tile": {"elements": 33}}})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("order", ["elements"]),
        ("hold", []),
        ("hold", ["x"]),
        ("inside", ["elements"]),
        ("unroll", {"x": {"elements": 4}}),
    ],
)
def test_it_has_no_order_and_nothing_to_hold(key: str, value: object) -> None:
    message = refused({"probabilities": {key: value}})
    assert f"mapping: probabilities: {key} is of operators with products" in message
    assert message.endswith(f"remove {key}")


def test_where_a_pattern_means_others_too_a_kind_is_the_way_out() -> None:
    message = refused({"*": {"hold": ["weight"]}})
    assert "mapping: probabilities: hold is of operators with products" in message
    assert message.endswith("alone, for example with the pattern 'kind:contraction'")
    fixed = found({"kind:contraction": {"hold": ["weight"]}})
    assert set(fixed.mappings) == {"conv1", "linear"}


def test_axes_run_loops_by_number() -> None:
    unroll = {"D1": {"co": 16}, "D2": {"ci": 4, "kx": 3}}
    names = CONV.loops.dims
    assert mapping_of(CONV, unroll=unroll).unroll == (
        ("D1", ((names.index("co"), 16),)),
        ("D2", ((names.index("ci"), 4), (names.index("kx"), 3))),
    )


def test_axes_together_run_no_more_of_a_loop_than_there_is() -> None:
    assert mapping_of(CONV, unroll={"D1": {"co": 4}, "D2": {"co": 4}})
    message = refused({"conv1": {"unroll": {"D1": {"co": 4}, "D2": {"co": 5}}}})
    assert "mapping: conv1: unroll: D2: co must be at most its extent 4, got 5" in message
    assert "unroll: D1: no loop 'm'" in refused({"conv1": {"unroll": {"D1": {"m": 4}}}})


def test_the_order_inside_a_tile_is_read_as_that_over_tiles() -> None:
    dims = CONV.loops.dims
    assert [dims[dim] for dim in mapping_of(CONV, inside=["ci", "co"]).inside] == ["ci", "co"]
    assert "inside: no loop 'c'" in refused({"conv1": {"inside": ["c"]}})
    assert "inside: m and a name before it" in refused({"conv1": {"inside": ["oy", "m"]}})


def test_mappings_that_differ_in_their_place_only_are_equal() -> None:
    assert FixedMapping((3,), place="a") == FixedMapping((3,), place="b")
    assert hash(FixedMapping((3,), place="a")) == hash(FixedMapping((3,), place="b"))


def test_a_pattern_decides_all_that_it_matches() -> None:
    ops = [replace(CONV, name=f"layers.{n}.conv") for n in range(3)]
    fixed = found({"layers.*": {"tile": {"oy": 2}}}, *ops, PRODUCT)
    assert all(fixed.of(op) for op in ops)
    assert fixed.of(PRODUCT) is None
    # the place of each names the operator, not the pattern
    assert [str(fixed.mappings[op.name].place) for op in ops] == [
        f"mapping: layers.{n}.conv" for n in range(3)
    ]


def test_a_pattern_may_be_on_kinds_as_in_rules_on_engines() -> None:
    assert set(found({"kind:soft*": {"tile": {"elements": 8}}}).mappings) == {"probabilities"}
    first: Content = {"linear": {"tile": {"m": 5}}, "kind:*": {"engine": "npu"}}
    with pytest.raises(MappingError, match="probabilities: engine: npu does not take it"):
        found(first)
    fixed = found({"kind:softmax": {"engine": "lanes"}, "*": {"engine": "npu"}})
    assert fixed.engines == {"probabilities": "lanes", "conv1": "npu", "linear": "npu"}
    # the name of an operator is no kind
    assert "matches no operator" in refused({"kind:conv1": {"engine": "npu"}})


def test_a_kind_that_is_not_there_names_what_is_near() -> None:
    message = refused({"kind:contractions": {"hold": []}})
    assert message == (
        "mapping: 'kind:contractions' matches no operator; did you mean 'kind:contraction'?"
    )


def test_of_several_patterns_the_first_counts() -> None:
    ops = [replace(CONV, name=f"layers.{n}.conv") for n in range(2)]
    content = {"layers.0.*": {"tile": {"oy": 2}}, "layers.*": {"tile": {"oy": 3}}}
    fixed = found(content, *ops)
    sizes = [fixed.mappings[op.name].tile[CONV.loops.dims.index("oy")] for op in ops]
    assert sizes == [2, 3]


def test_a_pattern_that_decides_nothing_is_refused() -> None:
    content = {"conv*": {"tile": {"oy": 2}}, "conv1": {"tile": {"oy": 3}}}
    message = refused(content)
    assert "'conv1' matches only operators that an entry before it decides" in message


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [("conv2", "did you mean 'conv1'?"), ("linears", "did you mean 'linear'?"), ("zzz", "conv1")],
)
def test_a_pattern_that_matches_nothing_names_what_is_near(pattern: str, hint: str) -> None:
    message = refused({pattern: {"tile": {"m": 1}}})
    assert message.startswith(f"mapping: {pattern!r} matches no operator")
    assert hint in message


def test_what_is_near_never_lists_thousands() -> None:
    names = [f"operator number {n}" for n in range(5000)]
    assert len(near("zzz", names)) < 200
    assert near("zzz", names).endswith(", ...")
    assert near("a", ["b"]) == "; operators are b"


def test_an_engine_must_be_there_and_take_the_operator() -> None:
    message = refused({"conv1": {"engine": "npy"}})
    assert "mapping: conv1: engine: no engine 'npy'; did you mean 'npu'?" in message
    message = refused({"conv1": {"engine": "lanes"}})
    assert "conv1: engine: lanes does not take it: has no price for contraction" in message


def test_an_engine_alone_decides_no_mapping() -> None:
    fixed = found({"conv1": {"engine": "npu"}})
    assert fixed.of(CONV) is None
    assert fixed.engines == {"conv1": "npu"}


def test_engines_of_mappings_go_before_rules() -> None:
    ops = [replace(elementwise((8,)), name=name) for name in ("a[0]", "a0", "b")]
    twins = (priced("one", elementwise=1), priced("two", elementwise=1))
    fixed = find_fixed(read_mappings({"a[[]0]": {"engine": "two"}}), ops, twins)
    rules = with_rules(Engines(rules={"*": "one"}), fixed).rules
    assert find_ruled(rules, ops, ["one", "two"]) == ["two", "one", "one"]
    assert with_rules(Engines("alone"), Fixed()) == Engines("alone")


def test_a_part_of_an_operator_keeps_to_the_mapping_as_far_as_it_reaches() -> None:
    fixed = found({"linear": {"tile": {"n": 20}, "hold": ["input"]}})
    extents = list(PRODUCT.loops.extents)
    n = PRODUCT.loops.dims.index("n")
    for columns, size in ((8, 8), (20, 20), (25, 20)):
        extents[n] = columns
        part = replace(
            PRODUCT,
            name=f"linear[0:{columns}]",
            nest=replace(PRODUCT.loops, extents=tuple(extents)),
        )
        mine = fixed.of(part)
        assert mine is not None
        assert mine.tile[n] == size
        assert mine.held == frozenset({0})


def test_another_operator_with_brackets_in_its_name_is_free() -> None:
    fixed = found({"linear": {"tile": {"n": 20}}})
    assert fixed.of(replace(PRODUCT, name="linears[0:8]")) is None
    assert fixed.of(replace(PRODUCT, name="other")) is None


def test_nothing_decided_is_nothing_at_all() -> None:
    assert find_fixed((), (CONV,), ENGINES) == Fixed()
    assert Fixed().of(CONV) is None
    assert FixedMapping().is_open
    assert FixedMapping((None, None)).is_open
    assert not FixedMapping((None, 3)).is_open
    assert not FixedMapping(order=(0,)).is_open
    assert not FixedMapping(held=frozenset()).is_open
    assert not FixedMapping(inside=(0,)).is_open
    assert not FixedMapping(unroll=(("x", ((0, 2),)),)).is_open


def test_operands_have_short_names() -> None:
    assert operand_names(PRODUCT) == ["input", "weight", "input 3", "output"]
    assert operand_names(CONV)[:2] == ["input", "weight"]
    assert operand_names(elementwise((8,), inputs=3)) == ["input", "input 2", "input 3", "output"]


@LAW
@given(contractions, st.data())
def test_any_size_up_to_the_extent_is_taken_as_it_is(op: Op, data: st.DataObject) -> None:
    loop = data.draw(st.sampled_from(op.loops.dims))
    extent = op.loops.extents[op.loops.dims.index(loop)]
    size = data.draw(st.integers(1, extent))
    fixed = mapping_of(op, tile={loop: size})
    assert fixed.tile[op.loops.dims.index(loop)] == size
    for dims in op.loops.classes(len(op.inputs)):
        given_dims = [fixed.tile[dim] for dim in dims]
        assert all(one is None for one in given_dims) or all(given_dims)
