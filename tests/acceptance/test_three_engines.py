"""An array, compute-in-memory macros and units beside DRAM banks in one hardware file."""

from __future__ import annotations

from pathlib import Path

import pytest

import codesign
from codesign import Engines, Hardware, Residency, Result, Trace, load_hardware
from codesign.errors import HardwareError
from codesign.mapping.assign.ask import Choosing
from codesign.testing.operators import elementwise, matmul, whole
from codesign.workload.record import Op

FILE = """
name: three-ways
precision: int8
components:
  npu: {kind: systolic, buffer: sram, rows: 32, cols: 32}
  cim: {kind: cim_digital_sram, buffer: sram, macros: 2, sets: 2, input_bits: 2}
  pim:
    kind: pim_near_bank
    buffer: sram
    memory: dram
    device: hbm2-pim
    channels: 4
    mac_energy: {int8*int8: 0.1 pJ}
  vector: {kind: vector, buffer: sram}
  sram: {kind: sram, size: 512 KiB}
  bus: {kind: link, connects: [dram, sram, cim.cells], bandwidth: 32 GB/s, setup: 10 ns}
  dram: {kind: dram, device: hbm2-pim, channels: 4, backend: fluid}
"""
ENGINES = ("npu", "cim", "pim")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Hardware:
    path = tmp_path_factory.mktemp("three") / "three.yaml"
    path.write_text(FILE)
    return load_hardware(path)


def product(name: str, columns: int = 512, rows: int = 4) -> Op:
    """A layer of its own weights on the common input."""
    op = matmul(rows, 512, columns)
    weight = whole(f"{name}.weight", (512, columns), "weight")
    output = whole(f"{name}.out", (rows, columns), "output")
    return Op(name, "contraction", (op.inputs[0], weight), (output,), op.loops)


def layers(*names: str, **sizes: int) -> Trace:
    ops = tuple(product(name, **sizes) for name in names)
    return Trace("layers", ops, tuple(a.tensor for op in ops for a in op.operands))


def run(trace: Trace, machine: Hardware, engines: Engines | Choosing = "earliest") -> Result:
    found = codesign.simulate(trace, machine, engines=engines, residency="none")
    assert found.lower_bound_s <= found.latency_s <= found.serial_bound_s
    assert found.energy_j == pytest.approx(sum(found.energy_by_component_j.values()))
    assert found.macs == found.mac_slots.get("effective", 0)
    return found


def each(**rules: str) -> Engines:
    return Engines(rules=rules)


def test_every_engine_takes_its_share_of_one_run(machine: Hardware) -> None:
    found = run(layers("a", "b", "c"), machine, each(a="npu", b="cim", c="pim"))
    assert found.operators["engine"] == list(ENGINES)
    for engine in ENGINES:
        assert found.utilization[engine] > 0
        assert found.energy_by_component_j[engine] > 0
    assert found.energy_by_component_j["cim.cells"] > 0


def test_weights_beside_the_banks_are_not_moved_and_those_of_macros_once(machine: Hardware) -> None:
    weight = 512 * 512
    near = run(layers("a"), machine, each(a="pim")).offchip_bytes
    cells = run(layers("a"), machine, each(a="cim")).offchip_bytes
    assert near.get("weight", 0) == 0
    assert weight <= cells["weight"] < 1.1 * weight


def test_units_and_host_exclude_each_other_on_one_memory(machine: Hardware) -> None:
    alone = {
        engine: run(layers("a"), machine, each(a=engine)).latency_s for engine in ("npu", "pim")
    }
    together = run(layers("a", "b"), machine, each(a="npu", b="pim"))
    assert together.latency_s >= max(alone.values())
    computing = together.utilization["pim"]
    assert 0 < computing + together.utilization["bus"] <= 1  # never both at once


def test_one_operator_may_run_on_several_engines(machine: Hardware) -> None:
    wide = layers("a", columns=8192, rows=64)
    found = run(wide, machine, Engines(split=True))
    assert found.macs == 64 * 512 * 8192
    columns = [one.op.outputs[0].shape[-1] for one, _ in found.placement.assignments()]
    assert sum(columns) == 8192


@pytest.mark.parametrize("policy", ["earliest", "alone"])
def test_the_choice_is_no_worse_than_the_worst_engine(machine: Hardware, policy: Choosing) -> None:
    trace = layers("a", "b", "c", "d")
    single = [run(trace, machine, Engines(rules={"*": engine})) for engine in ENGINES]
    chosen = run(trace, machine, policy)
    assert chosen.latency_s < max(one.latency_s for one in single)
    assert chosen.latency_s < 1.1 * min(one.latency_s for one in single)


def test_what_no_macro_takes_runs_beside_them(machine: Hardware) -> None:
    op = elementwise((64, 512), ("gelu",))
    trace = Trace("gelu", (op,), tuple(a.tensor for a in op.operands))
    assert run(trace, machine).operators["engine"] == ["vector"]


def test_weights_stay_in_the_cells_from_run_to_run(machine: Hardware) -> None:
    residency = Residency("greedy", across_runs=True)
    small = layers("a", columns=128)
    found = codesign.simulate(small, machine, engines=each(a="cim"), residency=residency)
    stays = {stay.tensor.name: stay.memory for stay in found.placement.stays}
    assert stays["a.weight"] == "cim.cells"
    assert [one.op.name for one in found.placement.setup]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("memory: dramm", "pim.occupies must name a memory, got 'dramm'; did you mean 'dram'?"),
        ("connects: [dram, sram]", "cim"),
        ("sets: 200", "sets must be <= rows"),
    ],
)
def test_a_mistake_in_the_file_is_one_line(tmp_path: Path, wrong: str, told: str) -> None:
    right = {"memory: dramm": "memory: dram", "sets: 200": "sets: 2"}
    path = tmp_path / "three.yaml"
    path.write_text(FILE.replace(right.get(wrong, "connects: [dram, sram, cim.cells]"), wrong))
    with pytest.raises(HardwareError) as caught:
        load_hardware(path)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
