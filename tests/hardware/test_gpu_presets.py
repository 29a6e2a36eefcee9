"""Presets of GPUs: peaks of their data sheets, sources, and what is said of their constants."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest
from codesign_plugins.gpu import SparseTensorCore

import codesign
from codesign import Trace
from codesign.hardware.provenance import STATUSES
from codesign.hardware.spec import Hardware, list_hardware, load_hardware
from codesign.testing import check_engine, elementwise, matmul, softmax

PEAKS = {
    "a100-80gb": {
        "fp16*fp16": 312e12,
        "int8*int8": 624e12,
        "tf32*tf32": 156e12,
        "fp32*fp32": 19.5e12,
    },
    "a40": {
        "fp16*fp16": 149.7e12,
        "int8*int8": 299.3e12,
        "tf32*tf32": 74.8e12,
        "fp32*fp32": 37.4e12,
    },
    "h100": {
        "fp16*fp16": 989.4e12,
        "int8*int8": 1978.9e12,
        "fp8_e4m3*fp8_e4m3": 1978.9e12,
        "tf32*tf32": 494.7e12,
        "fp32*fp32": 66.9e12 * 1.83 / 1.98,  # of its plain cores at the clock of the others
    },
    "mi300x": {
        "fp16*fp16": 1307.4e12,
        "int8*int8": 2614.9e12,
        "tf32*tf32": 653.7e12,
        "fp32*fp32": 163.4e12,
    },
}
"""Operations per second without sparsity."""
BOARDS = {"a100-80gb": 400, "a40": 300, "h100": 700, "mi300x": 750}
"""Watts that the boards may draw."""
PRESETS = tuple(PEAKS)
FIT = ("range", "work", "protocol", "constants")
LEFT_TO_THE_KIND = {*(f"calibrated_{what}" for what in FIT), "calibration"}
"""Nothing was fitted, or nothing is said of it."""


def engine(machine: Hardware) -> SparseTensorCore:
    (found,) = machine.engines
    assert isinstance(found, SparseTensorCore)
    return found


def numbers(machine: Hardware) -> list[tuple[str, str]]:
    """Component and field of every number; entries of tables each."""
    found: list[tuple[str, str]] = []
    for name, part in machine.components.items():
        for field in dataclasses.fields(part):
            value = getattr(part, field.name)
            if isinstance(value, Mapping):
                found += [(name, f"{field.name}.{key}") for key in value]
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                found.append((name, field.name))
    return found


def run(op: codesign.Op, machine: Hardware) -> codesign.Result:
    tensors = tuple(access.tensor for access in op.operands)
    return codesign.simulate(Trace("alone", (op,), tensors), machine)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_number_has_a_source_and_a_status(preset: str) -> None:
    machine = load_hardware(preset)
    rows = {(row.component, row.field): row for row in machine.provenance}
    own = [one for one in numbers(machine) if one in rows and "decode" not in one[1]]
    assert len(own) > 30
    for one in own:
        assert rows[one].status in STATUSES
        assert rows[one].source not in ("", f"{preset}.yaml"), one


@pytest.mark.parametrize("preset", PRESETS)
def test_the_file_itself_states_every_field_but_what_nobody_fitted(preset: str) -> None:
    machine = load_hardware(preset)
    left = {
        row.field
        for row in machine.provenance
        if row.source.startswith("default of kind") and "decode" not in row.field
    }
    assert left <= LEFT_TO_THE_KIND


@pytest.mark.parametrize("preset", PRESETS)
def test_the_peaks_are_those_of_the_data_sheet(preset: str) -> None:
    core = engine(load_hardware(preset))
    for formats, peak in PEAKS[preset].items():
        assert 2 * core.units * core.clock * core.macs[formats] == pytest.approx(peak, rel=5e-3)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_engine_keeps_every_promise(preset: str) -> None:
    ops = [matmul(33, 65, 17, dtype="fp16"), elementwise((40, 50), dtype="fp16")]
    check_engine(engine(load_hardware(preset)), ops)


@pytest.mark.parametrize("preset", PRESETS)
def test_no_operator_beats_the_memory_or_the_peak(preset: str) -> None:
    machine = load_hardware(preset)
    home = machine.home("gpu").ceiling(codesign.Descriptor(1 << 20, 1, 0, "read"))
    for sizes in ((1, 4096, 4096), (4096, 4096, 4096)):
        op = matmul(*sizes, dtype="fp16")
        floor = max(
            sum(access.bytes for access in op.operands) / home,
            2 * op.macs / PEAKS[preset]["fp16*fp16"],
        )
        assert run(op, machine).latency_s > 0.99 * floor


@pytest.mark.parametrize("preset", PRESETS)
def test_the_header_says_how_wrong_it_is(preset: str) -> None:
    (path,) = [entry.path for entry in list_hardware() if entry.name == preset]
    header = path.read_text().split("\nname:")[0]
    assert "Measured error against silicon" in header
    assert all(line.startswith("#") or not line for line in header.splitlines())
    assert all(len(line) <= 100 for line in header.splitlines())


def test_constants_that_are_fitted_say_so_and_others_do_not() -> None:
    constants = ("t0", "compute_efficiency", "memory_efficiency")
    for preset, wanted in (("a100-80gb", "fitted"), ("a40", "fitted"), ("h100", "assumed")):
        machine = load_hardware(preset)
        rows = {row.field: row for row in machine.provenance if row.component == "gpu"}
        assert {rows[name].status for name in constants} == {wanted}


@pytest.mark.parametrize(
    ("preset", "words"),
    [
        ("a100-80gb", "constants fitted to kernel times: mean error 7.2%"),
        ("a40", "constants of an A100, none is fitted to this device: mean error 7.2%"),
        ("h100", "uncalibrated, e = 1"),
        ("mi300x", "three constants fitted to four pairs of products, dense and 2:4: mean error"),
    ],
)
def test_a_result_says_where_the_constants_are_from(preset: str, words: str) -> None:
    result = run(matmul(64, 64, 64, dtype="fp16"), load_hardware(preset))
    assert [note for note in result.assumptions if words in note]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_board_at_its_peak_draws_what_it_may(preset: str) -> None:
    """Products of every format and the standing power are those of the board."""
    core = engine(load_hardware(preset))
    for formats, rate in core.macs.items():
        products = core.units * core.clock * rate * core.mac_energy[formats]
        assert core.leakage + products == pytest.approx(BOARDS[preset], rel=0.01)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_large_product_draws_no_more_than_the_board_and_most_of_its_share(preset: str) -> None:
    """What goes through cache and memory comes on top, and a fitted share of the peak below."""
    machine = load_hardware(preset)
    result = run(matmul(8192, 8192, 8192, dtype="fp16"), machine)
    watts, share = result.energy_j / result.latency_s, engine(machine).compute_efficiency
    standing = engine(machine).leakage
    expected = standing + (BOARDS[preset] - standing) * share
    assert 0.75 * expected < watts < 1.15 * expected
    assert watts < 1.1 * BOARDS[preset]


@pytest.mark.parametrize(
    ("preset", "op", "reason"),
    [
        ("a40", matmul(64, 4096, 4096, dtype="int8"), "no contraction int8*int8 was measured"),
        ("a40", elementwise((512, 512), dtype="fp16"), "no elementwise was measured"),
        ("mi300x", softmax(512, 512, dtype="fp16"), "no softmax was measured"),
        ("mi300x", matmul(1, 4096, 14336, dtype="fp16"), "bytes below 117,735,424"),
        ("a100-80gb", softmax(512, 512, dtype="fp16"), "no softmax was measured"),
        ("h100", softmax(512, 512, dtype="fp16"), ""),
    ],
    ids=str,
)
def test_what_nobody_measured_is_flagged_where_anything_was(
    preset: str, op: codesign.Op, reason: str
) -> None:
    """A device without any fit says that of all of it, and flags no part."""
    machine = load_hardware(preset)
    assert engine(machine).beyond(op) == reason
    notes = [n for n in run(op, machine).assumptions if "outside of what it was fitted on" in n]
    assert bool(notes) == bool(reason)


def test_no_constant_of_another_device_is_called_published() -> None:
    rows = {row.field: row for row in load_hardware("a40").provenance if row.component == "gpu"}
    assert rows["protocol"].status == "assumed"


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_as_it_was_fitted(preset: str) -> None:
    assert "changed since the fit" not in engine(load_hardware(preset)).notes[1]


def test_a_device_with_twice_the_bandwidth_runs_thin_products_in_about_half_the_time() -> None:
    thin = matmul(1, 8192, 8192, dtype="fp16")
    slow, fast = (run(thin, load_hardware(name)).latency_s for name in ("a40", "a100-80gb"))
    assert slow / fast == pytest.approx(2039 / 696, rel=0.1)
