"""The Ethos-U engine against a slow model that runs every block by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ethos_cases import NAMES, actions, batched, between, plan
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_ethos import Image, by_taps, ranges, reach, run

from codesign.hardware.plan import Budget, TilePlan
from codesign.testing import convolution
from codesign.workload.record import Op

LAW = settings(max_examples=120, deadline=None, derandomize=True)
PORT = 8
CLOCK = 5e8
IMAGES = st.builds(
    Image,
    st.integers(1, 80),
    st.integers(2, 80),
    st.integers(12, 30),
    st.sampled_from([1, 2, 3, 5, 9]),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([0, 1]),
    st.just(False),
)
DEPTHWISE = st.builds(
    lambda channels, size, kernel, stride: Image(
        channels, channels, size, kernel, stride, 0, depthwise=True
    ),
    st.integers(2, 80),
    st.integers(12, 30),
    st.sampled_from([2, 3, 5]),
    st.sampled_from([1, 2]),
)


def layer(image: Image) -> Op:
    groups = image.channels if image.depthwise else 1
    op = convolution(
        image.channels,
        image.filters,
        image.size,
        image.kernel,
        image.stride,
        image.padding,
        groups=groups,
    )
    inside = between(op)
    inside = batched(inside, image.batch) if image.batch > 1 else inside
    return Op(inside.name, inside.kind, inside.inputs, inside.outputs, inside.nest, ("relu",))


def budget(resident: tuple[bool, bool, bool], rate: float = 1e15) -> Budget:
    return Budget(1 << 24, rate, rate, resident=resident, port_bytes_per_s=PORT * CLOCK)


def block_of(found: TilePlan) -> tuple[int, int, int]:
    height, width, depth = (
        int(size) for size in found.note.split("= (")[1].split(")")[0].split(",")
    )
    return height, width, depth


@LAW
@given(IMAGES | DEPTHWISE, st.sampled_from(NAMES))
def test_cycles_and_bytes_are_those_of_every_block_by_itself(image: Image, name: str) -> None:
    found = plan(layer(image), name, budget((True, True, True)))
    slow = run(image, name, block_of(found), PORT, holds=True)
    assert found.cycles == slow["cycles"]
    assert actions(found)["buffer", "read"] == slow["read"]
    assert actions(found)["buffer", "write"] == slow["written"]


@LAW
@given(IMAGES | DEPTHWISE, st.sampled_from(NAMES))
def test_weights_that_stream_come_again_for_every_block(image: Image, name: str) -> None:
    found = plan(layer(image), name, budget((True, False, True)))
    if found.held_bytes == 0:
        slow = run(image, name, block_of(found), PORT)
        assert found.loaded == {1: slow["weights"]}
        assert found.cycles == slow["cycles"]


@LAW
@given(IMAGES, st.sampled_from([1, 2, 5]), st.sampled_from(NAMES))
def test_weights_that_are_held_come_once(image: Image, batch: int, name: str) -> None:
    image = replace(image, batch=batch)
    found = plan(layer(image), name, budget((True, False, True), rate=1e6))
    weights = image.channels * image.filters * image.kernel**2
    assert found.loaded == {1: weights}
    assert found.held_bytes in (0, weights)
    if found.held_bytes:
        slow = run(image, name, block_of(found), PORT, holds=True)
        assert found.cycles == slow["cycles"]


@LAW
@given(IMAGES | DEPTHWISE, st.sampled_from(NAMES))
def test_images_from_outside_come_with_the_same_cycles(image: Image, name: str) -> None:
    """Where operands lie changes what is loaded, not how long a block computes."""
    op = layer(image)
    for resident in ((False, True, True), (True, True, False)):
        found = plan(op, name, budget(resident))
        slow = run(image, name, block_of(found), PORT, holds=True)
        assert found.cycles == slow["cycles"]


def test_the_slow_model_knows_a_case_by_hand() -> None:
    """16 x 16 results of 8 channels, 4 pixels at once: 64 microblocks, 3 x 3 taps, 32 channels."""
    image = Image(32, 8, 18, 3, 1, 0, depthwise=False)
    found = run(image, "u55-256", (16, 16, 8), 1e9)
    assert found["cycles"] == 64 * 4 * 9 + 16 * 16 * 8 // 4 + found["fill"]
    assert found["weights"] == 32 * 8 * 9
    assert found["read"] == 18 * 18 * 32
    assert found["written"] == 16 * 16 * 8


def test_the_slow_model_knows_the_edges_of_a_cut_image() -> None:
    assert ranges(10, 4) == [4, 4, 2]
    image = Image(4, 4, 20, 3, 2, 0, depthwise=False)
    assert [reach(image, results, 3) for results in (1, 4, 9)] == [3, 9, 19]
    assert by_taps(image)
    assert not by_taps(Image(64, 4, 20, 3, 2, 0, depthwise=False))


@pytest.mark.parametrize("name", NAMES)
def test_the_comparison_can_fail(name: str) -> None:
    image = Image(32, 64, 24, 3, 1, 1, depthwise=False)
    found = plan(layer(image), name, budget((True, True, True)))
    height, width, depth = block_of(found)
    other = run(image, name, (height, width, depth // 2), PORT, holds=True)
    assert actions(found)["buffer", "read"] != other["read"]
