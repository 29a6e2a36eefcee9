"""The Ethos-U presets: where their numbers are from, and what runs on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest
from codesign_plugins.ethos_u import EthosU

import codesign
from codesign import DType, Residency, Tensor, load_hardware
from codesign.errors import CodesignError
from codesign.hardware.provenance import STATUSES
from codesign.hardware.spec import Hardware, list_hardware
from codesign.result.result import Result
from codesign.testing import convolution, matmul, softmax
from codesign.workload.record import Op, Role, Trace

PRESETS = ("ethos-u55-128", "ethos-u55-256", "ethos-u65-512")


def alone(op: Op) -> Trace:
    return Trace(op.name, (op,), tuple(access.tensor for access in op.operands))


def simulated(
    op: Op, preset: str, residency: Residency | str = "none", **changed: object
) -> Result:
    settings = {name.replace("__", "."): value for name, value in changed.items()}
    return codesign.simulate(alone(op), preset, settings=settings, residency=residency)  # type: ignore[arg-type]


def two_convolutions() -> Trace:
    """A convolution from outside, and one of its results."""
    roles: dict[str, Role] = {"in": "input", "middle": "activation", "out": "output"}
    tensors = {
        name: Tensor(name, (64, 24, 24), DType.parse("int8"), role) for name, role in roles.items()
    }
    ops = []
    for number, (source, target) in enumerate((("in", "middle"), ("middle", "out"))):
        op = convolution(64, 64, 24, 3, padding=1)
        image, weight = op.inputs
        weight = dataclasses.replace(
            weight, tensor=dataclasses.replace(weight.tensor, name=f"w{number}")
        )
        tensors[f"w{number}"] = weight.tensor
        image = dataclasses.replace(image, tensor=tensors[source])
        output = dataclasses.replace(op.outputs[0], tensor=tensors[target])
        ops.append(
            dataclasses.replace(op, name=f"conv{number}", inputs=(image, weight), outputs=(output,))
        )
    return Trace("two", tuple(ops), tuple(tensors.values()))


def npu(machine: Hardware) -> EthosU:
    part = machine.components["npu"]
    assert isinstance(part, EthosU)
    return part


@pytest.mark.parametrize("preset", PRESETS)
def test_every_number_has_a_source_and_a_status(preset: str) -> None:
    machine = load_hardware(preset)
    rows = {(row.component, row.field): row for row in machine.provenance}
    checked = 0
    for name, part in machine.components.items():
        for field in dataclasses.fields(part):
            value = getattr(part, field.name)
            entries = [f"{field.name}.{key}" for key in value] if isinstance(value, Mapping) else []
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                entries = [field.name]
            for entry in entries:
                row = rows[name, entry]
                assert row.status in STATUSES
                assert row.source not in ("", f"{preset}.yaml"), entry
                assert not row.source.startswith("default of kind"), entry
                checked += 1
    assert checked > 30


@pytest.mark.parametrize("preset", PRESETS)
def test_the_header_says_what_is_known_of_its_error(preset: str) -> None:
    (path,) = [entry.path for entry in list_hardware() if entry.name == preset]
    header = path.read_text().split("\nname:")[0]
    assert "Measured error against silicon: not known" in header
    assert "ethos-u-vela 5.2.0" in header
    assert all(line.startswith("#") or not line for line in header.splitlines())


@pytest.mark.parametrize(
    ("preset", "macs", "clock", "port", "away"),
    [
        ("ethos-u55-128", 128, 5e8, 8, 1),
        ("ethos-u55-256", 256, 5e8, 8, 1),
        ("ethos-u65-512", 512, 1e9, 16, 3.75),
    ],
)
def test_rates_are_those_of_the_system_configurations_of_vela(
    preset: str, macs: int, clock: float, port: float, away: float
) -> None:
    machine = load_hardware(preset)
    engine = npu(machine)
    assert engine.core.macs == macs
    assert engine.clock == clock
    home, sram = machine.home("npu"), machine.components["sram"]
    assert getattr(sram, "bandwidth", 0) == port * clock
    assert getattr(home, "bandwidth", 0) == away * clock
    assert home.off_chip


@pytest.mark.parametrize("preset", PRESETS)
def test_a_matrix_vector_product_takes_as_long_as_its_weights_take_to_come(preset: str) -> None:
    machine = load_hardware(preset)
    op = matmul(1, 1024, 1024)
    result = simulated(op, preset)
    home = machine.home("npu")
    moved = sum(result.offchip_bytes.values())
    roofline_s = moved / getattr(home, "bandwidth", 0.0)
    assert 1024 * 1024 <= moved <= 1.04 * 1024 * 1024  # with bursts of the image
    assert {a.engine for a, _ in result.placement.assignments()} == {"npu"}
    assert roofline_s <= result.latency_s <= 1.01 * roofline_s


@pytest.mark.parametrize("preset", PRESETS)
def test_images_pinned_to_the_sram_never_leave_it_and_save_time(preset: str) -> None:
    trace = two_convolutions()
    middle = next(tensor for tensor in trace.tensors if tensor.name == "middle")
    kept = codesign.simulate(trace, preset, residency=Residency("pinned", ("role:activation",)))
    away = codesign.simulate(trace, preset, residency="none")
    assert kept.latency_s < away.latency_s
    assert "activation" not in kept.offchip_bytes
    assert away.offchip_bytes["activation"] >= 2 * middle.bytes


def test_twice_the_cells_take_less_time_where_cells_are_the_bound() -> None:
    op = convolution(64, 64, 24, 3, padding=1)
    there = Residency("pinned", ("role:weight",), across_runs=True)
    slow, fast = (simulated(op, f"ethos-u55-{n}", there) for n in (128, 256))
    assert fast.placement.assignments()[-1][0].engine == "npu"
    assert fast.latency_s < slow.latency_s


@pytest.mark.parametrize("preset", PRESETS)
def test_what_the_npu_refuses_goes_to_the_host(preset: str) -> None:
    result = simulated(softmax(16, 64), preset)
    assert {assignment.engine for assignment, _ in result.placement.assignments()} == {"cpu"}
    mine = simulated(convolution(16, 16, 12, 3), preset)
    assert "npu" in {assignment.engine for assignment, _ in mine.placement.assignments()}


@pytest.mark.parametrize("preset", PRESETS)
def test_every_part_that_works_costs_energy(preset: str) -> None:
    parts = simulated(convolution(16, 16, 12, 3), preset).energy_by_component_j
    home = load_hardware(preset).home("npu").name
    assert {name for name, joules in parts.items() if joules > 0} >= {"npu", "sram", "bus", home}


def test_a_misspelt_configuration_is_one_line_with_the_way_out() -> None:
    with pytest.raises(CodesignError, match="configuration") as caught:
        simulated(matmul(1, 8, 8), "ethos-u55-128", npu__configuration="u55-129")
    assert "u55-128" in str(caught.value)
    assert "\n" not in str(caught.value)
