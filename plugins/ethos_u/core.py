"""The cores that there are: microblocks, internal RAM and rates of the output stage.

Source of every number: the tables of Arm's own estimator, ``architecture_features.py`` of
ethos-u-vela 5.2.0 (Apache-2.0); they repeat those of the Ethos-U55 and U65 technical reference
manuals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SOURCE = "ethos-u-vela 5.2.0, architecture_features.py"
FORMATS = "int8*int8"
"""Formats of the two factors that cells multiply."""
BANK = 1024
"""Bytes of a bank of the internal RAM."""
OUTPUT_BANKS = 2
"""Banks through which results leave."""
MOST = (32, 64, 128)
"""Largest block of results: height, width, channels."""
SPLIT = 16
"""Channels by which blocks are cut that do not hold all of them: the width of a brick."""
SUBKERNEL = 8
"""Most taps along an axis that are done in one pass over the inputs."""
DOT = 8
"""Products that a cell adds up in a cycle: the depth of an input microblock."""
DEEP = 32
"""Input channels of an input block of int8, which a cell takes in four cycles."""
DEEP_BY_TAPS = 16
"""The same where the taps of a kernel are packed beside channels."""
TAPS = 4
"""Taps of a kernel that a cell packs beside each other, or takes of a depthwise kernel at once."""
BURST = 32
"""Bytes of a burst at the port of the SRAM; a shorter run costs a whole one (``Sram_burst_length``
of ``vela.ini``)."""
RECORD = 10
"""Bytes of the bias and the scale of a channel."""
RECORDS = 256
"""Bytes of records that are asked for at once."""
NOISE = 1e-6
"""Cycles that the rounding of rates may add; less than any result takes."""
STEP = 4
"""Cycles of one pass of all cells over a microblock: ``DEEP / DOT``."""


@dataclass(frozen=True, slots=True)
class Core:
    """One configuration.

    Attributes:
        microblock: height, width and channels of the results that all cells work on at once.
        cores: equal cores, which share the microblocks of a block.
        banks: of the internal RAM.
        end_banks: banks kept free at its end.
        input_grain: banks by which room for inputs grows.
        sum_grain: banks by which room for 32-bit sums grows.
        output: cycles per result of the output stage: ``mul``, ``add``, ``max`` (pooling),
            ``other``.
        activation: the same of a function behind it: ``table`` look-up, ``clamp``.
    """

    microblock: tuple[int, int, int]
    cores: int
    banks: int
    end_banks: int
    input_grain: int
    sum_grain: int
    output: Mapping[str, float]
    activation: Mapping[str, float]

    @property
    def macs(self) -> int:
        """Multiply-accumulates per cycle of all cores."""
        return math.prod(self.microblock) * DOT * self.cores


def _core(
    microblock: tuple[int, int, int],
    banks: tuple[int, int, int, int],
    output: tuple[float, float, float, float],
    activation: tuple[float, float],
    cores: int = 1,
) -> Core:
    rates = dict(zip(("mul", "add", "max", "other"), output, strict=True))
    behind = dict(zip(("table", "clamp"), activation, strict=True))
    tables = MappingProxyType(rates), MappingProxyType(behind)
    return Core(microblock, cores, *banks, *tables)


_LARGE = (2, 2, 8), (48, 2, 8, 16)
CORES: Mapping[str, Core] = MappingProxyType(
    {
        "u55-32": _core((1, 1, 4), (16, 0, 2, 4), (3, 6, 1, 2), (1, 1)),
        "u55-64": _core((1, 1, 8), (16, 0, 2, 4), (1.5, 3, 0.5, 1), (1, 1)),
        "u55-128": _core((1, 2, 8), (24, 2, 4, 8), (0.75, 1.5, 0.25, 0.5), (1, 0.5)),
        "u55-256": _core(*_LARGE, (0.375, 0.75, 0.125, 0.25), (1, 0.25)),
        "u65-256": _core(*_LARGE, (0.375, 0.75, 0.125, 0.25), (1, 0.25)),
        "u65-512": _core(*_LARGE, (0.1875, 0.375, 0.0625, 0.125), (0.5, 0.125), cores=2),
    }
)
"""Every configuration by its name."""
