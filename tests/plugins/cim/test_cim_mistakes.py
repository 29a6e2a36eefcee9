"""A mistake with macros is one line that says what to do, also on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import Codesign
from macros import CLOCK, budget, machine, macros, one

import codesign
from codesign import save_trace
from codesign.errors import CodesignError, HardwareError, MappingError
from codesign.testing import matmul
from codesign.workload.record import Trace

FILE = """\
name: bad
precision: int8
components:
  macro: {{{macro}}}
  sram: {{kind: sram, size: {sram}}}
  bus: {{kind: link, connects: [{connects}], bandwidth: 2 GB/s}}
  dram: {{kind: flat_dram, device: x, bandwidth: 10 GB/s, size: 1 GB, efficiency: 1.0}}
"""
DIGITAL = "kind: cim_digital_sram, buffer: sram"
ANALOG = "kind: cim_analog_sram, buffer: sram"
NVM = (
    "kind: cim_nvm, buffer: sram, clipping: true, adc_time: 5 ns, dac_energy: 10 fJ, "
    "cell_energy: 2 fJ, adc_energy: 3 pJ, shift_energy: 5 fJ, write_energy: 2 pJ"
)

MISTAKES = {
    "too few bits": (ANALOG + ", adc_bits: 4", "macro.adc_bits must be >= 8"),
    "too few bits of nvm": (NVM.replace("true", "false") + ", adc_bits: 4", "adc_bits"),
    "no writes": (NVM + ", endurance: 0", "endurance must be above 0 writes"),
    "no pulses": (NVM + ", write_pulses: 0", "macro.write_pulses must be >= 1"),
    "free writes": (NVM.replace("write_energy: 2 pJ", "write_energy: 0 J"), "write_energy"),
    "more sets than rows": (DIGITAL + ", rows: 16, sets: 17", "sets must be <= rows"),
    "uneven passes": (DIGITAL + ", input_bits: 3", "input_bits must divide activation_bits"),
    "a share above 1": (DIGITAL + ", toggle: 1.5", "macro.toggle must be <= 1"),
    "no rows": (DIGITAL + ", rows: 0", "macro.rows must be >= 1"),
    "no macros": (DIGITAL + ", macros: 0", "macro.macros must be >= 1"),
    "an unknown packing": (DIGITAL + ", pack: diagonals", "pack"),
    "an unknown cut": (DIGITAL + ", row_split: factors", "row_split"),
    "an unknown kind": (DIGITAL.replace("sram,", "sramm,", 1), "did you mean 'cim_digital_sram'"),
    "an unknown field": (DIGITAL + ", weight_set: 4", "weight_set"),
    "a field of the cells": (DIGITAL + ", cells: 4", "cells"),
    "no price": (NVM.replace("adc_energy: 3 pJ, ", ""), "adc_energy"),
}


def written(
    folder: Path,
    macro: str = DIGITAL,
    sram: str = "64 KiB",
    connects: str = "dram, sram, macro.cells",
) -> Path:
    path = folder / "bad.yaml"
    path.write_text(FILE.format(macro=macro, sram=sram, connects=connects))
    return path


def saved(folder: Path, trace: Trace) -> Path:
    path = folder / "trace.json"
    save_trace(trace, path)
    return path


def simulated(codesign: Codesign, trace: Path, hardware: Path, *words: str) -> str:
    """What the command line says of a mistake: one line and exit code 2."""
    ran = codesign("simulate", trace, "--hardware", hardware, *words)
    assert (ran.code, ran.out) == (2, ""), ran.err
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert "Traceback" not in ran.err
    return ran.err


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_macro_that_cannot_be_is_one_line(
    codesign: Codesign, tmp_path: Path, mistake: str
) -> None:
    macro, hint = MISTAKES[mistake]
    message = simulated(codesign, saved(tmp_path, one(matmul(4, 4, 4))), written(tmp_path, macro))
    assert hint in message
    assert "bad.yaml" in message or "macro" in message


@pytest.mark.parametrize("macro", [DIGITAL, ANALOG + ", clipping: true", NVM])
def test_without_the_mistake_each_file_runs(codesign: Codesign, tmp_path: Path, macro: str) -> None:
    trace = saved(tmp_path, one(matmul(4, 4, 4)))
    ran = codesign("simulate", trace, "--hardware", written(tmp_path, macro))
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("connects", ["dram, sram", "dram, sram, macro.cell"])
def test_a_link_that_forgets_the_cells_is_one_line(
    codesign: Codesign, tmp_path: Path, connects: str
) -> None:
    hardware = written(tmp_path, connects=connects)
    message = simulated(codesign, saved(tmp_path, one(matmul(4, 4, 4))), hardware)
    assert "macro.cells" in message


@pytest.mark.parametrize("dtype", ["fp16", "int16"])
def test_formats_that_no_macro_takes_are_one_line(
    codesign: Codesign, tmp_path: Path, dtype: str
) -> None:
    trace = saved(tmp_path, one(matmul(4, 4, 4, dtype=dtype)))
    words = ("--dtype", dtype) if dtype == "fp16" else ()
    message = simulated(codesign, trace, written(tmp_path), *words)
    assert f"takes whole numbers of at most 8 bit, not {dtype}" in message


def test_a_product_of_two_activations_is_refused_with_the_reason(
    codesign: Codesign, tmp_path: Path
) -> None:
    trace = saved(tmp_path, one(matmul(16, 16, 16), w="input"))
    message = simulated(codesign, trace, written(tmp_path))
    assert "both factors are computed" in message
    assert "set rewrite_operand" in message


def test_cells_that_hold_no_tile_beside_what_stays_are_one_line() -> None:
    hardware = machine(macros(sets=2), sram=64 * 1024)
    asked = codesign.Residency("none", limits={"macro.cells": 0})
    found = codesign.simulate(one(matmul(4, 256, 256)), hardware, residency=asked)
    assert found.macs == 4 * 256 * 256  # a limit is on what stays, never on tiles
    engine = hardware.engine("macro")
    with pytest.raises(MappingError, match=r"the cells of macro grant .* one weight tile takes"):
        engine.plan(matmul(4, 4, 4), budget(macros(), cells=16_383))


def test_a_buffer_that_holds_no_pixel_is_one_line(codesign: Codesign, tmp_path: Path) -> None:
    trace = saved(tmp_path, one(matmul(4, 4096, 64)))
    message = simulated(codesign, trace, written(tmp_path, sram="4 KiB"))
    assert "enlarge the buffer" in message


# -- what is allowed when it is said ---------------------------------------------------------------


def test_clipping_is_allowed_when_declared_and_told_in_the_result() -> None:
    with pytest.raises(HardwareError, match="declare 'clipping: true'"):
        machine(macros("analog", adc_bits=4, clipping=False)).components["macro"].check()
    found = codesign.simulate(
        one(matmul(4, 4, 4)), machine(macros("analog", adc_bits=4, clipping=True))
    )
    assert any("macro clips: 4-bit converters" in line for line in found.assumptions)
    enough = macros("analog", rows=16, adc_bits=12, clipping=False)
    enough.check()
    told = codesign.simulate(one(matmul(4, 4, 4)), machine(enough)).assumptions
    assert not any("clips" in line for line in told)


@pytest.mark.parametrize("rows", [16, 128, 1024])
def test_the_message_names_the_fewest_bits_that_do(rows: int) -> None:
    with pytest.raises(HardwareError) as caught:
        macros("analog", rows=rows, adc_bits=2, clipping=False).check()
    least = int(str(caught.value).split(">= ")[1].split(" ")[0])
    macros("analog", rows=rows, adc_bits=least, clipping=False).check()
    with pytest.raises(HardwareError):
        macros("analog", rows=rows, adc_bits=least - 1, clipping=False).check()


@pytest.mark.parametrize("kind", ["digital", "nvm"])
def test_rewriting_an_operand_charges_the_write_of_each_product(kind: str) -> None:
    engine = macros(kind, rewrite_operand=True)
    trace = one(matmul(8, 100, 60), w="input")
    found = codesign.simulate(trace, machine(engine), residency="none")
    joules = found.energy_by_component_j["macro.cells"]
    assert joules == pytest.approx(100 * 60 * engine.cells.write_energy)
    assert found.replay.moved["dram", "macro.cells"] == 100 * 60
    if kind == "nvm":
        assert found.wear[0].written_bytes == 100 * 60


def test_a_batch_of_products_writes_every_second_factor() -> None:
    engine = macros(rewrite_operand=True, clock=CLOCK)
    trace = one(matmul(8, 64, 64, batch=5), w="input")
    found = codesign.simulate(trace, machine(engine), residency="none")
    assert found.replay.moved["dram", "macro.cells"] == 5 * 64 * 64


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_same_mistake_is_one_line_in_python(tmp_path: Path, mistake: str) -> None:
    macro, hint = MISTAKES[mistake]
    with pytest.raises(CodesignError) as caught:
        codesign.load_hardware(written(tmp_path, macro))
    assert hint in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value"), [("macro.sets", 129), ("macro.input_bits", 5), ("macro.toggle", -1)]
)
def test_a_change_that_makes_no_macro_is_refused(path: str, value: Any) -> None:
    hardware = machine(macros())
    with pytest.raises(HardwareError) as caught:
        hardware.with_(path, value)
    assert "\n" not in str(caught.value)
