"""How long an array of non-volatile cells with shared converters takes for a product.

A matrix-vector product of such an array is a row of equal steps: for each slice of the inputs, each
group of rows that is read together and each of the columns that share a converter, the rows are
driven, the cells settle and the converters digitise (Shafiee et al., ISAAC, ISCA 2016; Zhu et al.,
MNSIM 2.0, GLSVLSI 2020). An energy is that of each conversion, however many share a converter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .physics import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Seconds of the parts of one step, which follow each other.

    Attributes:
        dac_s: the rows are driven.
        read_s: the read pulse, until the bit lines have settled.
        adc_s: a conversion.
        digital_s: register, shifter and multiplexers.
    """

    dac_s: Array = 0.0
    read_s: Array = 10e-9
    adc_s: Array
    digital_s: Array = 0.0

    @property
    def seconds(self) -> Array:
        """Of the whole step."""
        return self.dac_s + self.read_s + self.adc_s + self.digital_s


def slices(bits: Array, bits_each: Array) -> Array:
    """Parts of at most ``bits_each`` bits that a word of ``bits`` is cut into."""
    return np.ceil(np.divide(bits, bits_each))


def row_groups(rows: Array, rows_read: Array) -> Array:
    """Groups of rows that are read one after the other, ``rows_read`` at once."""
    return np.ceil(np.divide(rows, rows_read))
