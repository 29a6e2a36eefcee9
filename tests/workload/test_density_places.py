"""Bands and masks: every tile counted, and what a mask of random zeros has in common with them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from density_case import masks, tiles
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import TraceError
from codesign.workload.density import Bernoulli, Hypergeometric, Tile
from codesign.workload.density_places import Actual, Banded, Placed
from codesign.workload.mask import Mask

MATRICES = st.tuples(st.integers(1, 9), st.integers(1, 9))


@st.composite
def placed(draw: st.DrawFn) -> tuple[Placed, Tile]:
    """A band or a mask, and a tile of its matrix."""
    shape = draw(MATRICES)
    if draw(st.booleans()):
        return Actual(draw(masks(shape))), draw(tiles(shape))
    half_width = draw(st.integers(0, max(shape) - 1))
    return Banded(half_width, *shape), draw(tiles(shape))


def elements(density: Placed) -> np.ndarray:
    """The matrix itself: by the definition of a band, or from the mask."""
    if isinstance(density, Actual):
        return density.mask.array()
    assert isinstance(density, Banded)
    row, column = np.ogrid[: density.rows, : density.columns]
    return np.asarray(abs(row - column) <= density.half_width)


@given(placed())
def test_every_tile_is_counted_as_it_is(case: tuple[Placed, Tile]) -> None:
    density, (height, width) = case
    matrix = elements(density)
    rows, columns = matrix.shape
    counted = [
        [int(matrix[r : r + height, c : c + width].sum()) for c in range(0, columns, width)]
        for r in range(0, rows, height)
    ]
    assert density.counts((height, width)).tolist() == counted


@given(placed())
def test_all_tiles_together_hold_all_non_zeros(case: tuple[Placed, Tile]) -> None:
    density, tile = case
    number = density.counts(tile).size
    assert density.expected(tile) * number == pytest.approx(float(elements(density).sum()))
    assert density.share == pytest.approx(float(elements(density).mean()))


@given(placed(), st.integers(0, 2**32))
def test_a_sample_as_large_as_the_matrix_is_the_matrix(
    case: tuple[Placed, Tile], seed: int
) -> None:
    density, _ = case
    sample = density.sample(density.matrix(), np.random.default_rng(seed))
    assert (sample == elements(density)).all()


@given(placed(), st.integers(0, 2**32))
def test_a_smaller_sample_is_a_part_of_the_matrix(case: tuple[Placed, Tile], seed: int) -> None:
    density, (height, width) = case
    sample = density.sample((height, width), np.random.default_rng(seed))
    windows = np.lib.stride_tricks.sliding_window_view(elements(density), (height, width))
    assert (windows == sample).all(axis=(2, 3)).any()


def test_a_larger_sample_begins_anew() -> None:
    mask = Mask.of(np.array([[1, 0], [0, 0]]))
    sample = Actual(mask).sample((4, 2), np.random.default_rng(0))
    assert sample.tolist() == [[True, False], [False, False]] * 2


@pytest.mark.parametrize("tile", [(1, 1), (4, 4), (1, 64), (64, 1), (16, 16), (128, 64)])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_random_zeros_agree_with_bernoulli_in_expectation(tile: Tile, share: float) -> None:
    rng, drawn = np.random.default_rng(3), Bernoulli(share)
    means = [Actual(Mask.of(rng.random((128, 128)) < share)).expected(tile) for _ in range(20)]
    # 5 deviations of the mean of 20 masks of 16,384 elements
    close = 5 * math.sqrt(share * (1 - share) / (20 * 128 * 128)) * math.prod(tile)
    assert np.mean(means) == pytest.approx(drawn.expected(tile), abs=close)


def test_random_zeros_are_spread_over_tiles_as_bernoulli_says() -> None:
    rng, tile = np.random.default_rng(5), (4, 8)
    found = Actual(Mask.of(rng.random((1024, 1024)) < 0.3)).pmf(tile)
    exact = Bernoulli(0.3).pmf(tile)
    # half the sum of differences, over 32,768 tiles
    assert abs(found - exact).sum() / 2 < 0.02
    assert Actual(Mask.of(rng.random((1024, 1024)) < 0.3)).quantile(tile, 0.5) == 10


def test_known_zeros_that_cluster_differ_from_any_density() -> None:
    kept = np.zeros((64, 64), dtype=bool)
    kept[:, :16] = True
    actual = Actual(Mask.of(kept))
    assert actual.share == 0.25
    assert actual.prob_empty((16, 16)) == 0.75
    assert actual.quantile((16, 16), 0.75) == 0
    assert actual.quantile((16, 16), 0.76) == 256
    assert Hypergeometric(1024, 4096).prob_empty((16, 16)) < 1e-30


def test_a_tile_over_the_edge_holds_what_is_left() -> None:
    actual = Actual(Mask.of(np.ones((3, 5))))
    assert actual.counts((2, 2)).tolist() == [[4, 4, 2], [2, 2, 1]]
    assert actual.expected((2, 2)) == 15 / 6
    assert actual.pmf((2, 2)).tolist() == [0, 1 / 6, 3 / 6, 0, 2 / 6]


def test_a_tile_beyond_the_matrix_holds_it_all() -> None:
    actual = Actual(Mask.of(np.ones((3, 5))))
    assert actual.counts((100, 100)).tolist() == [[15]]
    assert actual.expected((100, 100)) == 15


@pytest.mark.parametrize(
    ("half_width", "rows", "columns", "nonzeros"),
    [(0, 5, 5, 5), (1, 5, 5, 13), (4, 5, 5, 25), (0, 3, 7, 3), (2, 3, 7, 12), (8, 512, 512, 8632)],
)
def test_a_band_holds_what_lies_near_the_diagonal(
    half_width: int, rows: int, columns: int, nonzeros: int
) -> None:
    assert Banded(half_width, rows, columns).expected((rows, columns)) == pytest.approx(nonzeros)


def test_most_tiles_off_a_band_are_empty() -> None:
    band = Banded(8, 512, 512)
    # of 32 x 32 tiles of 16 x 16, those on the diagonal and next to it are not
    assert 1 - band.prob_empty((16, 16)) == pytest.approx((32 + 2 * 31) / 32**2)


def test_a_band_of_a_long_context_needs_no_table() -> None:
    # the tokens that a window of 4,096 attends to, and those that attend to it, in 131,072
    band = Banded(4095, 131_072, 131_072)
    outside = (131_072 - 4096) * (131_072 - 4095)
    assert band.share == pytest.approx(1 - outside / 131_072**2)
    assert band.counts((4096, 4096)).shape == (32, 32)


def test_a_band_has_no_density_before_its_matrix_is_known() -> None:
    with pytest.raises(TraceError, match="a band of 8 has a density only on a matrix"):
        assert Banded(8).share
    assert Banded(8).on((64, 64), 1, "here").share == pytest.approx((64 * 17 - 8 * 9) / 64**2)


@pytest.mark.parametrize(("shape", "most"), [((8, 8), 8), ((4, 2, 8), 8), ((3, 5), 5), ((9,), 9)])
def test_a_band_off_the_matrix_is_refused_in_one_line(shape: tuple[int, ...], most: int) -> None:
    assert Banded(most - 1).on(shape, 0, "tensor 'w'").share > 0
    with pytest.raises(TraceError) as refused:
        Banded(most).on(shape, 0, "tensor 'w'")
    assert str(refused.value).startswith(f"tensor 'w' reaches off the tensor {list(shape)}, ")
    assert str(refused.value).endswith(f"; take a band of less than {most}")


def test_a_band_of_negative_width_is_refused() -> None:
    with pytest.raises(TraceError, match="at least 0 elements from the diagonal, got -1; write"):
        Banded(-1)


def test_a_mask_of_another_shape_is_refused_in_one_line() -> None:
    with pytest.raises(TraceError) as refused:
        Actual(Mask.of(np.ones((3, 5)))).on((5, 3), 1, "tensor 'w': sparsity 'mask'")
    assert str(refused.value) == (
        "tensor 'w': sparsity 'mask' is one of [3, 5], but the tensor is [5, 3]; take the mask of "
        "that tensor, or a density"
    )
