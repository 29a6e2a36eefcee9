"""Fixed mappings of an array: one cut, one order over tiles, what comes once, or why not."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from slow_hierarchy import OPS, array
from slow_tiling import LAW

from codesign.errors import MappingError
from codesign.hardware.fixed import FixedMapping
from codesign.hardware.objective import Objective
from codesign.mapping.hierarchy.choose import Mapping, Rates, choose
from codesign.mapping.hierarchy.fixed import Limits
from codesign.mapping.hierarchy.orders import TILE
from codesign.mapping.hierarchy.spec import GROUPS, RESULT, Array, Axis, Stage
from codesign.mapping.hierarchy.walk import Walk, pick
from codesign.testing import convolution, matmul
from codesign.workload.record import Op

RATES = Rates(1e9, 64e9, 64e9, 0.0, True)
LATENCY, ENERGY = Objective(), Objective(0, 1)
PRODUCT = matmul(16, 32, 16)
CONV = convolution(8, 8, 8, 3, padding=1)
LARGE: dict[str, Any] = {"stages": (Stage((0, 1, 2), 8 * 100_000, 1e-13, 2e-13, 32),)}


def limits(op: Op, *order: str, held: set[int] | None = None, **sizes: int) -> Limits:
    """A fixed mapping as the mapping stage makes it."""
    nest = op.loops
    tile: list[int | None] = [sizes.get(name) for name in nest.dims]
    for dims in nest.classes(len(op.inputs)):
        if any(tile[dim] for dim in dims):
            for dim in dims:
                tile[dim] = tile[dim] or nest.extents[dim]
    numbers = tuple(nest.dims.index(name) for name in order)
    here = None if held is None else frozenset(held)
    mapping = FixedMapping(tuple(tile) if sizes else (), numbers, here, "here: op")
    return Limits(op, mapping, ["sram"])


def chosen(
    op: Op, mapping: Limits | None, objective: Objective = LATENCY, cells: Array | None = None
) -> Mapping:
    return choose(op, cells or array(**LARGE), RATES, objective, frozenset(), mapping)


def refused(op: Op, mapping: Limits, cells: Array | None = None) -> str:
    with pytest.raises(MappingError) as caught:
        chosen(op, mapping, cells=cells)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith("here: op: ")
    return text


def tile_of(found: Mapping) -> dict[str, int]:
    """Extent of every loop in a full tile."""
    states = found.problem.states
    sizes: dict[str, int] = {}
    for number, dims in enumerate(states.classes):
        cut = states.tiles[number][int(found.orders.cut[found.row, number])]
        for dim, turns in zip(dims, cut, strict=True):
            name, extent = states.op.loops.dims[dim], states.op.loops.extents[dim]
            sizes[name] = min(extent, turns * states.beside[dim])
    return sizes


def over_tiles(found: Mapping) -> list[int]:
    """Classes that have several tiles, from the outermost to the innermost."""
    steps = found.orders.steps[found.row, TILE:]
    loops = found.orders.loops[found.row, TILE:]
    return [int(n) for n, count in zip(loops[::-1], steps[::-1], strict=True) if count > 1]


@pytest.mark.parametrize(
    "sizes",
    [
        {"m": 4},
        {"k": 8},
        {"m": 3, "k": 32, "n": 8},
        {"m": 16, "k": 4, "n": 4},
        {"m": 1, "k": 12, "n": 16},
    ],
)
def test_the_tile_is_the_one_that_was_decided(sizes: dict[str, int]) -> None:
    found = tile_of(chosen(PRODUCT, limits(PRODUCT, held=None, **sizes)))
    assert {name: found[name] for name in sizes} == sizes


@pytest.mark.parametrize("sizes", [{"oy": 2, "ox": 5}, {"oy": 8, "ox": 3}, {"oy": 1, "ox": 8}])
def test_several_loops_of_a_class_may_be_cut(sizes: dict[str, int]) -> None:
    found = tile_of(chosen(CONV, limits(CONV, held=None, **sizes)))
    assert {name: found[name] for name in sizes} == sizes


@pytest.mark.parametrize("order", [("m", "n", "k"), ("n", "m", "k"), ("k", "m", "n")])
def test_the_order_over_tiles_is_the_one_that_was_decided(order: tuple[str, ...]) -> None:
    found = chosen(PRODUCT, limits(PRODUCT, *order, m=4, n=4, k=8))
    # here classes are rows, reduction, columns, groups
    numbers = {"m": 0, "k": 1, "n": 2}
    assert over_tiles(found) == [numbers[name] for name in order]


def test_part_of_an_order_leaves_the_rest_open() -> None:
    found = chosen(PRODUCT, limits(PRODUCT, "n", "m", m=4, n=4, k=8))
    order = over_tiles(found)
    assert order.index(2) < order.index(0)


@pytest.mark.parametrize("held", [{0}, {1}, {0, 1}])
def test_what_is_held_comes_from_home_once(held: set[int]) -> None:
    found = chosen(PRODUCT, limits(PRODUCT, held=held, m=4, n=4, k=8))
    moved = found.counted.homes.moved[found.row]
    for operand in held:
        assert moved[operand] == 8 * PRODUCT.operands[operand].elements


@pytest.mark.parametrize("held", [set(), {0}, {1}])
def test_what_is_held_is_a_minimum_beside_which_others_may_stay(held: set[int]) -> None:
    free = chosen(PRODUCT, limits(PRODUCT, m=4, n=4, k=8))
    some = chosen(PRODUCT, limits(PRODUCT, held=held, m=4, n=4, k=8))
    both = chosen(PRODUCT, limits(PRODUCT, held={0, 1}, m=4, n=4, k=8))
    assert free.latency_s <= some.latency_s <= both.latency_s
    if not held:
        assert some.latency_s == free.latency_s
    # a product of one tile brings all of it once, whatever is named
    once = chosen(PRODUCT, limits(PRODUCT, held=held, m=16, n=16, k=32))
    moved = once.counted.homes.moved[once.row]
    assert [moved[x] for x in (0, 1)] == [8 * PRODUCT.operands[x].elements for x in (0, 1)]


@LAW
@given(OPS, st.sampled_from([LATENCY, ENERGY]))
def test_deciding_what_the_search_chose_is_no_worse(op: Op, objective: Objective) -> None:
    try:
        free = chosen(op, None, objective, array())
    except MappingError:
        free = None
    assume(free is not None)
    assert free is not None
    classes = free.problem.states.classes
    order = [op.loops.dims[dim] for number in over_tiles(free) for dim in classes[number]]
    again = chosen(op, limits(op, *order, held=None, **tile_of(free)), objective, array())

    def cost(found: Mapping) -> float:
        return found.energy_j if objective == ENERGY else found.latency_s

    # the same row is there, and beside it rows that the free search dropped early
    assert cost(again) <= cost(free) * (1 + 1e-12)


@LAW
@given(OPS, st.data())
def test_whatever_fits_is_as_decided(op: Op, data: st.DataObject) -> None:
    nest = op.loops
    name = data.draw(st.sampled_from(nest.dims))
    size = data.draw(st.integers(1, nest.extents[nest.dims.index(name)]))
    held = data.draw(st.sets(st.sampled_from([0, 1])))
    try:
        found = chosen(op, limits(op, held=held, **{name: size}), cells=array())
    except MappingError:
        return  # what does not fit is told by name below
    assert tile_of(found)[name] == size
    walk = Walk(found.orders)
    for operand in held:
        place = found.counted.homes.places[:, operand]
        fills, unlike = (pick(table, place) for table in walk.fills(operand))
        assert fills[found.row] == unlike[found.row]


# -- inside a tile ---------------------------------------------------------------------------------


def unrolled(op: Op, *inside: str, **axes: dict[str, int]) -> Limits:
    """What runs side by side, and the order of loops in a tile."""
    number = op.loops.dims.index
    laid = tuple(
        (axis, tuple((number(loop), size) for loop, size in sizes.items()))
        for axis, sizes in axes.items()
    )
    order = tuple(number(name) for name in inside)
    return Limits(op, FixedMapping(unroll=laid, inside=order, place="here: op"), ["sram"])


@pytest.mark.parametrize(
    "axes",
    [
        {"x": {"n": 4}, "y": {"k": 4}},
        {"x": {"n": 2}, "y": {"k": 3}},
        {"x": {"n": 3}},
        {"y": {"k": 4}},
    ],
)
def test_what_runs_side_by_side_is_what_was_decided(axes: dict[str, dict[str, int]]) -> None:
    found = chosen(PRODUCT, unrolled(PRODUCT, **axes))
    names = PRODUCT.loops.dims
    laid = {
        axis.name: {names[dim]: size for dim, size in loops}
        for axis, loops in zip(array().axes, found.problem.spread, strict=True)
        if loops
    }
    assert laid == axes
    cells = [size for sizes in axes.values() for size in sizes.values()]
    assert found.latency_s * 1e9 >= PRODUCT.macs / math.prod(cells)


def test_several_loops_of_a_class_share_an_axis() -> None:
    found = chosen(CONV, unrolled(CONV, x={"co": 4}, y={"ky": 2, "kx": 2}))
    assert found.problem.beside()[CONV.loops.dims.index("ky")] == 2


def test_deciding_the_best_unrolling_changes_nothing() -> None:
    free = chosen(PRODUCT, None)
    again = chosen(PRODUCT, unrolled(PRODUCT, x={"n": 4}, y={"k": 4}))
    assert again.latency_s == free.latency_s


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ({"z": {"n": 4}}, "unroll: no axis 'z'; known: x, y"),
        ({"x": {"m": 4}}, "unroll: x may not run m, only n; name one of these"),
        ({"y": {"n": 4}}, "unroll: y may not run n, only k; name one of these"),
        ({"x": {"n": 8}}, "unroll: x has 4 cells, got 8 steps; lower them"),
    ],
)
def test_an_axis_runs_only_what_it_may(axes: dict[str, dict[str, int]], words: str) -> None:
    assert words in refused(matmul(16, 32, 16), unrolled(matmul(16, 32, 16), **axes))


@pytest.mark.parametrize("inside", list(itertools.permutations(("m", "k", "n"))))
def test_the_order_inside_a_tile_is_the_one_that_was_decided(inside: tuple[str, ...]) -> None:
    mapping = unrolled(PRODUCT, *inside)
    mapping.mapping = replace(mapping.mapping, tile=limits(PRODUCT, m=8, k=16, n=8).mapping.tile)
    found = chosen(PRODUCT, mapping)
    steps = found.orders.steps[found.row, :TILE]
    loops = found.orders.loops[found.row, :TILE]
    several = [int(n) for n, count in zip(loops[::-1], steps[::-1], strict=True) if count > 1]
    assert several == [{"m": 0, "k": 1, "n": 2}[name] for name in inside]


def test_an_order_inside_a_tile_that_cannot_be_says_so() -> None:
    op = matmul(8, 8, 8, batch=4)
    mapping = unrolled(op, "m", "b")
    mapping.mapping = replace(mapping.mapping, tile=limits(op, m=8, b=4, n=8, k=8).mapping.tile)
    text = refused(op, mapping, array(**LARGE, axes=(Axis("x", 1, (2,)), Axis("y", 1, (1,)))))
    assert "inside: groups run outermost" in text
    assert "got [m, b]" in text


# -- what cannot be --------------------------------------------------------------------------------


def test_a_tile_is_a_multiple_of_what_runs_side_by_side() -> None:
    text = refused(PRODUCT, limits(PRODUCT, n=6))
    assert text == (
        "here: op: tile: n must be a multiple of the 4 steps that run side by side, or all 16, "
        "got 6; change it"
    )
    odd = matmul(16, 32, 6)
    assert tile_of(chosen(odd, limits(odd, n=6)))["n"] == 6


def test_groups_run_outermost() -> None:
    op = matmul(8, 8, 8, batch=4)
    text = refused(op, limits(op, "m", "b", m=2, b=1))
    assert "order: groups run outermost, loops of one class together and as in the nest" in text
    assert "got [m, b]" in text
    found = chosen(op, limits(op, "b", "m", m=2, b=1))
    assert over_tiles(found)[0] == GROUPS


def test_loops_of_a_class_run_as_in_the_nest() -> None:
    assert "got [ox, oy]" in refused(CONV, limits(CONV, "ox", "oy", oy=2, ox=2))
    assert chosen(CONV, limits(CONV, "oy", "ox", oy=2, ox=2))


def test_a_stage_that_is_too_small_is_named_with_its_bytes() -> None:
    cells = array(stages=(Stage((0, 1, 2), 8 * 600, 1e-13, 2e-13, 32),))
    text = refused(PRODUCT, limits(PRODUCT, m=16, n=16, k=32), cells)
    # two factors and sums of 16 bit, each once
    needed = 16 * 32 + 32 * 16 + 2 * 16 * 16
    assert f"its tiles take {needed:,} B of sram, which grants 600 B" in text
    enough = array(stages=(Stage((0, 1, 2), 8 * needed, 1e-13, 2e-13, 32),))
    assert chosen(PRODUCT, limits(PRODUCT, m=16, n=16, k=32), cells=enough)


def test_of_several_stages_the_one_that_overflows_is_named() -> None:
    stages = (Stage((0, RESULT), 8 * 100_000, 0, 0, 8), Stage((1,), 8 * 100, 0, 0, 8))
    mapping = limits(PRODUCT, m=16, n=16, k=32)
    mapping.names = ["sram", "weights"]
    text = refused(PRODUCT, mapping, array(stages=stages))
    assert "its tiles take 512 B of weights, which grants 100 B" in text


def test_memories_of_single_cells_are_called_so() -> None:
    stages = (Stage((0, RESULT), 8 * 100_000, 0, 0, 8), Stage((1,), 8 * 2, 0, 0, 8, cells=True))
    mapping = limits(PRODUCT, m=16, n=16, k=32)
    mapping.names = ["sram", "registers"]
    assert "B of registers of a cell, which grants 2 B" in refused(
        PRODUCT, mapping, array(stages=stages, stores=())
    )


def test_what_cannot_be_held_says_so() -> None:
    cells = array(stages=(Stage((0, 1, 2), 8 * 800, 1e-13, 2e-13, 32),))
    text = refused(PRODUCT, limits(PRODUCT, held={0, 1}, m=4, n=4, k=8), cells)
    assert "hold: no room for all of what is held beside the tiles of the rest" in text
