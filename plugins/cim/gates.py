"""Gates, wires and converters of SRAM macros: energy, delay and area of each.

Constants are those of the SRAM model of zigzag-dse 3.9.1 (MIT; Houshmand et al., JSSC 2023; Sun et
al., 2023), 28 nm at 0.9 V. Its authors fitted them to chips, two of which are validated here.
"""

from __future__ import annotations

import numpy as np

from .physics import Array

NODE_NM, VDD = 28.0, 0.9
NAND_F, XOR_F, FLIP_FLOP_F = 0.7e-15, 1.05e-15, 2.1e-15
WORD_LINE_F = BIT_LINE_F = 0.35e-15
"""Farads of one cell."""
NAND_S, XOR_S = 47.8e-12, 2.4 * 47.8e-12
NAND_M2, XOR_M2, FLIP_FLOP_M2 = 0.614e-12, 2.4 * 0.614e-12, 6 * 0.614e-12

ADDER_F = 3 * NAND_F + 2 * XOR_F
"""A full adder is three NAND and two XOR gates."""
HALF_ADDER_F = 2 * XOR_F
"""The same with one input at rest: no carry is made."""
PRODUCT_F = 0.5 * NAND_F
"""One gate, one input of which, the weight, is at rest."""
ADDER_M2 = 3 * NAND_M2 + 2 * XOR_M2
SUM_S = 2 * XOR_S
"""Of a full adder, from an input to the sum."""
CARRY_S = XOR_S + 2 * NAND_S
"""From an input to the carry."""
RIPPLE_S = 2 * NAND_S
"""From carry to carry."""

DAC_F = 50e-15
"""Farads for each bit of a conversion to analog."""
ADC_LINEAR_F, ADC_EXPONENTIAL_F = 100e-15, 1e-18
ADC_ROW_S, ADC_BIT_S = 0.00653e-9, 0.640e-9
DELAY_EXPONENT = 2.66
"""How delay grows as the supply falls, as (0.9 V / V) to this power.

It fits one 65 nm chip (Jia et al., JSSC 2020: 2.5 times from 0.85 V to 1.2 V) and is not universal.
"""


def log2_up(number: Array) -> Array:
    """The least whole exponent of two that reaches a number of at least 1: levels of a tree."""
    return np.ceil(np.log2(number) - 1e-12)


def tree_adders(used: Array, inputs: Array, bits: Array) -> tuple[Array, Array]:
    """One-bit adders of a ripple-carry adder tree that are fully and half active.

    A tree over P inputs is one over the largest power of two below P, one over the others, and an
    adder that joins them; the first inputs are the used ones. Of a power of two that is all used,
    these are P (bits + 1) - (bits + log2 P + 1).

    Args:
        used: inputs that are not always zero, 1 to ``inputs``.
        inputs: of the tree, at least 1.
        bits: of an input.

    Returns:
        Adders both of whose inputs are in use, and adders with one input in use.
    """
    left, total, bits = np.broadcast_arrays(used, inputs, np.asarray(bits, float))
    full, half = np.zeros(total.shape), np.zeros(total.shape)
    while np.any(is_split := total > 1):
        depth = log2_up(np.maximum(total, 2)) - 1
        first = 2.0**depth
        is_over = is_split & (left > first)
        full += np.where(is_over, full_tree_adders(first, bits) + bits + depth, 0.0)
        half += np.where(is_split & ~is_over, bits + depth, 0.0)
        left = np.where(is_over, left - first, left)
        total = np.where(is_over, total - first, np.where(is_split, first, total))
    return full, half


def full_tree_adders(inputs: Array, bits: Array) -> Array:
    """One-bit adders of a tree over a power of two of inputs."""
    return inputs * (bits + 1) - (bits + np.log2(inputs) + 1)
