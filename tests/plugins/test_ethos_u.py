"""The Ethos-U engine: what it takes, what it refuses and why, and the promises of every engine."""

from __future__ import annotations

import dataclasses
import re

import pytest
from codesign_plugins.ethos_u.core import CORES
from ethos_cases import (
    AMPLE,
    LARGE,
    NAMES,
    THERE,
    actions,
    batched,
    between,
    biased,
    core,
    plan,
    pooling,
    scores,
)

from codesign.errors import HardwareError, MappingError
from codesign.hardware.plan import Budget
from codesign.hardware.spec import load_hardware
from codesign.testing import (
    check_engine,
    convolution,
    elementwise,
    gather,
    matmul,
    move,
    normalize,
    softmax,
)
from codesign.testing.operators import reduce, whole
from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import Op


@pytest.mark.parametrize("configuration", NAMES)
def test_every_configuration_keeps_the_promises_of_an_engine(configuration: str) -> None:
    check_engine(core(configuration))
    layers = [biased(convolution(8, 24, 9, 3)), batched(convolution(24, 40, 14, 3), 3)]
    check_engine(core(configuration, record_latency=500), layers)


@pytest.mark.parametrize("configuration", NAMES)
def test_pooling_keeps_the_promises_of_an_engine(configuration: str) -> None:
    layers = [pooling(20, 12, 2, 2), pooling(7, 13, 3, 2, "mean"), pooling(1, 8, 8, 1, "sum")]
    check_engine(core(configuration), layers)


def test_the_number_in_a_name_is_the_multiply_accumulates_of_a_cycle() -> None:
    for name, found in CORES.items():
        assert found.macs == int(name.split("-")[1])


def test_a_configuration_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(HardwareError, match=r"configuration.*u55-512.*") as caught:
        load_hardware("ethos-u55-128").with_("npu.configuration", "u55-512")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "table", [{}, {"int4*int4": 1e-13}, {"int8*int8": 1e-13, "fp32*fp32": 1e-12}]
)
def test_energies_of_other_formats_than_int8_are_refused(table: dict[str, float]) -> None:
    engine = core(mac_energy=table)
    with pytest.raises(HardwareError, match=r"npu\.mac_energy must have the entry 'int8\*int8'"):
        engine.check()


def test_energies_of_int8_are_fine() -> None:
    core(mac_energy={"int8*int8": 1e-13}).check()


@pytest.mark.parametrize(
    ("op", "reason"),
    [
        (softmax(4, 8), "not softmax"),
        (normalize(4, 8), "not normalize"),
        (gather(10, 4, 8), "not gather"),
        (matmul(4, 8, 8, dtype="fp32"), r"multiplies int8\*int8, not fp32\*fp32"),
        (matmul(4, 8, 8, weight_dtype="int4"), r"multiplies int8\*int8, not int8\*int4"),
        (elementwise((4, 8), dtype="int16"), "works on integers of 8 bits, not int16"),
        (elementwise((4, 8), ("div",), inputs=2), "has no way to do div"),
        (elementwise((4, 8), ("add", "cumsum", "floor"), inputs=2), "to do cumsum, floor"),
        (scores(), "takes weights that are known before the run"),
        (reduce(4, 8, "prod"), "reduces by max, mean, sum over loops"),
        (reduce(4, 8, "argmax"), "reduces by max, mean, sum over loops"),
    ],
)
def test_what_it_does_not_take_is_refused_with_the_reason(op: Op, reason: str) -> None:
    answer = core().supports(op)
    assert answer is not None
    assert re.search(reason, answer)
    assert "\n" not in answer


def test_a_reduction_without_loops_is_refused() -> None:
    op = dataclasses.replace(reduce(4, 8, "sum"), nest=None)
    assert "loops of a nest" in str(core().supports(op))


def test_sums_over_three_windows_or_two_loops_of_channels_are_refused() -> None:
    plain = [Axis(((dim, 1),)) for dim in range(3)]
    nest = LoopNest(("n", "h", "d"), (8, 4, 6), ((plain[1], plain[2]), (*plain,), (plain[0],)))
    op = Op(
        "heads",
        "contraction",
        (whole("x", (4, 6), "input"), whole("w", (8, 4, 6), "weight")),
        (whole("y", (8,), "output"),),
        nest,
    )
    assert "one loop of channels at most" in str(core().supports(op))


@pytest.mark.parametrize(
    "op",
    [
        matmul(1, 64, 64),
        matmul(7, 13, 5, batch=3),
        convolution(3, 16, 20, 3, 2, 1),
        convolution(16, 16, 20, 3, groups=16),
        convolution(16, 32, 20, 3, groups=4),
        biased(convolution(8, 8, 9, 3), ("add", "tanh")),
        pooling(8, 9, 3, 2),
        elementwise((4, 8), ("mul", "relu"), inputs=2),
        elementwise((4, 8), ("gelu",)),
        move((70, 90)),
        move((70, 90), dtype="fp32"),
    ],
)
def test_what_it_takes_is_planned_and_stored_once(op: Op) -> None:
    assert core().supports(op) is None
    found = plan(op)
    assert found.cycles > 0
    assert found.stored[len(op.inputs)] == op.outputs[0].bytes


@pytest.mark.parametrize("configuration", NAMES)
def test_a_buffer_too_small_for_a_block_is_an_error_that_says_so(configuration: str) -> None:
    op = convolution(64, 64, 16, 3, padding=1)
    with pytest.raises(
        MappingError, match=r"no block of results fits .* 900 B of buffer"
    ) as caught:
        plan(op, configuration, Budget(900, 1e9, 1e9))
    assert "enlarge the buffer" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_figures_behind_the_configuration_have_their_origin() -> None:
    rows = core("u55-32").origins
    assert {row.field for row in rows} >= {"configuration.u55-32.microblock"}
    assert {row.status for row in rows} == {"published"}
    assert all("ethos-u-vela" in row.source for row in rows)
    assert load_hardware("ethos-u55-128").provenance[-1].component


@pytest.mark.parametrize(
    ("configuration", "functions", "per_element"),
    [
        ("u55-32", ("add",), 6),
        ("u55-64", ("add",), 3),
        ("u55-128", ("add",), 1.5),
        ("u55-256", ("add",), 0.75),
        ("u65-512", ("add",), 0.375),
        ("u55-256", ("mul",), 0.375),
        ("u55-256", ("relu",), 0.25),
        ("u55-256", ("tanh",), 1),
        ("u55-256", ("add", "relu"), 0.75),
        ("u55-256", ("mul", "tanh"), 1),
        ("u55-256", ("mul", "add"), 1.125),
        ("u55-256", ("cast",), 0.25),
    ],
)
def test_elementwise_work_takes_the_cycles_of_the_output_stage(
    configuration: str, functions: tuple[str, ...], per_element: float
) -> None:
    op = elementwise((64, 512), functions, inputs=2)
    found = plan(op, configuration)
    assert found.cycles == 64 * 512 * per_element
    assert actions(found)["", "function"] == 64 * 512 * len(functions)


def test_a_copy_takes_the_cycles_of_its_bytes() -> None:
    assert plan(move((64, 512))).cycles == 64 * 512 / 4
    assert plan(move((64, 512), dtype="fp32")).cycles == 64 * 512


def test_elementwise_work_is_never_faster_than_the_port_of_the_buffer() -> None:
    budget = Budget(1 << 24, 1e15, 1e15, port_bytes_per_s=5e8)
    assert plan(elementwise((64, 512), ("relu",)), budget=budget).cycles == 2 * 64 * 512


@pytest.mark.parametrize("configuration", LARGE)
def test_nothing_is_loaded_that_lies_in_the_buffer(configuration: str) -> None:
    for op in (biased(convolution(32, 32, 16, 3)), matmul(4, 64, 64), pooling(8, 9, 3, 2)):
        found = plan(op, configuration, THERE)
        assert found.loaded == found.stored == {}
        assert found.buffer_bytes == 0


def test_every_joule_has_a_price() -> None:
    found = plan(biased(convolution(32, 48, 16, 3)))
    engine = core()
    own = {action for component, action, _ in found.actions if not component}
    assert own == {"mac int8*int8", "function", "internal read", "internal write"}
    assert all(engine.energy_j(action, 1) > 0 for action in own)


def test_multiplications_and_functions_are_counted_once() -> None:
    op = biased(convolution(32, 48, 16, 3))
    found = actions(plan(op))
    assert found["", "mac int8*int8"] == op.macs
    assert found["", "function"] == 2 * op.outputs[0].elements
    pooled = pooling(8, 9, 3, 2)
    assert actions(plan(pooled))["", "function"] == pooled.loops.points


def test_the_note_says_how_large_blocks_are_and_where_weights_come_from() -> None:
    op = between(convolution(64, 64, 32, 3, padding=1))
    note = "blocks (h, w, c) = "
    assert plan(op, budget=THERE).note == note + "(8, 16, 16)"
    assert plan(op).note.endswith("weights streamed")
    slow = Budget(1 << 20, 5e8, 5e8, resident=(True, False, True))
    assert plan(op, budget=slow).note.endswith("weights held")
    assert "weights" not in plan(pooling(8, 9, 3, 2)).note


def test_plans_do_not_depend_on_names() -> None:
    op = convolution(8, 16, 12, 3)
    other = dataclasses.replace(op, name="another")
    assert plan(op, budget=AMPLE) == plan(other, budget=AMPLE)
