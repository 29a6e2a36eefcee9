"""The presets with memories that compute: their shapes, sources, and what runs on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace

import pytest
from codesign_plugins.pim import HostPim, PimNearBank, PimUpmem
from pim_cases import alone, there

from codesign import simulate
from codesign.errors import HardwareError, MappingError
from codesign.hardware.provenance import STATUSES
from codesign.hardware.spec import Hardware, list_hardware, load_hardware
from codesign.mapping.assign.ask import Engines
from codesign.plugins import registry
from codesign.result.result import Result
from codesign.testing import check_engine, check_link, check_memory, elementwise, matmul
from codesign.workload.record import Access, Op, Trace

PRESETS = ("aim-like", "hbm-pim", "upmem-like")
LEFT_TO_THE_KIND = {"operations"}
# own runs of PIMSimulator b464dde: outputs, inputs, batch, clocks
RECORDED = ((1024, 1024, 1, 3662), (4096, 4096, 1, 13166), (8192, 4096, 1, 26337))


def numbers(machine: Hardware) -> list[tuple[str, str]]:
    """Component and field of every number; entries of tables each."""
    found: list[tuple[str, str]] = []
    for name, part in machine.components.items():
        for field in dataclasses.fields(part):
            value = getattr(part, field.name)
            if isinstance(value, Mapping):
                entries = [key for key, one in value.items() if isinstance(one, (int, float))]
                found += [(name, f"{field.name}.{key}") for key in entries]
            elif isinstance(value, (int, float)):
                found.append((name, field.name))
    return found


def on(engine: str, op: Op, machine: Hardware | str) -> Result:
    """The result of one operator on one engine."""
    return simulate(alone(op), machine, engines=Engines(rules={"*": engine}))


@pytest.mark.parametrize("preset", PRESETS)
def test_every_number_has_a_source_and_a_status(preset: str) -> None:
    machine = load_hardware(preset)
    rows = {(row.component, row.field): row for row in machine.provenance}
    told = [one for one in numbers(machine) if one[1].split(".")[0] not in LEFT_TO_THE_KIND]
    behind = {("dram", "size"), ("pim", "channels")}  # that of the device, where the file says so
    assert len(told) > 30
    for number in told:
        if number in behind and number not in rows:
            continue
        assert rows[number].status in STATUSES
        assert rows[number].source not in ("", f"{preset}.yaml"), number
        assert number in behind or not rows[number].source.startswith("default of kind"), number


@pytest.mark.parametrize("preset", PRESETS)
def test_the_header_says_how_wrong_it_is_and_what_is_not_calibrated(preset: str) -> None:
    (path,) = [entry.path for entry in list_hardware() if entry.name == preset]
    header = path.read_text().split("\nname:")[0]
    assert "Measured error" in header
    assert "Uncalibrated" in header
    assert "Sources: " in header
    assert all(line.startswith("#") or not line for line in header.splitlines())


@pytest.mark.parametrize("preset", PRESETS)
def test_every_part_keeps_its_promises(preset: str) -> None:
    machine = load_hardware(preset)
    word = str(machine.precision)
    small = [matmul(5, 24, 9, dtype=word), elementwise((16, 40), ("add",), 2, word)]
    for engine in machine.engines:
        # copies to 2560 units do not fit the buffers of the kit
        if engine.name != "pim" or preset != "upmem-like":
            check_engine(engine, small)
    for memory in machine.memories:
        check_memory(memory)
    for link in machine.links:
        check_link(link)


def test_the_kinds_come_through_the_same_door_as_any_other() -> None:
    found = registry().components()
    assert found["pim_near_bank"] is PimNearBank
    assert found["pim_upmem"] is PimUpmem
    assert found["host_pim"] is HostPim
    assert registry().plugins()["pim"] == "codesign_plugins.pim"


def test_hbm_pim_has_64_channels_of_eight_units() -> None:
    engine = load_hardware("hbm-pim").engine("pim")
    assert isinstance(engine, PimNearBank)
    units = engine.units
    assert (units.channels, units.blocks, units.banks_per_block, units.lanes) == (64, 8, 2, 16)
    assert load_hardware("hbm-pim").home("pim").name == "dram"
    assert engine.occupies == ("dram",)


def test_aim_like_has_1024_units_and_eight_ranks() -> None:
    machine = load_hardware("aim-like")
    engine, bus = machine.engine("pim"), machine.components["bus"]
    assert isinstance(engine, PimNearBank)
    assert isinstance(bus, HostPim)
    assert engine.units.channels * engine.units.blocks == 1024
    assert bus.bytes_per_s == 8 * 285 * 2**30


def test_upmem_like_has_64_mib_for_every_unit() -> None:
    machine = load_hardware("upmem-like")
    engine, mram = machine.engine("pim"), machine.memories[1]
    assert isinstance(engine, PimUpmem)
    assert mram.name == engine.buffer
    assert mram.size == engine.units * 64 * 2**20
    assert machine.home("pim").name == "dram"


@pytest.mark.parametrize(("outputs", "inputs", "batch", "recorded"), RECORDED)
def test_a_simulated_product_takes_the_cycles_of_the_tool(
    outputs: int, inputs: int, batch: int, recorded: int
) -> None:
    """The tool ends before the host reads the accumulators, and has inputs where it wants them."""
    machine = load_hardware("hbm-pim").with_("pim.result_reads", False)
    result = on("pim", matmul(batch, inputs, outputs, dtype="fp16"), machine)
    assert result.latency_s * 1e9 == pytest.approx(recorded, rel=0.025 if outputs < 4096 else 0.01)


def test_the_program_of_a_simulated_product_is_within_one_per_cent() -> None:
    engine = load_hardware("hbm-pim").with_("pim.result_reads", False).engine("pim")
    for outputs, inputs, batch, recorded in RECORDED:
        op = matmul(batch, inputs, outputs, dtype="fp16")
        plan = engine.plan(op, there(op))
        assert plan.cycles == pytest.approx(recorded, rel=0.01)


def test_a_batch_goes_to_the_arrays_and_a_vector_to_the_banks() -> None:
    chosen = {
        batch: simulate(alone(matmul(batch, 4096, 4096, dtype="fp16")), "hbm-pim")
        for batch in (1, 32)
    }
    placed = {
        batch: {one.engine for one, _ in result.placement.assignments()}
        for batch, result in chosen.items()
    }
    assert placed == {1: {"pim"}, 32: {"npu"}}


def test_weights_that_are_multiplied_where_they_lie_do_not_cross_the_bus() -> None:
    op = matmul(1, 1024, 1024, dtype="fp16")
    near, far = (on(engine, op, "hbm-pim").offchip_bytes for engine in ("pim", "npu"))
    assert near.get("weight", 0) == 0
    assert far["weight"] >= 2 * 1024 * 1024


def test_host_and_units_take_turns_at_one_memory() -> None:
    near = _named(matmul(1, 2048, 4096, dtype="fp16"), "near")
    far = _named(matmul(64, 1024, 2048, dtype="fp16"), "far")
    alone_s = [on(engine, op, "hbm-pim").latency_s for engine, op in (("pim", near), ("npu", far))]
    trace = Trace("both", (near, far), tuple(a.tensor for op in (near, far) for a in op.operands))
    both = simulate(trace, "hbm-pim", engines=Engines(rules={"near": "pim", "far": "npu"}))
    assert both.latency_s >= max(alone_s)
    # weights of the arrays cannot come while the units read, so little is hidden
    assert both.latency_s > 0.9 * sum(alone_s)
    assert both.latency_s <= both.serial_bound_s * 1.001


def _named(op: Op, name: str) -> Op:
    """An operator, and tensors, of another name."""

    def renamed(access: Access) -> Access:
        return replace(access, tensor=replace(access.tensor, name=f"{name}.{access.tensor.name}"))

    inputs, outputs = (tuple(map(renamed, part)) for part in (op.inputs, op.outputs))
    return replace(op, name=name, inputs=inputs, outputs=outputs)


def test_time_does_not_depend_on_the_bus_but_for_the_vectors() -> None:
    op = matmul(1, 2048, 4096, dtype="fp16")
    slow = load_hardware("hbm-pim").with_("bus.bandwidth", "64 GB/s")
    fast = on("pim", op, "hbm-pim").latency_s
    vectors = (2048 + 4096) * 2 / 64e9
    assert fast <= on("pim", op, slow).latency_s <= fast + vectors


def test_results_say_what_a_speed_up_would_be_over() -> None:
    notes = " ".join(on("pim", matmul(1, 256, 256, dtype="fp16"), "hbm-pim").assumptions)
    assert "the host it competes with is the other engines of this machine" in notes
    assert "weights lie tile by tile in dram" in notes


def test_an_integer_product_next_to_the_banks_is_faster_than_the_serial_form() -> None:
    result = on("pim", matmul(1, 4096, 4096, dtype="int32"), "aim-like")
    assert 0.25 * 38.8e-6 < result.latency_s < 0.5 * 38.8e-6


def test_units_in_dimms_wait_for_copies_of_their_inputs() -> None:
    op = matmul(1, 1024, 2560, dtype="int8")
    result = on("pim", op, "upmem-like")
    copies = (1024 * 2560 + 1024 * 2560) / (0.75 * 153.6e9)
    alone_s = copies + 1024 * 8 / 350e6 + 2 * 10e-6  # and a call of the driver each way
    assert alone_s < result.latency_s < 1.05 * alone_s


MISTAKES = (
    ("hbm-pim", "pim.blocks", 4, "blocks times banks_per_block must be 16"),
    ("hbm-pim", "pim.input_registers", 0, "input_registers"),
    ("hbm-pim", "pim.device", "hbm2-pin", "did you mean 'hbm2-pim'"),
    ("aim-like", "bus.ranks", 0, "ranks"),
    ("upmem-like", "pim.units", 0, "units"),
)


@pytest.mark.parametrize(("preset", "field", "value", "message"), MISTAKES)
def test_a_wrong_value_is_one_line(preset: str, field: str, value: object, message: str) -> None:
    with pytest.raises(HardwareError, match=message) as caught:
        load_hardware(preset).with_(field, value)
    assert "\n" not in str(caught.value)


def test_a_format_that_units_have_not_is_told_with_the_reason() -> None:
    with pytest.raises(MappingError, match=r"multiplies fp16\*fp16, not int8\*int8"):
        simulate(alone(matmul(1, 64, 64, dtype="int8")), "hbm-pim")
