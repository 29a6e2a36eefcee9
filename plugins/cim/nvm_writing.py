"""What writing non-volatile cells costs: time, energy and life.

Peer simulators have formulas for it and charge nothing; here each program-verify pulse is charged
and each write wears the cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .physics import Array, require


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """Program and verify row after row, all cells of a row at once.

    Attributes:
        row_s: seconds of one pulse on a row, with the read that verifies it.
        pulses: until a cell holds its value, on average; at least 1.
        cell_j: joules of one pulse on one cell, with the read that verifies it.
        endurance: writes that a cell lasts, above 0; some 1e6 of RRAM, 1e8 of PCM.
    """

    row_s: Array = 10e-9
    pulses: Array = 1.0
    cell_j: Array
    endurance: Array = 1e6

    def seconds(self, rows: Array) -> Array:
        """Seconds of writing so many rows of one macro."""
        return rows * self.row_s * self.pulses

    def joules(self, cells: Array) -> Array:
        """Joules of writing so many cells once."""
        return cells * self.cell_j * self.pulses

    def lifetime_s(self, writes_per_s: Array, macros: Array = 1) -> Array:
        """Seconds until the cells are worn; infinite where none is written.

        Args:
            writes_per_s: writes of each cell, if one macro took them all.
            macros: that take turns in being written, so that each lasts as many times longer.
        """
        with np.errstate(divide="ignore"):
            return np.divide(np.multiply(self.endurance, macros), writes_per_s)

    def check(self) -> None:
        """Refuses what no cell can be.

        Raises:
            HardwareError: a value that breaks its rule, in one line.
        """
        require(
            np.greater(self.endurance, 0),
            "endurance must be above 0 writes: cells that last none hold no weights; take 1e6 for "
            "RRAM or 1e8 for PCM",
            self.endurance,
        )
        require(
            np.greater_equal(self.pulses, 1),
            "pulses must be at least 1: a write takes one; state the mean of program and verify",
            self.pulses,
        )
        for name in ("row_s", "cell_j"):
            value = getattr(self, name)
            rule = f"{name} of a write must be above 0: writing is never free; state it"
            require(np.greater(value, 0), rule, value)
