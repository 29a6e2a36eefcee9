"""Gates and adder trees: each count against a tree that is built adder by adder."""

from __future__ import annotations

import math

import numpy as np
import pytest
from codesign_plugins.cim import gates
from hypothesis import given
from hypothesis import strategies as st

SIZES = st.integers(1, 300)
WIDTHS = st.integers(1, 16)


def built(used: int, inputs: int, bits: int) -> tuple[int, int]:
    """Full and half-active adders of a tree, by walking over it."""
    if inputs == 1:
        return 0, 0
    first = 1 << (inputs - 1).bit_length() - 1
    left, right = min(used, first), max(used - first, 0)
    width = bits + first.bit_length() - 1
    full, half = (width, 0) if right else (0, width) if left else (0, 0)
    for share, size in ((left, first), (right, inputs - first)):
        if share:
            more = built(share, size, bits)
            full, half = full + more[0], half + more[1]
    return full, half


@given(SIZES, st.data(), WIDTHS)
def test_a_tree_has_the_adders_of_one_that_is_built(
    inputs: int, data: st.DataObject, bits: int
) -> None:
    used = data.draw(st.integers(1, inputs))
    full, half = gates.tree_adders(used, inputs, bits)
    assert (float(full), float(half)) == built(used, inputs, bits)


@pytest.mark.parametrize("levels", range(1, 11))
@pytest.mark.parametrize("bits", [1, 4, 8, 9])
def test_a_whole_tree_of_a_power_of_two_is_the_published_count(levels: int, bits: int) -> None:
    inputs = 2**levels
    full, half = gates.tree_adders(inputs, inputs, bits)
    assert full == gates.full_tree_adders(inputs, bits)
    assert full == inputs * (bits + 1) - (bits + levels + 1)
    assert half == 0


def test_one_input_of_two_keeps_one_adder_half_active() -> None:
    assert [int(n) for n in gates.tree_adders(1, 2, 8)] == [0, 8]


def test_half_of_a_tree_is_a_whole_half_and_a_half_active_adder_above() -> None:
    full, half = gates.tree_adders(64, 128, 8)
    assert (full, half) == (gates.full_tree_adders(64, 8), 8 + 6)


@given(st.integers(2, 300), WIDTHS)
def test_more_used_inputs_never_take_less(inputs: int, bits: int) -> None:
    used = np.arange(1, inputs + 1)
    full, half = gates.tree_adders(used, inputs, bits)
    joules = full * gates.ADDER_F + half * gates.HALF_ADDER_F
    assert (np.diff(joules) >= 0).all()
    assert (np.diff(full) >= 0).all()
    assert half[-1] == 0


@given(st.lists(st.tuples(SIZES, WIDTHS), min_size=1, max_size=20))
def test_many_trees_at_once_are_as_each_alone(trees: list[tuple[int, int]]) -> None:
    inputs, bits = np.array(trees).T
    used = (inputs + 1) // 2
    full, half = gates.tree_adders(used, inputs, bits)
    for place, (size, width) in enumerate(trees):
        alone = gates.tree_adders((size + 1) // 2, size, width)
        assert (full[place], half[place]) == tuple(map(float, alone))


def test_trees_broadcast_over_tiles_and_designs() -> None:
    used, inputs = np.array([[1], [16], [32]]), np.array([32, 64, 128, 256])
    full, half = gates.tree_adders(used, inputs, 8)
    assert full.shape == half.shape == (3, 4)
    assert (full[2] > full[1]).all()


@pytest.mark.parametrize("number", range(1, 70))
def test_levels_of_a_tree_reach_the_number(number: int) -> None:
    levels = int(gates.log2_up(number))
    assert 2**levels >= number
    assert levels == 0 or 2 ** (levels - 1) < number


def test_energies_at_nominal_supply_are_the_published_ones() -> None:
    femto = {
        "full adder": (gates.ADDER_F, 3.402),
        "half adder": (gates.HALF_ADDER_F, 1.701),
        "flip-flop": (gates.FLIP_FLOP_F, 1.701),
        "product": (gates.PRODUCT_F, 0.2835),
    }
    for name, (farads, expected) in femto.items():
        assert math.isclose(farads * gates.VDD**2 * 1e15, expected, rel_tol=1e-12), name


def test_delays_of_an_adder_are_those_of_its_gates() -> None:
    assert math.isclose(gates.SUM_S, 2 * 2.4 * 47.8e-12)
    assert math.isclose(gates.CARRY_S, 2.4 * 47.8e-12 + 2 * 47.8e-12)
    assert math.isclose(gates.RIPPLE_S, 2 * 47.8e-12)
