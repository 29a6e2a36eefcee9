"""The fallback CPU: what going there and back costs, and that it wins only where it should."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from codesign_plugins.cpu import BYTES, ELEMENTS, MACS, Cpu
from hypothesis import given
from hypothesis import strategies as st

import codesign
from codesign import Hardware, Trace, load_hardware
from codesign.errors import HardwareError, MappingError
from codesign.hardware.plan import Budget, TilePlan
from codesign.hardware.spec import list_hardware
from codesign.mapping.place import place
from codesign.testing import elementwise, every_operator, gather, matmul, move, reduce, softmax
from codesign.testing.operators import whole
from codesign.units import cycles_to_ticks
from codesign.workload.attention import attention_parts
from codesign.workload.record import KINDS, Op

AMPLE = Budget(1 << 24, 1e12, 1e12)
PRICES = {
    "clock": 1e9,
    "synchronisation": 1e-6,
    "dequantise": 4.0,
    "quantise": 2.0,
    "transfer_in": 8.0,
    "transfer_out": 16.0,
}
CALL = 1000


def host(**fields: Any) -> Cpu:
    return Cpu(**{"name": "cpu", "buffer": "cache", **PRICES, **fields})


def plan(op: Op, budget: Budget = AMPLE, **fields: Any) -> TilePlan:
    found: TilePlan = host(**fields).plan(op, budget)
    return found


def actions(found: TilePlan) -> Counter[tuple[str, str]]:
    return Counter({(component, action): n for component, action, n in found.actions})


def attention(dtype: str = "int8") -> Op:
    inputs = tuple(whole(name, (1, 2, 8, 16), dtype=dtype) for name in "qkv")
    return Op("attend", "attention", inputs, (whole("y", (1, 2, 8, 16), dtype=dtype),))


def test_a_product_costs_its_six_parts_one_after_the_other() -> None:
    m, k, n = 4, 96, 80
    parts = {
        "synchronise": CALL,
        "dequantise": (m * k + k * n) // 4,
        "transfer in": (m * k + k * n) // 8,
        "compute": m * k * n // 8,
        "transfer out": m * n // 16,
        "quantise": m * n // 2,
    }
    assert plan(matmul(m, k, n)).cycles == sum(parts.values())


@pytest.mark.parametrize(
    ("field", "halved", "more"),
    [
        ("synchronisation", 2e-6, 1000),
        ("dequantise", 2.0, 800 // 4),
        ("transfer_in", 4.0, 800 // 8),
        ("transfer_out", 8.0, 800 // 16),
        ("quantise", 1.0, 800 // 2),
        ("elements_per_cycle", {"default": 0.5}, 800),
    ],
)
def test_each_part_follows_its_field_alone(field: str, halved: Any, more: int) -> None:
    op = elementwise((800,), ("mish",))
    assert plan(op, **{field: halved}).cycles == plan(op).cycles + more


@given(st.integers(1, 3000), st.integers(8, 20_000))
def test_the_parts_around_the_work_do_not_depend_on_the_buffer(elements: int, buffer: int) -> None:
    op = elementwise((elements,), ("mish",))
    ends = CALL + -(-elements // 4) + -(-elements // 8) + -(-elements // 16) + -(-elements // 2)
    found = plan(op, Budget(buffer, 1e12, 1e12))
    assert ends + elements <= found.cycles <= ends + elements + found.tiles


def test_operands_in_its_own_format_are_not_converted() -> None:
    own = plan(elementwise((800,), ("mish",), dtype="fp32"))
    assert actions(own)["", "conversion"] == 0
    assert own.cycles == CALL + 3200 // 8 + 800 + 3200 // 16


def test_the_format_that_it_computes_in_is_a_field() -> None:
    op = matmul(4, 16, 8)
    assert actions(plan(op, compute_dtype="int8"))["", "conversion"] == 0
    assert actions(plan(op))["", "conversion"] == 4 * 16 + 16 * 8 + 4 * 8
    assert actions(plan(matmul(4, 16, 8, dtype="bf16")))["", "conversion"] == 224


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint32", "bool", "fp32"])
def test_flags_and_wide_integers_are_worked_on_as_they_are(dtype: str) -> None:
    assert actions(plan(elementwise((64,), ("add",), dtype=dtype)))["", "conversion"] == 0


@pytest.mark.parametrize("dtype", ["int4", "int8", "uint8", "int16", "fp16", "bf16", "fp8"])
def test_narrow_numbers_are_converted_there_and_back(dtype: str) -> None:
    assert actions(plan(elementwise((64,), ("add",), dtype=dtype)))["", "conversion"] == 128


@pytest.mark.parametrize(
    "op", [gather(100, 10, 32), move((64,)), elementwise((64,), ("cast",))], ids=lambda op: op.name
)
def test_what_only_carries_numbers_converts_none(op: Op) -> None:
    assert actions(plan(op))["", "conversion"] == 0


def test_an_operand_that_is_read_twice_is_taken_over_once() -> None:
    x, y = whole("x", (64,)), whole("y", (64,))
    square = Op("square", "elementwise", (x, x), (y,), functions=("mul",))
    found = actions(plan(square))
    assert found["", "conversion"] == 128
    assert found["", "transfer"] == 128


def test_what_lies_in_its_buffer_is_not_transferred_but_still_converted() -> None:
    op = matmul(4, 96, 80)
    resident = plan(op, Budget(1 << 20, 1e12, 1e12, resident=(True, True, True)))
    away = 4 * 96 + 96 * 80
    assert plan(op).cycles - resident.cycles == away // 8 + 4 * 80 // 16
    assert actions(resident)["", "transfer"] == 0
    assert actions(resident)["", "conversion"] == away + 4 * 80


def test_a_function_has_its_own_rate_or_that_of_its_kind_or_the_default() -> None:
    def compute(name: str) -> int:
        own = {"default": 1.0, "elementwise": 2.0, "tanh": 0.5}
        return plan(elementwise((64,), (name,), dtype="fp32"), elements_per_cycle=own).cycles

    assert compute("tanh") - compute("relu") == 128 - 32
    only = plan(softmax(4, 16, dtype="fp32"), elements_per_cycle={"default": 0.5}).cycles
    assert only == CALL + 256 // 8 + 128 + 256 // 16


def test_a_sort_takes_a_logarithm_of_the_row_more() -> None:
    x, y = whole("x", (4, 256)), whole("y", (4, 256))
    op = Op("t", "sort", (x,), (y,))
    assert plan(op).cycles == CALL + 1024 // 8 + 1024 * 8 * 4 + 1024 // 16


def test_energy_counts_macs_elements_conversions_transfers_and_every_cycle() -> None:
    found = plan(matmul(4, 96, 80, bias=True))
    counts = actions(found)
    assert counts["", "mac"] == 4 * 96 * 80
    assert counts["", "element"] == 320
    assert counts["", "conversion"] == counts["", "transfer"] == 384 + 7680 + 80 + 320
    assert counts["", "cycle"] == found.cycles
    priced = host(
        mac_energy=1e-12,
        element_energy=2e-12,
        conversion_energy=3e-12,
        transfer_energy=4e-12,
        cycle_energy=5e-12,
    ).energies_j()
    assert list(priced.values()) == [1e-12, 2e-12, 3e-12, 4e-12, 5e-12]
    assert set(priced) == {action for component, action in counts if not component}


@pytest.mark.parametrize("op", every_operator(), ids=lambda op: op.name)
def test_nothing_is_free(op: Op) -> None:
    found = plan(op)
    charged = sum(
        host().energy_j(name, n) for (part, name), n in actions(found).items() if not part
    )
    assert found.cycles > CALL
    assert charged > 0


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"attention", "contraction"}))
@pytest.mark.parametrize("function", [(), ("a function that nobody knows",)])
def test_it_takes_every_kind_and_every_function(kind: str, function: tuple[str, ...]) -> None:
    op = Op("x", kind, (whole("x", (4, 8)),), (whole("y", (4, 8)),), functions=function)
    assert host().supports(op) is None
    assert plan(op).cycles > CALL


@pytest.mark.parametrize("dtype", ["int4", "fp8", "fp4[16x8]", "fp64"])
def test_it_takes_every_format(dtype: str) -> None:
    assert host().supports(matmul(4, 32, 16, dtype=dtype)) is None
    assert plan(matmul(4, 32, 16, dtype=dtype)).cycles > CALL


def test_it_takes_an_attention_in_parts() -> None:
    whole_one = attention()
    assert host().supports(whole_one) == "takes no attention whole, but its parts"
    assert [host().supports(part) for part in attention_parts(whole_one)] == [None] * 3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"macs_per_cycle": {"linear": 8}}, r"cpu.macs_per_cycle must have an entry 'default'"),
        ({"elements_per_cycle": {}}, r"cpu.elements_per_cycle must have an entry 'default'"),
        ({"bytes_per_cycle": {}}, r"cpu.bytes_per_cycle must have an entry 'default'"),
        (
            {"macs_per_cycle": {"default": 8, "linaer": 8}},
            r"macs_per_cycle\['linaer'\]: no such work; did you mean 'linear'",
        ),
        ({"compute_dtype": "float"}, r"cpu.compute_dtype: unknown dtype 'float'"),
    ],
    ids=str,
)
def test_a_table_without_a_default_or_with_unknown_work_is_refused(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(HardwareError, match=message):
        host(**fields).check()


def test_the_defaults_are_in_order_and_count_as_assumed(machine: Hardware) -> None:
    host().check()
    rows = [row for row in machine.provenance if row.component == "cpu"]
    tables = {
        "macs_per_cycle": MACS,
        "elements_per_cycle": ELEMENTS,
        "bytes_per_cycle": BYTES,
    }
    told = {row.field: row for row in rows if row.source == "default of kind cpu"}
    for table, entries in tables.items():
        for key in entries:
            assert told[f"{table}.{key}"].status == "assumed"
    assert {"dequantise", "quantise", "synchronisation", "transfer_in", "transfer_out"} <= set(told)


CPU = """
  cpu: {kind: cpu, buffer: cache}
  cache: {kind: sram, size: 512 KiB, node: 22 nm}
  host: {kind: link, connects: [dram, cache], bandwidth: 8 GB/s}
"""


@pytest.fixture
def machine(tmp_path: Path) -> Hardware:
    """The preset edge-npu with a CPU that has a cache of its own."""
    (preset,) = [entry.path for entry in list_hardware() if entry.name == "edge-npu"]
    text = preset.read_text().replace("name: edge-npu", "name: with-cpu")
    path = tmp_path / "with-cpu.yaml"
    path.write_text(text.rstrip() + CPU)
    return load_hardware(path)


def engines(machine: Hardware, ops: Sequence[Op]) -> list[str]:
    """Where each of some operators goes, each placed alone."""
    found = []
    for op in ops:
        trace = Trace(op.name, (op,), tuple({a.tensor: None for a in op.operands}))
        found += [item.engine for item, _ in place(trace, machine).assignments()]
    return found


@pytest.mark.parametrize("op", every_operator(), ids=lambda op: op.name)
def test_what_an_accelerator_takes_stays_there(op: Op, machine: Hardware) -> None:
    assert engines(machine, [op]) == ["npu" if op.kind == "contraction" else "vector"]


def test_what_no_accelerator_takes_comes_here(machine: Hardware) -> None:
    foreign = [
        matmul(8, 32, 16, dtype="fp16"),
        elementwise((64,), ("airy",)),
        reduce(8, 16, "bessel"),
    ]
    assert engines(machine, foreign) == ["cpu"] * 3
    for op in foreign:
        trace = Trace(op.name, (op,), tuple(access.tensor for access in op.operands))
        with pytest.raises(MappingError, match="no engine of edge-npu takes"):
            place(trace, load_hardware("edge-npu"))


def test_the_parts_of_an_attention_stay_with_the_accelerators(machine: Hardware) -> None:
    assert engines(machine, [attention()]) == ["npu", "vector", "npu"]
    assert engines(machine, [attention("fp16")]) == ["cpu", "vector", "cpu"]


def test_it_wins_where_it_is_faster(machine: Hardware) -> None:
    fast = machine.with_all(
        {
            "cpu.synchronisation": 0,
            "cpu.elements_per_cycle.default": 1e6,
            "cpu.compute_dtype": "int8",
            "cpu.transfer_in": 1e6,
            "cpu.transfer_out": 1e6,
            "host.setup": 0,
        }
    )
    op = elementwise((24, 512), ("mish",))
    assert engines(machine, [op]) == ["vector"]
    assert engines(fast, [op]) == ["cpu"]


def test_a_run_on_it_waits_for_all_of_its_parts(machine: Hardware) -> None:
    op = elementwise((800,), ("airy",))
    trace = Trace("alone", (op,), tuple(access.tensor for access in op.operands))
    result = codesign.simulate(trace, machine)
    cpu = machine.engine("cpu")
    cycles = cpu.plan(op, Budget(1 << 18, 8e9, 8e9)).cycles
    assert cycles == 30_000 + 200 + 200 + 800 + 200 + 400
    link_s = 2 * (800 / 6.399e9 + 32e-9)
    assert result.latency_s >= cycles_to_ticks(cycles, 1.5e9) / 1e12
    assert result.latency_s == pytest.approx(cycles / 1.5e9 + link_s, rel=0.02)
    assert result.energy_by_component_j["cpu"] > 0


def test_a_second_operator_pays_for_itself() -> None:
    op = elementwise((800,), ("mish",))
    named = replace(op, name="other")
    assert plan(op).cycles == plan(named).cycles > 2 * CALL
