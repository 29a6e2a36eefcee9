"""What makes no array of non-volatile cells: one line each, before any work starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .physics import Array, require

if TYPE_CHECKING:
    from .nvm_physics import NvmArray

_WHOLE = (
    "rows",
    "columns",
    "weight_bits",
    "activation_bits",
    "bits_per_cell",
    "dac_bits",
    "adc_bits",
    "columns_per_adc",
    "rows_read",
    "arrays",
)


def adc_bits_needed(array: NvmArray) -> Array:
    """Bits that hold every sum of the rows that are read together, with a sign if subtracted."""
    highest = (2.0 ** np.asarray(array.dac_bits) - 1) * (2.0 ** np.asarray(array.bits_per_cell) - 1)
    sign = 1 if array.pair == "analog" else 0
    return np.ceil(np.log2(array.rows_read * highest + 1)) + sign


def check_array(array: NvmArray) -> None:
    """Refuses fields that make no macro.

    Raises:
        HardwareError: one of them breaks a rule.
    """
    for field in _WHOLE:
        value = getattr(array, field)
        is_whole = np.floor(value) == value
        require(np.greater_equal(value, 1) & is_whole, f"{field} must be whole and >= 1", value)
    _check_sharing(array)
    _check_bits(array)
    _check_amounts(array)
    array.writing.check()


def _check_bits(array: NvmArray) -> None:
    require(
        np.less_equal(array.bits_per_cell, array.weight_bits),
        "bits_per_cell must be <= weight_bits: a weight fills a cell at least; lower it",
        f"{array.bits_per_cell} for weights of {array.weight_bits}",
    )
    require(
        np.less_equal(array.dac_bits, array.activation_bits),
        "dac_bits must be <= activation_bits: a row takes no more at once; lower it",
        f"{array.dac_bits} for activations of {array.activation_bits}",
    )
    needed = adc_bits_needed(array)
    least = f">= {needed:g}" if np.ndim(needed) == 0 else "wide enough"
    require(
        array.is_clipped or np.greater_equal(array.adc_bits, needed),
        f"adc_bits must be {least} to tell all sums of {array.rows_read} rows apart; widen it, "
        "read fewer rows at once or declare clipping",
        array.adc_bits,
    )


def _check_sharing(array: NvmArray) -> None:
    require(
        np.less_equal(array.rows_read, array.rows),
        "rows_read must be <= rows: no more can be read together; lower it",
        f"{array.rows_read} of {array.rows} rows",
    )
    shared = array.converted(array.columns, array.weight_bits)
    for field in ("columns_per_adc", "arrays"):
        value = getattr(array, field)
        require(
            np.equal(np.mod(shared, value), 0),
            f"{field} must divide the bit columns that are converted; change it or columns",
            f"{value} for {_plain(shared)} of them",
        )


def _check_amounts(array: NvmArray) -> None:
    parts: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (array, ("product_s",)),
        (array.step, ("dac_s", "read_s", "adc_s", "digital_s")),
        (array.energies, ("dac_j", "cell_j", "adc_j", "register_j", "shift_j", "join_j")),
        (array.areas, ("cell_m2", "row_m2", "dac_m2", "adc_m2", "digital_m2")),
    )
    for part, fields in parts:
        for field in fields:
            value = getattr(part, field)
            require(np.greater_equal(value, 0), f"{field} must be >= 0", value)
    seconds = array.step.seconds
    require(np.greater(seconds, 0), "a step must take more than 0 s; state its parts", seconds)


def _plain(value: Array) -> str:
    return f"{value:g}" if np.ndim(value) == 0 else str(value)
