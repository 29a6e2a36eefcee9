"""Sparsity of actual values: the pattern that they follow, and masks in trace files."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from density_case import masks, shapes
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import TraceError
from codesign.workload.density import Dense
from codesign.workload.density_fixed import Fixed
from codesign.workload.density_groups import Block, Channels
from codesign.workload.density_places import Actual
from codesign.workload.mask import Mask
from codesign.workload.sparsity import Sparsity


def rng() -> np.random.Generator:
    """The same numbers for every test."""
    return np.random.default_rng(23)


def test_values_without_zeros_are_dense() -> None:
    assert Sparsity.of(np.ones((4, 4))) == Sparsity("element", Dense())


def test_random_zeros_are_elements_with_their_mask() -> None:
    values = rng().standard_normal((64, 64)) * (rng().random((64, 64)) < 0.3)
    found = Sparsity.of(values)
    assert (found.granularity, found.n, found.m, found.block) == ("element", 0, 0, (0, 0))
    assert found.density == Actual(Mask.of(values))
    assert found.share == np.count_nonzero(values) / 4096


@pytest.mark.parametrize("axis", [0, 1])
def test_pruned_groups_are_found_along_their_axis(axis: int) -> None:
    kept = Fixed(2, 4).on((64, 64), axis, "here").sample((64, 64), rng())
    found = Sparsity.of(kept.astype(np.int8))
    assert (found.granularity, found.n, found.m, found.axis) == ("n:m", 2, 4, axis)
    assert found.on((64, 64), "w").axis == (-1 if axis == 1 else 0)


def test_pruned_input_channels_of_a_convolution_are_found() -> None:
    shape = (16, 16, 3, 3)
    kept = Fixed(2, 4).on(shape, 1, "here").sample(shape, rng())
    assert (Sparsity.of(kept).granularity, Sparsity.of(kept).axis) == ("n:m", 1)


def test_pruned_blocks_are_found() -> None:
    found = Sparsity.of(Block(16, 16, 0.5).sample((128, 128), rng()))
    assert (found.granularity, found.block) == ("block", (16, 16))
    assert found.density.prob_empty((16, 16)) == pytest.approx(1 - found.share)


@pytest.mark.parametrize("axis", [0, 1])
def test_pruned_channels_are_found_before_the_blocks_that_they_are(axis: int) -> None:
    density = Channels(0.5).on((64, 64), axis, "here")
    found = Sparsity.of(density.sample((64, 64), rng()))
    assert (found.granularity, found.axis) == ("channel", axis)


def test_zeros_only_are_elements() -> None:
    found = Sparsity.of(np.zeros((3, 3)))
    assert (found.granularity, found.share) == ("element", 0)


@given(shapes().flatmap(masks))
def test_whatever_is_found_fits_its_tensor_and_keeps_its_zeros(mask: Mask) -> None:
    found = Sparsity.of(mask.array())
    found.check(mask.shape, "w")
    assert found.share == mask.share
    assert (found.density.sample(mask.shape, rng()) == mask.array()).all()


@given(shapes().flatmap(masks))
def test_what_was_found_is_read_back_from_a_file(mask: Mask) -> None:
    found = Sparsity.of(mask.array())
    again = Sparsity.from_json(json.loads(json.dumps(found.to_json())))
    assert again == found
    assert hash(again) == hash(found)


@given(shapes().flatmap(masks), shapes().flatmap(masks))
def test_only_the_same_zeros_are_the_same_sparsity(one: Mask, two: Mask) -> None:
    same = Sparsity("element", Actual(one)) == Sparsity("element", Actual(two))
    assert same == (one.shape == two.shape and bool((one.array() == two.array()).all()))


def test_a_declaration_is_kept_as_its_text() -> None:
    assert Sparsity.parse("2:4 axis 0").to_json() == "2:4 axis 0"
    assert Sparsity.from_json("2:4 axis 0") == Sparsity.parse("2:4 axis 0")


def test_a_mask_is_kept_with_the_fields_that_are_not_the_default() -> None:
    mask = Mask.of(np.eye(4))
    assert Sparsity("element", Actual(mask)).to_json() == {"mask": mask.to_json()}
    assert Sparsity("n:m", Actual(mask), axis=0, n=1, m=4).to_json() == {
        "granularity": "n:m",
        "axis": 0,
        "n": 1,
        "m": 4,
        "mask": mask.to_json(),
    }


def test_a_mask_is_named_by_its_share_and_pattern() -> None:
    assert str(Sparsity("element", Actual(Mask.of(np.eye(4))))) == "mask of 0.25 in element"


def test_a_mask_that_breaks_the_pattern_it_claims_is_refused_in_one_line() -> None:
    kept = rng().random((256, 256)) < 0.5
    claimed = Sparsity("n:m", Actual(Mask.of(kept)), n=2, m=4)
    with pytest.raises(TraceError, match=r"^tensor 'w' must follow 2:4, but only 6\d\.\d% of the "):
        claimed.check((256, 256), "w")


def claimed(granularity: Any, kept: Any, **fields: Any) -> Sparsity:
    return Sparsity(granularity, Actual(Mask.of(kept)), **fields)


def test_a_mask_that_breaks_the_blocks_or_channels_it_claims_is_refused() -> None:
    scattered = rng().random((64, 64)) < 0.5
    for said in (claimed("block", scattered, block=(4, 4)), claimed("channel", scattered, axis=0)):
        with pytest.raises(TraceError, match=r"^tensor 'w' must follow its mask .* only 5\d\.\d% "):
            said.check((64, 64), "w")
    blocks = np.kron(rng().random((16, 16)) < 0.25, np.ones((4, 4)))
    claimed("block", blocks, block=(4, 4)).check((64, 64), "w")
    with pytest.raises(TraceError, match="leave its granularity out"):
        claimed("block", blocks, block=(8, 8)).check((64, 64), "w")
    claimed("channel", np.arange(64)[:, None] % 2 * np.ones((64, 64)), axis=0).check((64, 64), "w")


def test_blocks_that_hang_over_the_edge_are_as_large_as_what_is_there() -> None:
    kept = np.zeros((10, 10))
    kept[8:, 8:] = kept[:4, 4:8] = 1
    claimed("block", kept, block=(4, 4)).check((10, 10), "w")
    kept[9, 8:] = kept[8, 8] = 0
    with pytest.raises(TraceError, match=r"only 85\.0% are not zero"):
        claimed("block", kept, block=(4, 4)).check((10, 10), "w")


def test_a_mask_of_zeros_keeps_to_any_blocks() -> None:
    claimed("block", np.zeros((8, 8)), block=(4, 4)).check((8, 8), "w")
    claimed("channel", np.zeros((8, 8))).check((8, 8), "w")


def test_a_mask_is_no_band() -> None:
    with pytest.raises(TraceError, match="a mask cannot say how far a band reaches; leave its"):
        claimed("band", np.eye(4)).check((4, 4), "w")


def test_a_mask_of_another_tensor_is_refused() -> None:
    found = Sparsity.of(np.eye(4))
    with pytest.raises(TraceError, match=r"tensor 'w': sparsity '.*' is one of \[4, 4\], but "):
        found.check((4, 5), "w")


MASK = Mask.of(np.eye(4)).to_json()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "sparsity must be a text, or an object with a mask, got None"),
        (0.3, "sparsity must be a text, or an object with a mask, got 0.3"),
        ([], "sparsity must be a text, or an object with a mask"),
        ({}, "sparsity must be a text, or an object with a mask"),
        ({"mask": "all"}, "sparsity must be a text, or an object with a mask"),
        ({"mask": MASK, "axes": 1}, "unknown field 'axes' of a sparsity; did you mean 'axis'?"),
        ({"mask": MASK, "axis": "1"}, "must be whole numbers, got '1'"),
        ({"mask": MASK, "axis": True}, "must be whole numbers, got True"),
        ({"mask": MASK, "n": 2.0}, "must be whole numbers, got 2.0"),
        ({"mask": MASK, "block": 4}, "the block of a sparsity must be rows and columns, got 4"),
        ({"mask": MASK, "block": [4]}, "the block of a sparsity must be rows and columns"),
        ({"mask": MASK, "block": [4, None]}, "must be whole numbers, got None"),
        ({"mask": MASK, "granularity": "row"}, "unknown granularity 'row'"),
        ({"mask": MASK, "granularity": ["n:m"]}, "unknown granularity ['n:m']"),
        ({"mask": MASK, "granularity": "n:m", "n": 5, "m": 4}, "n:m must keep 1 to m of m"),
        ({"mask": {**MASK, "bits": "x"}}, "the bits of a mask must be base64 of zlib"),
    ],
)
def test_what_is_no_sparsity_in_a_file_is_refused_in_one_line(data: Any, message: str) -> None:
    with pytest.raises(TraceError) as refused:
        Sparsity.from_json(data)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@given(st.recursive(st.none() | st.integers() | st.text(), lambda x: st.dictionaries(st.text(), x)))
def test_any_json_without_a_mask_is_refused_in_one_line_unless_it_is_a_text(data: object) -> None:
    if isinstance(data, str):
        data = {"text": data}
    with pytest.raises(TraceError, match="sparsity must be a text, or an object with a mask") as no:
        Sparsity.from_json(data)
    assert "\n" not in str(no.value)
