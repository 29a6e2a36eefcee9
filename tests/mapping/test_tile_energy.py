"""The tile search under objectives that weigh energy: the best of all, by an obvious sum."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from slow_tiling import LAW, burst_bytes, contractions, ideal, products, tilings, walk
from test_tiling import slow_score

from codesign.errors import MappingError
from codesign.hardware.objective import Objective
from codesign.hardware.plan import Budget, Store
from codesign.mapping.tiling import ArrayModel, Sizes, Tiling, search
from codesign.testing import convolution, matmul
from codesign.workload.record import Op

FEW = settings(LAW, max_examples=25)
LATENCY, ENERGY, EDP = Objective(), Objective(0, 1), Objective(1, 1)
STORES = (Store("sram", 0, 2e-12, 3e-12), Store("dram", 0, 40e-12, 50e-12))
ABOVE = 1 - 1e-8
"""Scores that differ by less count as equal in the search."""


def joules(sizes: Sizes) -> NDArray[np.float64]:
    """Energy of a tile that is not just in proportion to its work: first factors come again."""
    g, m, k, n = sizes
    found: NDArray[np.float64] = g * m * k * (1e-12 * n + 5e-12 * -(-n // 8)) + 7e-12 * g * m * n
    return found


@cache
def of_one(sizes: tuple[int, ...]) -> float:
    """The same of one tile."""
    g, m, k, n = (np.array([size]) for size in sizes)
    return float(joules((g, m, k, n))[0])


def model(accumulators: int = 1 << 20) -> ArrayModel:
    """An engine of one MAC a cycle with energies."""
    return replace(ideal(accumulators, grain=2), joules=joules)


@st.composite
def budgets(draw: st.DrawFn) -> Budget:
    return Budget(
        draw(st.sampled_from([60, 200, 900, 5000])),
        draw(st.sampled_from([1e8, 1e10])),
        draw(st.sampled_from([1e8, 1e9])),
        draw(st.sampled_from([0.0, 1e-8])),
        (False, draw(st.booleans()), False),
        draw(st.booleans()),
        burst_bytes=draw(st.sampled_from([1, 4])),
        stores=STORES,
    )


def found(op: Op, budget: Budget, objective: Objective, engine: ArrayModel | None = None) -> Tiling:
    """The choice; an example in which nothing fits is none."""
    try:
        return search(op, replace(budget, objective=objective), engine or model())
    except MappingError:
        assume(False)
        raise


def slow_joules(op: Op, budget: Budget, tiling: Tiling) -> float:
    """Joules by walking the tiles, each of which moves what a full one does."""
    whole = [1] * len(op.loops.dims)
    for dims, split in zip(op.loops.classes(len(op.inputs)), tiling.splits, strict=True):
        for dim, extent in zip(dims, split.tile, strict=True):
            whole[dim] = extent
    full = [burst_bytes(op, o, whole, budget.burst_bytes) for o in range(len(op.operands))]
    buffer, home = STORES
    total = 0.0
    for step in walk(op, tiling, budget):
        total += of_one(step.sizes)
        total += sum(full[i] for i in step.loads) * (home.read_j + buffer.write_j)
        total += sum(full[o] for o in step.stores) * (buffer.read_j + home.write_j)
    return total


def score(objective: Objective, tiling: Tiling, op: Op, budget: Budget) -> float:
    """What a choice scores, under whatever objective it was made."""
    energy = slow_joules(op, budget, tiling)
    return float(objective.score(tiling.latency_s, energy))


# -- against all candidates ----------------------------------------------------------------------


@FEW
@given(contractions, budgets(), st.sampled_from([ENERGY, EDP, Objective(2, 1)]))
def test_the_joules_of_a_choice_are_those_of_its_tiles(
    op: Op, budget: Budget, objective: Objective
) -> None:
    tiling = found(op, budget, objective)
    assert tiling.energy_j == pytest.approx(slow_joules(op, budget, tiling), rel=1e-9)


@settings(LAW, max_examples=8)
@given(
    products(largest=5), budgets(), st.sampled_from([ENERGY, EDP, Objective(2, 1), Objective(3, 7)])
)
def test_no_candidate_scores_better(op: Op, budget: Budget, objective: Objective) -> None:
    engine = model()
    best = score(objective, found(op, budget, objective, engine), op, budget)
    compared = 0
    for tiling in tilings(op, engine):
        latency = slow_score(op, budget, engine, tiling)
        if latency is not None:
            compared += 1
            other = float(objective.score(latency, slow_joules(op, budget, tiling)))
            assert best * ABOVE <= other
    assert compared > 0


# -- laws ----------------------------------------------------------------------------------------


@settings(LAW, max_examples=12)
@given(contractions, budgets())
def test_each_objective_is_best_at_its_own(op: Op, budget: Budget) -> None:
    fast, frugal, both = (found(op, budget, one) for one in (LATENCY, ENERGY, EDP))
    assert fast.latency_s <= frugal.latency_s
    assert fast.latency_s <= both.latency_s
    assert score(ENERGY, frugal, op, budget) * ABOVE <= score(ENERGY, fast, op, budget)
    assert score(ENERGY, frugal, op, budget) * ABOVE <= score(ENERGY, both, op, budget)
    products_of_both = [score(EDP, one, op, budget) for one in (both, fast, frugal)]
    assert products_of_both[0] * ABOVE <= min(products_of_both)


@settings(LAW, max_examples=12)
@given(contractions, budgets())
def test_the_more_energy_weighs_the_less_of_it_is_spent(op: Op, budget: Budget) -> None:
    weights = [Objective(1 - share, share) for share in (0.0, 0.1, 0.5, 0.9, 1.0)]
    chosen = [found(op, budget, one) for one in weights]
    times = [one.latency_s for one in chosen]
    spent = [slow_joules(op, budget, one) for one in chosen]
    for place in range(len(weights) - 1):
        assert times[place] * ABOVE <= times[place + 1]
        assert spent[place + 1] * ABOVE <= spent[place]


@FEW
@given(contractions, budgets(), st.sampled_from([ENERGY, EDP, Objective(0.3, 0.7)]))
def test_more_buffer_never_worsens_the_score(op: Op, budget: Budget, objective: Objective) -> None:
    small = found(op, budget, objective)
    large = found(op, replace(budget, buffer_bytes=3 * budget.buffer_bytes), objective)
    assert score(objective, large, op, budget) * ABOVE <= score(objective, small, op, budget)


@FEW
@given(contractions, budgets(), st.sampled_from([(1, 1), (2, 1), (0, 1)]))
def test_twice_both_exponents_is_the_same_objective(
    op: Op, budget: Budget, exponents: tuple[int, int]
) -> None:
    once, twice = Objective(*exponents), Objective(*(2 * one for one in exponents))
    first, second = found(op, budget, once), found(op, budget, twice)
    assert score(once, first, op, budget) == pytest.approx(
        score(once, second, op, budget), rel=1e-8
    )


# -- latency as before ---------------------------------------------------------------------------


@FEW
@given(contractions, budgets())
def test_latency_asks_for_no_energy_and_is_what_nothing_asked_for_is(
    op: Op, budget: Budget
) -> None:
    def never(sizes: Sizes) -> NDArray[np.float64]:
        raise AssertionError("energy is not weighed")

    engine = replace(model(), joules=never)
    asked, default = found(op, budget, LATENCY, engine), search(op, budget, engine)
    assert asked == default
    assert asked.energy_j is None
    assert found(op, budget, Objective(2, 0), engine) == default


def test_energy_decides_between_tilings_that_take_the_same_time() -> None:
    op, quick = matmul(24, 24, 24), Budget(900, 1e18, 1e18, stores=STORES)
    fast, frugal = (search(op, replace(quick, objective=one), model()) for one in (LATENCY, ENERGY))
    assert slow_joules(op, quick, frugal) < 0.99 * slow_joules(op, quick, fast)


def test_energy_alone_may_cost_time_and_the_product_lies_between() -> None:
    op = convolution(64, 64, 28, 3, padding=1)
    slow = Budget(20_000, 1e9, 1e9, setup_s=1e-5, stores=STORES)
    chosen = [
        search(op, replace(slow, objective=one), model(256)) for one in (LATENCY, EDP, ENERGY)
    ]
    times = [one.latency_s for one in chosen]
    spent = [slow_joules(op, slow, one) for one in chosen]
    assert times[0] < times[2]
    assert spent[2] < spent[0]
    assert times[0] <= times[1] <= times[2]
    assert spent[2] <= spent[1] <= spent[0]


def test_an_engine_without_joules_is_weighed_by_what_moves() -> None:
    op, budget = matmul(40, 40, 40), Budget(2000, 1e9, 1e9, stores=STORES)
    tiling = search(op, replace(budget, objective=ENERGY), ideal())
    moved = [burst_bytes(op, o, list(op.loops.extents), 1) for o in range(3)]
    least = sum(moved[:2]) * 43e-12 + moved[2] * 52e-12
    assert tiling.energy_j is not None
    assert tiling.energy_j >= least * ABOVE


def test_where_nothing_has_a_price_latency_decides() -> None:
    op, free = matmul(40, 48, 56), Budget(3000, 1e9, 1e9, 1e-8)
    tiling = search(op, replace(free, objective=ENERGY), ideal())
    assert replace(tiling, energy_j=None) == search(op, free, ideal())
    assert tiling.energy_j == 0
