"""Density models on small tensors, and what they give worked out another way: group by group."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from hypothesis import strategies as st

from codesign.workload.density import Bernoulli, Dense, Density, Hypergeometric, Tile, as_matrix
from codesign.workload.density_fixed import Fixed
from codesign.workload.density_groups import Block, Channels
from codesign.workload.density_places import Actual, Banded
from codesign.workload.mask import Mask

Exact: TypeAlias = Mapping[int, Fraction]
"""Probabilities by number of non-zeros."""

SHARES = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.99, 1.0])


@dataclass(frozen=True)
class Case:
    """A density model of a tensor, and a tile of its matrix."""

    density: Density
    shape: tuple[int, ...]
    tile: Tile


def shapes(least: int = 1) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of up to four small axes."""
    return st.lists(st.integers(1, 6), min_size=least, max_size=4).map(tuple)


@st.composite
def tiles(draw: st.DrawFn, shape: tuple[int, ...]) -> Tile:
    """A tile that is no larger than the matrix."""
    rows, columns = as_matrix(shape)
    return draw(st.integers(1, rows)), draw(st.integers(1, columns))


@st.composite
def cases(draw: st.DrawFn, by_chance: bool = False) -> Case:
    """Any density model, bound to a tensor that it fits; or only those that say no places."""
    shape = draw(shapes())
    make = draw(st.sampled_from(BY_CHANCE if by_chance else BY_CHANCE + PLACED))
    return Case(draw(make(shape)), shape, draw(tiles(shape)))


def masks(shape: tuple[int, ...]) -> st.SearchStrategy[Mask]:
    """Any zeros at all."""
    elements = math.prod(shape)
    flags = st.lists(st.booleans(), min_size=elements, max_size=elements)
    return flags.map(lambda kept: Mask.of(np.array(kept).reshape(shape)))


def _dense(shape: tuple[int, ...]) -> st.SearchStrategy[Density]:
    return st.just(Dense())


def _bernoulli(shape: tuple[int, ...]) -> st.SearchStrategy[Density]:
    return SHARES.map(Bernoulli)


def _hypergeometric(shape: tuple[int, ...]) -> st.SearchStrategy[Density]:
    size = math.prod(shape)
    return st.integers(0, size).map(lambda nonzeros: Hypergeometric(nonzeros, size))


@st.composite
def fixed(draw: st.DrawFn, shape: tuple[int, ...]) -> Density:
    """n:m along any axis."""
    m = draw(st.integers(1, 5))
    axis = draw(st.integers(0, len(shape) - 1))
    return Fixed(draw(st.integers(1, m)), m).on(shape, axis, "here")


@st.composite
def blocks(draw: st.DrawFn, shape: tuple[int, ...]) -> Density:
    """Blocks no larger than the matrix."""
    rows, columns = draw(tiles(shape))
    return Block(rows, columns, draw(SHARES)).on(shape, 0, "here")


@st.composite
def channels(draw: st.DrawFn, shape: tuple[int, ...]) -> Density:
    """Slices across any axis."""
    return Channels(draw(SHARES)).on(shape, draw(st.integers(0, len(shape) - 1)), "here")


@st.composite
def _banded(draw: st.DrawFn, shape: tuple[int, ...]) -> Density:
    return Banded(draw(st.integers(0, max(as_matrix(shape)) - 1))).on(shape, 0, "here")


def _actual(shape: tuple[int, ...]) -> st.SearchStrategy[Density]:
    return masks(shape).map(Actual)


Maker: TypeAlias = Callable[[tuple[int, ...]], st.SearchStrategy[Density]]
BY_CHANCE: list[Maker] = [_dense, _bernoulli, _hypergeometric, fixed, blocks, channels]
PLACED: list[Maker] = [_banded, _actual]


def groups_of_tile(
    shape: tuple[int, ...], tile: Tile, group: Callable[[tuple[int, ...], Tile], object]
) -> list[int]:
    """How many elements of each group lie in the tile at the origin.

    Args:
        shape: of the tensor.
        tile: rows and columns of its matrix.
        group: names the group of an element, from its place in the tensor and in the matrix.
    """
    columns = as_matrix(shape)[1]
    held: Counter[object] = Counter()
    for flat, place in enumerate(itertools.product(*(range(extent) for extent in shape))):
        row, column = divmod(flat, columns)
        if row < tile[0] and column < tile[1]:
            held[group(place, (row, column))] += 1
    return list(held.values())


def summed(parts: Iterable[Exact]) -> Exact:
    """The distribution of the sum of independent numbers, by their definition."""
    found: Exact = {0: Fraction(1)}
    for part in parts:
        added: Counter[int] = Counter()
        for (a, p), (b, q) in itertools.product(found.items(), part.items()):
            added[a + b] += p * q  # type: ignore[assignment]  # a counter of fractions
        found = dict(added)  # type: ignore[arg-type]
    return found


def drawn(size: int, kept: int, draws: int) -> Exact:
    """Kept ones among those drawn: ways over ways."""
    ways = math.comb(size, draws)
    return {
        k: Fraction(math.comb(kept, k) * math.comb(size - kept, draws - k), ways)
        for k in range(draws + 1)
    }


def all_or_none(elements: int, share: float) -> Exact:
    """A group that is kept or dropped whole."""
    kept = Fraction(share)
    return {elements: kept, 0: 1 - kept}


def as_array(exact: Exact, most: int) -> list[float]:
    """The probabilities of 0 to ``most``."""
    return [float(exact.get(k, Fraction(0))) for k in range(most + 1)]
