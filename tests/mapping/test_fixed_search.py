"""The tile search under a fixed mapping: the same search in a smaller space, or why not."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from slow_tiling import LAW, budgets, contractions, expand, ideal, totals, walk

from codesign.errors import MappingError
from codesign.hardware.fixed import FixedMapping
from codesign.hardware.plan import Budget, TilePlan
from codesign.mapping.emit import emit
from codesign.mapping.fixed_cut import Box, make_split
from codesign.mapping.splits import Split
from codesign.mapping.tiling import ArrayModel, Sizes, Tiling, search
from codesign.testing import convolution, matmul
from codesign.workload.record import Op

AMPLE = Budget(1 << 24, 1e9, 1e9)


MODEL = ideal()


PRODUCT = matmul(24, 32, 40)


CONV = convolution(6, 8, 10, 3, padding=1)


G, M, K, N = range(4)


def tile_of(op: Op, **sizes: int) -> tuple[int | None, ...]:
    """A fixed tile as the mapping stage makes it: loops beside a named one are whole."""
    nest = op.loops
    tile: list[int | None] = [sizes.get(name) for name in nest.dims]
    for dims in nest.classes(len(op.inputs)):
        if any(tile[dim] for dim in dims):
            for dim in dims:
                tile[dim] = tile[dim] or nest.extents[dim]
    return tuple(tile)


def fixed(op: Op, *order: str, held: set[int] | None = None, **sizes: int) -> FixedMapping:
    numbers = tuple(op.loops.dims.index(name) for name in order)
    here = None if held is None else frozenset(held)
    return FixedMapping(tile_of(op, **sizes) if sizes else (), numbers, here, "here: op")


def under(mapping: FixedMapping, budget: Budget = AMPLE) -> Budget:
    return replace(budget, fixed=mapping)


def refused(
    op: Op, mapping: FixedMapping, budget: Budget = AMPLE, model: ArrayModel = MODEL
) -> str:
    with pytest.raises(MappingError) as caught:
        search(op, under(mapping, budget), model)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith("here: op: ")
    return text


def extents_of(split: Split) -> list[tuple[int, ...]]:
    """All tiles of a class, in order."""
    once = [extents for extents, count in split.sweep() for _ in range(count)]
    return once * split.outer


# -- cuts ----------------------------------------------------------------------------------------


@LAW
@given(st.lists(st.integers(1, 7), min_size=0, max_size=3), st.data())
def test_tiles_of_a_class_are_those_of_nested_loops(own: list[int], data: st.DataObject) -> None:
    tile = tuple(data.draw(st.integers(1, extent)) for extent in own)
    split = make_split(own, tile)
    pieces = [[size] * (extent // size) for extent, size in zip(own, tile, strict=True)]
    for extent, size, turns in zip(own, tile, pieces, strict=True):
        turns += [extent % size] if extent % size else []
    expected = list(itertools.product(*pieces))
    assert extents_of(split) == expected
    assert split.count == len(expected)
    assert split.tile == expected[0]
    last = expected[-1]
    assert (split.edge or split.tile) == last
    counted = {size: 0 for size, _ in split.parts}
    for size, times in split.parts:
        counted[size] += times
    sizes = [math.prod(extents) for extents in expected]
    assert {size: n for size, n in counted.items() if n} == {s: sizes.count(s) for s in set(sizes)}


@pytest.mark.parametrize(
    ("own", "tile", "is_box"),
    [
        ([8, 8], (4, 8), False),
        ([8, 8], (1, 3), False),
        ([8, 8], (8, 8), False),
        ([8, 8], (1, 1), False),
        ([1, 8, 8], (1, 4, 8), False),
        ([8, 1, 8], (3, 1, 8), False),
        ([], (), False),
        ([8, 8], (4, 4), True),
        ([8, 8], (8, 3), True),
        ([4, 8, 8], (2, 8, 4), True),
    ],
)
def test_what_the_search_could_cut_is_the_same_cut(
    own: list[int], tile: tuple[int, ...], is_box: bool
) -> None:
    assert isinstance(make_split(own, tile), Box) == is_box


# -- the search keeps to what is decided -----------------------------------------------------------


@LAW
@given(contractions, st.data())
def test_the_tiling_is_the_one_that_was_decided(op: Op, data: st.DataObject) -> None:
    nest = op.loops
    names = [
        name
        for number, dims in enumerate(nest.classes(len(op.inputs)))
        for name in [nest.dims[dim] for dim in dims][: 1 if number == K else None]
    ]
    chosen = data.draw(st.lists(st.sampled_from(names), unique=True, min_size=1))
    sizes = {
        name: data.draw(st.integers(1, nest.extents[nest.dims.index(name)])) for name in chosen
    }
    held = data.draw(st.sets(st.sampled_from([0, 1])))
    mapping = fixed(op, held=held, **sizes)
    try:
        tiling = search(op, under(mapping), ideal(1 << 30))
    except MappingError:
        # loops of a reduction that are not named are whole, those outside the cut one are not 1
        assume(False)
        raise
    assert tiling.held == held
    for number, dims in enumerate(nest.classes(len(op.inputs))):
        for dim, extent in zip(dims, tiling.splits[number].tile, strict=True):
            assert mapping.tile[dim] in (None, extent)


@LAW
@given(contractions, st.data())
def test_deciding_what_the_search_chose_changes_nothing(op: Op, data: st.DataObject) -> None:
    budget = data.draw(budgets(op))
    model = ideal(data.draw(st.sampled_from([4, 64, 4096])))
    try:
        free = search(op, budget, model)
    except MappingError:
        free = None
    assume(free is not None)
    assert free is not None
    again = search(op, under(decided(op, free), budget), model)
    assert (again.latency_s, again.order, again.held) == (free.latency_s, free.order, free.held)
    # a cut of loops that are 1 has several names
    for one, other in zip(again.splits, free.splits, strict=True):
        assert extents_of(one) == extents_of(other)


def decided(op: Op, tiling: Tiling) -> FixedMapping:
    """All that a tiling decides."""
    tile: list[int | None] = [None] * len(op.loops.dims)
    classes = op.loops.classes(len(op.inputs))
    for dims, split in zip(classes, tiling.splits, strict=True):
        for dim, extent in zip(dims, split.tile, strict=True):
            tile[dim] = extent
    order = tuple(dim for number in tiling.order for dim in classes[number])
    return FixedMapping(tuple(tile), order, tiling.held, "here: op")


@LAW
@given(contractions, st.data())
def test_the_fewer_decisions_the_better_the_mapping(op: Op, data: st.DataObject) -> None:
    budget = data.draw(budgets(op))
    model = ideal(data.draw(st.sampled_from([64, 4096])), grain=4)
    try:
        free = search(op, budget, model)
    except MappingError:
        free = None
    assume(free is not None)
    assert free is not None
    whole = decided(op, free)
    for part in (
        replace(whole, tile=()),
        replace(whole, order=()),
        replace(whole, held=None),
        FixedMapping(held=whole.held),
        FixedMapping(order=whole.order),
    ):
        assert search(op, under(part, budget), model).latency_s == free.latency_s


@LAW
@given(contractions, st.data())
def test_no_decision_beats_a_search_among_the_same_cuts(op: Op, data: st.DataObject) -> None:
    budget = data.draw(budgets(op))
    model = ideal(4096, grain=4)
    held = data.draw(st.sets(st.sampled_from([0, 1])))
    try:
        fastest = search(op, budget, model)
        tiling = search(op, under(FixedMapping(held=frozenset(held)), budget), model)
    except MappingError:
        return
    assert tiling.latency_s >= fastest.latency_s
    assert tiling.held == {x for x in held if not budget.is_resident(x)}


def test_an_order_decides_which_factor_comes_again() -> None:
    loaded = {}
    for order in (("m", "n"), ("n", "m")):
        mapping = fixed(PRODUCT, *order, held=set(), m=8, n=8, k=32)
        tiling = search(PRODUCT, under(mapping), MODEL)
        loop = emit(PRODUCT, tiling, under(mapping), lambda *_: 1).loop
        loaded[order] = TilePlan(loop, 1e9).loaded
    # rows outside: the first factor once, the second for each of 3 blocks of rows
    assert loaded["m", "n"] == {0: 24 * 32, 1: 3 * 32 * 40}
    assert loaded["n", "m"] == {0: 5 * 24 * 32, 1: 32 * 40}


def test_the_place_of_a_loop_with_one_turn_does_not_matter() -> None:
    whole = fixed(PRODUCT, "k", "n", "m", m=8, n=8, k=32)
    assert search(PRODUCT, under(whole), MODEL).order == (G, N, M, K)
    alone = fixed(matmul(24, 32, 1), "k", "n", "m")
    assert refused(matmul(24, 32, 1), alone)  # k may have several turns, n has one
    assert search(matmul(24, 32, 1), under(fixed(matmul(24, 32, 1), "n", "m", "k")), MODEL)


# -- tiles that are cut in several loops -----------------------------------------------------------


def uneven(sizes: Sizes) -> np.ndarray:
    """Cycles that no sum of tiles gets right by its points alone."""
    g, m, k, n = sizes
    cycles: np.ndarray = g * -(-m // 4) * (k + 3) * -(-n // 3)
    return cycles


@pytest.mark.parametrize(("oy", "ox"), [(3, 4), (4, 3), (5, 5), (1, 7), (10, 3), (7, 10)])
@pytest.mark.parametrize("co", [3, 8])
def test_boxes_are_scored_by_every_one_of_their_tiles(oy: int, ox: int, co: int) -> None:
    mapping = fixed(CONV, held=set(), oy=oy, ox=ox, co=co, ci=6)
    # links so fast that the makespan is the compute
    budget = under(mapping, Budget(1 << 24, 1e30, 1e30))
    model = replace(MODEL, cycles=uneven, fits=lambda sizes: sizes[0] > 0, fill_cycles=7)
    tiling = search(CONV, budget, model)

    def cycles(*sizes: int) -> int:
        g, m, k, n = (np.array([size]) for size in sizes)
        return int(uneven((g, m, k, n))[0])

    plan = TilePlan(emit(CONV, tiling, budget, cycles).loop, 1e9)
    assert tiling.latency_s == pytest.approx((plan.cycles + 7) / 1e9)
    turns = -(-10 // oy) * -(-10 // ox) * -(-8 // co)
    assert plan.tiles == turns


@LAW
@given(st.data())
def test_boxes_turn_into_the_tiles_of_the_obvious_loops(data: st.DataObject) -> None:
    op = data.draw(contractions)
    classes = op.loops.classes(len(op.inputs))
    extents = op.loops.extents
    sizes = {
        op.loops.dims[dim]: data.draw(st.integers(1, extents[dim]))
        for number in (G, M, N)
        for dim in classes[number]
    }
    assume(sizes)
    turns = [-(-extents[op.loops.dims.index(name)] // size) for name, size in sizes.items()]
    assume(math.prod(turns) < 400)
    held = data.draw(st.sets(st.sampled_from([0, 1])))
    budget = under(fixed(op, held=held, **sizes))
    tiling = search(op, budget, ideal(1 << 30))
    found = emit(op, tiling, budget, lambda g, m, k, n: g * m * k * n)
    steps = list(walk(op, tiling, budget))
    assert expand(found.loop) == [(step.macs, step.loads, step.stores) for step in steps]
    plan = TilePlan(found.loop, 1e9)
    assert plan.cycles == op.macs
    loaded, stored = totals(steps)
    assert plan.loaded == {number: size for number, size in loaded.items() if size}
    assert plan.stored == dict(stored)
