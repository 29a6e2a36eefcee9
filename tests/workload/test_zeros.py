"""Patterns found in arrays: n:m that holds or does not, blocks, channels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from density_case import blocks, channels, fixed, shapes
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import TraceError
from codesign.workload.density_fixed import Fixed
from codesign.workload.density_groups import Block, Channels
from codesign.workload.zeros import (
    BLOCKS,
    compliance,
    find_blocks,
    find_channels,
    find_groups,
    real_axis,
    require_nm,
)

RNG = 17


def random(shape: tuple[int, ...], share: float, seed: int = RNG) -> np.ndarray:
    """Values that are not zero with that probability."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(shape) < share, rng.standard_normal(shape), 0)


@pytest.mark.parametrize(
    ("share", "theory", "printed"),
    [(0.5, 0.6875, 0.69), (0.3, 0.9163, 0.916), (0.1, 0.9963, 0.996)],
)
def test_random_zeros_follow_two_of_four_in_the_share_of_groups_of_theory(
    share: float, theory: float, printed: float
) -> None:
    exact = sum(math.comb(4, k) * share**k * (1 - share) ** (4 - k) for k in range(3))
    assert exact == pytest.approx(theory, abs=1e-12)
    groups = 1024 * 256
    found = compliance(random((1024, 1024), share), 2, 4)
    assert found == pytest.approx(exact, abs=5 * math.sqrt(exact * (1 - exact) / groups))
    assert found == pytest.approx(printed, abs=0.005)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_random_half_dense_weights_fail_with_one_line_that_says_so(axis: int) -> None:
    weights = random((256, 256), 0.5)
    with pytest.raises(TraceError) as refused:
        require_nm(weights, 2, 4, axis, "fc.weight")
    message, share = str(refused.value), compliance(weights, 2, 4, axis)
    assert "\n" not in message
    assert 0.67 < share < 0.70
    assert message.startswith(
        f"tensor 'fc.weight' must follow 2:4, but only {share:.1%} of the groups of 4 along axis "
        f"{axis % 2} hold at most 2 non-zeros ("
    )
    assert "of 16,384 hold more); prune it to 2:4, or declare its density, 0.5" in message


def test_one_group_too_full_is_named_even_where_the_share_rounds_to_all() -> None:
    kept = np.zeros((256, 256))
    kept[3, :3] = 1
    with pytest.raises(TraceError, match=r"\(1 of 16,384 hold more\)"):
        require_nm(kept, 2, 4, -1, "w")
    assert compliance(kept, 2, 4) == 1 - 1 / 16384


@given(shapes(), st.data(), st.integers(0, 2**32))
def test_samples_of_a_pattern_are_taken(
    shape: tuple[int, ...], data: st.DataObject, seed: int
) -> None:
    n, m = data.draw(st.tuples(st.integers(1, 4), st.just(4)))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    density = Fixed(n, m).on(shape, axis % len(shape), "here")
    require_nm(density.sample(shape, np.random.default_rng(seed)), n, m, axis, "w")


@given(shapes(), st.data())
def test_compliance_counts_the_groups(shape: tuple[int, ...], data: st.DataObject) -> None:
    n, m = data.draw(st.integers(1, 3)), data.draw(st.integers(3, 5))
    axis = data.draw(st.integers(0, len(shape) - 1))
    kept = random(shape, 0.5, data.draw(st.integers(0, 99))) != 0
    lines = np.moveaxis(kept, axis, -1).reshape(-1, shape[axis])
    held = [line[k : k + m].sum() for line in lines for k in range(0, shape[axis], m)]
    assert compliance(kept, n, m, axis) == pytest.approx(np.mean([h <= n for h in held]))


def test_the_last_group_may_be_short() -> None:
    assert compliance(np.ones((1, 6)), 2, 4) == 0.5
    require_nm(np.array([[1, 1, 0, 0, 1, 1]]), 2, 4, -1, "w")


@pytest.mark.parametrize("axis", [2, -3, 17])
def test_an_axis_that_does_not_exist_is_refused_in_one_line(axis: int) -> None:
    with pytest.raises(TraceError) as refused:
        compliance(np.ones((3, 4)), 2, 4, axis)
    assert str(refused.value) == (
        f"2:4 names axis {axis} of a tensor of shape [3, 4]; take -2 to 1"
    )
    with pytest.raises(TraceError, match=rf"^tensor 'w': 2:4 names axis {axis} of a tensor of "):
        require_nm(np.ones((3, 4)), 2, 4, axis, "w")


def test_a_scalar_has_no_axis() -> None:
    with pytest.raises(TraceError, match=r"names axis -1 of a tensor of shape \[\]; a scalar has"):
        real_axis(-1, (), "it")


@pytest.mark.parametrize(("axis", "real"), [(0, 0), (2, 2), (-1, 2), (-3, 0)])
def test_an_axis_is_counted_from_either_end(axis: int, real: int) -> None:
    assert real_axis(axis, (4, 5, 6), "it") == real


@pytest.mark.parametrize("pattern", [(1, 4), (2, 4), (1, 8), (2, 8), (3, 8)])
@pytest.mark.parametrize(("shape", "axis"), [((64, 64), 1), ((64, 64), 0), ((16, 32, 3, 3), 1)])
def test_a_pattern_is_found_along_its_axis(
    pattern: tuple[int, int], shape: tuple[int, ...], axis: int
) -> None:
    density = Fixed(*pattern).on(shape, axis, "here")
    kept = density.sample(shape, np.random.default_rng(1))
    n, m, found = find_groups(kept) or (0, 0, 0)
    assert (n / m, found) == (pattern[0] / pattern[1], axis)
    # 1:4 is also 2:8, and the shorter groups say more
    assert m == (4 if pattern == (2, 8) and compliance(kept, 1, 4, axis) == 1 else pattern[1])


def test_four_of_eight_is_not_taken_for_two_of_four() -> None:
    kept = np.zeros((32, 64), dtype=bool)
    kept[:, 0::8] = kept[:, 1::8] = kept[:, 2::8] = kept[:, 3::8] = True
    assert find_groups(kept) == (4, 8, 1)
    assert compliance(kept, 2, 4) == 0.5


def test_random_weights_follow_no_pattern() -> None:
    kept = random((256, 256), 0.5) != 0
    assert find_groups(kept) is None
    assert find_blocks(kept) is None
    assert find_channels(kept) is None


def test_an_axis_that_no_group_divides_has_no_pattern() -> None:
    assert find_groups(np.eye(3, dtype=bool)) is None


@pytest.mark.parametrize("block", BLOCKS)
def test_blocks_are_found_at_their_size(block: tuple[int, int]) -> None:
    shape = (256, 256)
    kept = Block(*block, 0.5).sample(shape, np.random.default_rng(4))
    assert find_blocks(kept) == block


def test_blocks_that_lost_a_few_values_to_quantisation_are_still_blocks() -> None:
    rng = np.random.default_rng(4)
    kept = Block(16, 16, 0.25).sample((256, 256), rng) & (rng.random((256, 256)) < 0.97)
    assert find_blocks(kept) == (16, 16)


def test_blocks_that_are_mostly_zero_inside_are_none() -> None:
    rng = np.random.default_rng(4)
    kept = Block(16, 16, 0.25).sample((256, 256), rng) & (rng.random((256, 256)) < 0.5)
    assert find_blocks(kept) is None


def test_a_full_and_an_empty_array_have_no_blocks_and_no_channels() -> None:
    for kept in (np.ones((64, 64), dtype=bool), np.zeros((64, 64), dtype=bool)):
        assert find_blocks(kept) is None
        assert find_channels(kept) is None


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_channels_are_found_across_their_axis(axis: int) -> None:
    density = Channels(0.5).on((16, 8, 12), axis, "here")
    assert find_channels(density.sample((16, 8, 12), np.random.default_rng(3))) == axis


def test_single_elements_are_no_channels() -> None:
    assert find_channels(np.array([True, False, True, False])) is None
    assert find_channels(np.array([[True, False, True, False]])) is None


@given(shapes(), st.data(), st.integers(0, 2**32))
def test_what_is_found_is_there(shape: tuple[int, ...], data: st.DataObject, seed: int) -> None:
    make = data.draw(st.sampled_from([fixed, blocks, channels]))
    kept = data.draw(make(shape)).sample(shape, np.random.default_rng(seed))
    if (groups := find_groups(kept)) is not None:
        require_nm(kept, *groups, "w")
    if (axis := find_channels(kept)) is not None:
        slices = kept.any(axis=tuple(set(range(kept.ndim)) - {axis}))
        assert 0 < slices.sum() < slices.size
