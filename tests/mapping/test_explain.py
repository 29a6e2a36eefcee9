"""Explanations: every figure adds up to the plan's, and to what a simulation charges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
from codesign_plugins.systolic import Systolic
from codesign_plugins.vector import Vector
from toy_machine import machine, priced

from codesign import Hardware, Trace, load_hardware, simulate
from codesign.errors import MappingError
from codesign.hardware.component import Engine
from codesign.mapping.assign.ask import Engines
from codesign.mapping.explain import Explanation
from codesign.mapping.explain_operator import explain_operator
from codesign.mapping.fixed_file import read_mappings
from codesign.mapping.paths import Paths
from codesign.simulation import explain
from codesign.testing import convolution, elementwise, matmul, softmax
from codesign.testing.operators import whole
from codesign.workload.record import Item, Op, Region, Tensor

CONV = replace(convolution(8, 16, 12, 3, padding=1), name="conv1")
PRODUCT = replace(matmul(48, 64, 40, bias=True), name="linear")
ADD = replace(elementwise((8, 100), ("add",), inputs=2), name="add")
SOFT = replace(softmax(16, 32), name="soft")
PRESETS = ("edge-npu", "tpu-like", "meta-prototype-like", "edge-tpu-like", "hifi4-dsp")


def trace_of(*items: Item) -> Trace:
    tensors: dict[str, Tensor] = {}
    for op, _ in Trace("t", items, ()).ops():
        tensors |= {access.tensor.name: access.tensor for access in op.operands}
    return Trace("t", items, tuple(tensors.values()))


def toy(*engines: Any, **changes: Any) -> Hardware:
    npu = Systolic(name="npu", buffer="sram", rows=8, cols=8)
    return machine(*(engines or (npu, Vector(name="lanes", buffer="sram"))), **changes)


def explained(op: Op, hardware: Hardware | str = "edge-npu", **options: Any) -> Explanation:
    residency = options.pop("residency", "none")
    machine_ = load_hardware(hardware) if isinstance(hardware, str) else hardware
    (found,) = explain_operator(trace_of(op), machine_, op.name, residency, **options)
    return found


CASES = [(op, preset) for preset in PRESETS for op in (CONV, PRODUCT, ADD, SOFT)]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0].name} on {case[1]}")
def case(request: pytest.FixtureRequest) -> Explanation:
    op, preset = request.param
    try:
        return explained(op, preset)
    except MappingError as error:
        if "no engine of" in str(error):
            pytest.skip("no engine takes it")
        raise


def test_operands_move_the_bytes_of_the_plan(case: Explanation) -> None:
    moved = {n: x.moved for n, x in enumerate(case.operands) if x.moved}
    assert moved == {
        n: size for n, size in {**case.plan.loaded, **case.plan.stored}.items() if size
    }
    for operand in case.operands:
        assert operand.chunk * operand.times >= operand.moved
        assert operand.chunk <= operand.moved
        assert operand.moved == 0 or operand.times


def test_memories_are_taken_as_the_plan_says(case: Explanation) -> None:
    buffer, *rooms = case.taken
    assert buffer.bytes == case.plan.buffer_bytes <= buffer.granted
    assert [room.memory for room in rooms] == [room.memory for room in case.plan.rooms]
    assert all(room.bytes <= room.granted for room in rooms)


def test_cycles_by_cause_add_up_to_those_of_the_plan(case: Explanation) -> None:
    assert sum(cycles for _, cycles in case.cycles) == pytest.approx(case.plan.cycles)
    assert all(cycles >= 0 for _, cycles in case.cycles)


def test_no_resource_is_busy_longer_than_the_operator_takes(case: Explanation) -> None:
    assert case.limits[case.bound] == max(case.limits.values())
    transfers = {name: busy for name, busy in case.limits.items() if not name.startswith("port")}
    assert max(transfers.values()) == pytest.approx(case.seconds)


def test_every_action_has_its_component_and_its_price(case: Explanation) -> None:
    for action in case.actions:
        part = case.hardware.components[action.component]
        assert action.kind == part.kind
        assert action.energy_j == part.energy_j(action.action, action.count)
    assert case.energy_j == pytest.approx(sum(a.energy_j for a in case.actions))
    assert len({(a.component, a.action) for a in case.actions}) == len(case.actions)


@pytest.mark.parametrize("op", [CONV, PRODUCT, ADD, SOFT], ids=lambda op: str(op.name))
@pytest.mark.parametrize("preset", ["edge-npu", "tpu-like"])
def test_the_energy_is_what_a_simulation_charges(op: Op, preset: str) -> None:
    try:
        found = explained(op, preset)
    except MappingError:
        pytest.skip("no engine takes it")
    result = simulate(trace_of(op), preset, residency="none")
    assert found.energy_j == pytest.approx(result.energy_split.dynamic_j, rel=1e-6)
    charged = {
        name: joules
        for name, joules in result.energy_by_component_j.items()
        if name not in result.energy_split.leakage_by_component_j
    }
    mine: dict[str, float] = {}
    for action in found.actions:
        mine[action.component] = mine.get(action.component, 0.0) + action.energy_j
    for name, joules in charged.items():
        assert mine.get(name, 0.0) == pytest.approx(joules, rel=1e-6)


def test_a_region_runs_its_operators_in_every_step() -> None:
    (found,) = explain_operator(
        trace_of(Region("loop", 7, (PRODUCT,))), toy(buffer=1 << 16), "linear"
    )
    assert found.times == 7
    # the region keeps the weight, so that it lies in the buffer already
    weight = found.operands[1]
    assert (weight.home, weight.times, weight.moved) == ("sram", 0, 0)


def test_residency_decides_where_operands_are() -> None:
    away = explained(PRODUCT, toy(buffer=1 << 16))
    assert [operand.home for operand in away.operands] == ["dram"] * 4
    assert [operand.stage for operand in away.operands] == ["sram"] * 4


def test_an_operator_whose_name_is_wrong_gets_the_nearest() -> None:
    trace = trace_of(CONV, PRODUCT)
    with pytest.raises(MappingError, match="t has no operator 'linears'; did you mean 'linear'"):
        explain_operator(trace, toy(buffer=1 << 16), "linears")


def test_an_operator_that_no_engine_takes_lists_the_reason_of_each() -> None:
    parts = machine(priced("cpu", softmax=5), priced("dsp", elementwise=5))
    with pytest.raises(MappingError) as caught:
        explain_operator(trace_of(ADD, CONV), parts, "conv1")
    text = str(caught.value)
    assert text.startswith(
        "no engine of toy takes 'conv1': cpu: has no price for contraction; dsp: "
    )
    assert "\n" not in text


def test_an_attention_is_explained_in_its_parts() -> None:
    shapes = {"q": (1, 2, 4, 8), "k": (1, 2, 6, 8), "v": (1, 2, 6, 8)}
    inputs = tuple(whole(name, shape, "input") for name, shape in shapes.items())
    op = Op("attn", "attention", inputs, (whole("y", (1, 2, 4, 8), "output"),))
    trace, parts = trace_of(op), toy(buffer=1 << 16)
    found = explain_operator(trace, parts, "attn", "none")
    assert [one.op.name for one in found] == ["attn.qk", "attn.softmax", "attn.pv"]
    assert [one.engine.name for one in found] == ["npu", "lanes", "npu"]
    (alone,) = explain_operator(trace, parts, "attn.softmax", "none")
    assert alone.op == found[1].op
    with pytest.raises(MappingError, match=r"did you mean 'attn.qk'"):
        explain_operator(trace, parts, "attn.qq", "none")


def test_an_operator_on_several_engines_is_explained_piece_by_piece() -> None:
    twins = [Systolic(name=name, buffer="sram", rows=8, cols=8) for name in ("one", "two")]
    op = replace(matmul(512, 512, 96), name="wide")
    engines = Engines(split=True)
    found = explain_operator(trace_of(op), toy(*twins, buffer=1 << 16), "wide", "none", engines)
    assert {one.engine.name for one in found} == {"one", "two"}
    assert all(one.op.name.startswith("wide[") for one in found)
    assert sum(one.op.macs for one in found) == op.macs


def test_an_engine_that_is_a_process_has_nothing_to_explain() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Live(Engine):
        kind: ClassVar[str] = "live"
        process: ClassVar[Any] = staticmethod(lambda env, op, ports: iter(()))

        def supports(self, op: Op) -> str | None:
            return None

    with pytest.raises(MappingError, match="linear runs on live, which is a process"):
        explain_operator(trace_of(PRODUCT), toy(Live(name="live", buffer="sram")), "linear", "none")


def test_a_fixed_mapping_is_explained_with_the_best_one_found() -> None:
    entries = read_mappings({"linear": {"tile": {"m": 8, "n": 8}, "hold": []}})
    fixed = explained(PRODUCT, toy(buffer=1 << 16), mappings=entries)
    free = explained(PRODUCT, toy(buffer=1 << 16))
    assert free.compared is None
    assert fixed.compared is not None
    assert fixed.compared.best is not None
    assert fixed.compared.best.plan == free.plan
    assert fixed.compared.seconds == pytest.approx(fixed.seconds)
    assert fixed.compared.best_s == pytest.approx(free.seconds)


def test_the_budget_is_that_of_the_paths() -> None:
    found = explained(PRODUCT, toy(buffer=1 << 16))
    paths = Paths(found.hardware)
    assert found.budget.load_bytes_per_s == paths.budget(found.engine, {}).load_bytes_per_s
    assert found.one.budget_bytes == 1 << 16  # the lanes run nothing


def test_the_public_function_takes_what_simulate_takes() -> None:
    trace = trace_of(CONV, ADD)
    (found,) = explain(
        trace,
        "edge-npu",
        "conv1",
        settings={"npu.rows": 16},
        residency="none",
        mapping={"conv1": {"tile": {"co": 8}}},
        dtype="int8",
    )
    assert found.compared is not None
    rows = [loop.count for loop in found.nest if loop.level == "rows"]
    assert rows
    assert max(rows) <= 16
    with pytest.raises(MappingError, match="no operator 'conv2'; did you mean 'conv1'"):
        explain(trace, "edge-npu", "conv2")
