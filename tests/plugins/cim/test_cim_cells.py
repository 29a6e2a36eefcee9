"""The cells as a memory: size, rate of the write ports, energy of a write, wear."""

from __future__ import annotations

import pytest
from codesign_plugins.cim.cells import Cells
from codesign_plugins.cim.engine import Macros
from hypothesis import given
from hypothesis import strategies as st
from macros import CLOCK, KINDS, engines, macros

from codesign.hardware.component import Descriptor
from codesign.testing import check_memory

WRITE = Descriptor(4096, 1, 4096, "write")


@pytest.mark.parametrize("kind", KINDS)
def test_cells_keep_the_promises_of_a_memory(kind: str) -> None:
    check_memory(macros(kind).cells)


@given(engines())
def test_cells_hold_all_sets_of_all_macros(engine: Macros) -> None:
    every = engine.macros * engine.sets * engine.rows * engine.columns
    assert engine.cells.size == every


def test_every_macro_has_a_write_port() -> None:
    one = macros(clock=CLOCK)
    assert one.cells.service([WRITE]).bytes_per_s == 8 * CLOCK
    assert macros(clock=CLOCK, macros=3).cells.service([WRITE]).bytes_per_s == 24 * CLOCK
    assert macros(clock=CLOCK, write_width=4).cells.service([WRITE]).bytes_per_s == CLOCK // 2


def test_non_volatile_cells_are_written_row_after_row_with_all_pulses() -> None:
    cells = macros("nvm", rows=64, columns=32, macros=2).cells
    row_s = 100e-9 * 4  # of 32 weights of a byte
    assert cells.service([WRITE]).bytes_per_s == int(2 * 32 / row_s)
    # eight pairs of one-bit cells a weight, 2 pJ and 4 pulses each
    assert cells.energies_j()["write"] == pytest.approx(8 * 2 * 2e-12 * 4)


@given(st.integers(1, 8), st.sampled_from(["none", "analog", "digital"]))
def test_more_bits_in_a_cell_make_writing_cheaper(bits: int, pair: str) -> None:
    cells = macros("nvm", bits_per_cell=bits, pair=pair).cells
    halves = 1 if pair == "none" else 2
    assert cells.write_energy == pytest.approx(-(-8 // bits) * halves * 2e-12 * 4)


def test_only_non_volatile_cells_wear() -> None:
    assert macros().cells.endurance is None
    assert macros("analog").cells.endurance is None
    assert macros("nvm").cells.endurance == 1e6
    assert macros("phases", endurance=1e8).cells.endurance == 1e8


def test_the_lowest_rate_is_a_byte_a_second() -> None:
    slow = Cells(name="m.cells", size=1, bandwidth=1e-3, write_energy=0.0)
    assert slow.service([WRITE]).bytes_per_s == 1
