"""Where the family ``vela`` puts images and weights, and what then crosses which memory."""

from __future__ import annotations

import dataclasses
import itertools
from functools import cache

import pytest
from codesign_plugins import validate_vela as family
from codesign_plugins.validate_vela import networks
from codesign_plugins.validate_vela.networks import NETWORKS, Step, trace_of
from codesign_plugins.validate_vela.runs import Run

from codesign.result.result import Result

MODES = {"u55-128": "Shared_Sram", "u55-256": "Sram_Only", "u65-256": "Dedicated_Sram"}


def run_of(model: str, accelerator: str, mode: str = "", **changes: object) -> Run:
    run = Run(
        model=model,
        accelerator=accelerator,
        mode=mode or MODES[accelerator],
        cycles={step.name: 1 for step in NETWORKS[model]},
        off_chip={step.name: 0 for step in NETWORKS[model]},
        padding=0,
        total=1,
        fused=0,
    )
    return dataclasses.replace(run, **changes)


@cache
def result_of(model: str, accelerator: str, mode: str = "") -> Result:
    run = run_of(model, accelerator, mode)
    result: Result = family.simulated(run, family.machine(run))
    return result


def test_the_hardware_is_the_preset_of_the_family_with_another_configuration() -> None:
    for accelerator, home in (("u55-32", "flash"), ("u55-64", "flash"), ("u65-256", "dram")):
        machine = family.machine(run_of("fc_1x1024_1024", accelerator, "Shared_Sram"))
        assert getattr(machine.components["npu"], "configuration", "") == accelerator
        assert machine.home("npu").name == home
        assert machine.name == ("ethos-u55-256" if home == "flash" else "ethos-u65-512")


@pytest.mark.parametrize(("accelerator", "mode"), MODES.items())
def test_nothing_is_left_to_the_host(accelerator: str, mode: str) -> None:
    for model in ("ds_cnn_like_49x10x1", "add_56x56x64"):
        result = result_of(model, accelerator, mode)
        assert {one.engine for one, _ in result.placement.assignments()} == {"npu"}


def test_of_a_shared_sram_only_weights_cross_the_flash_in_a_run() -> None:
    result = result_of("ds_cnn_like_49x10x1", "u55-128")
    assert set(result.offchip_bytes) == {"state", "weight"}
    assert result.offchip_bytes["state"] == 49 * 10 + 25 * 5 * 64
    raw = sum(t.bytes for t in result.placement.trace.tensors if t.role == "weight")
    assert raw <= result.offchip_bytes["weight"] <= 3 * raw


def test_of_an_sram_only_system_nothing_crosses_the_flash_after_the_setup() -> None:
    result = result_of("ds_cnn_like_49x10x1", "u55-256")
    moved = [a for a, _ in result.placement.assignments() if not a.op.name.startswith("setup.")]
    assert len(moved) == 9
    assert all(not a.plan.loaded and not a.plan.stored for a in moved if a.plan)


def test_of_a_dedicated_sram_images_between_operators_stay_and_the_outside_does_not() -> None:
    result = result_of("ds_cnn_like_49x10x1", "u65-256")
    assert set(result.offchip_bytes) == {"input", "output", "weight"}
    # results leave 16 bytes at a time, of which each moves a burst of 128
    assert result.offchip_bytes["output"] == 8 * 25 * 5 * 64


def test_durations_add_up_to_the_run_without_the_setup() -> None:
    for accelerator in MODES:
        result = result_of("ds_cnn_like_49x10x1", accelerator)
        found = family.durations(result)
        spans = result.replay.spans
        setup = [span.end for span in spans if span.assignment.op.name.startswith("setup.")]
        assert list(found) == [step.name for step in NETWORKS["ds_cnn_like_49x10x1"]]
        assert sum(found.values()) == spans[-1].end - max([0, *setup])
        assert min(found.values()) > 0


def test_a_setup_counts_for_no_operator() -> None:
    result = result_of("fc_1x1024_1024", "u55-256")
    (ticks,) = family.durations(result).values()
    assert ticks < result.replay.makespan / 5


@pytest.mark.parametrize("model", ["fc_1x1024_1024", "conv1x1_56x56x64_256", "dw3x3_56x56x128"])
def test_weights_in_the_sram_are_never_slower_than_weights_in_flash(model: str) -> None:
    flash, sram = (
        sum(family.durations(result_of(model, "u55-256", mode)).values())
        for mode in ("Shared_Sram", "Sram_Only")
    )
    # weights held in the SRAM and read from there again are as those of Sram_Only
    assert sram <= 1.04 * flash


def test_a_larger_configuration_is_never_slower() -> None:
    for model in ("ds_cnn_like_49x10x1", "conv3x3_56x56x64_64"):
        times = [
            sum(family.durations(result_of(model, name, "Sram_Only")).values())
            for name in ("u55-32", "u55-64", "u55-128", "u55-256")
        ]
        assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "results", "padding"),
    [
        (224, 3, 2, 112, 0),
        (224, 7, 2, 112, 2),
        (56, 3, 1, 56, 1),
        (7, 1, 1, 7, 0),
        (49, 3, 2, 25, 1),
    ],
)
def test_padding_is_that_of_tensorflow(
    size: int, kernel: int, stride: int, results: int, padding: int
) -> None:
    step = Step("one", "conv", 4, 4, (size, size), kernel, stride)
    assert step.results == (results, results)
    assert networks._padding(step, 0) == networks._padding(step, 1) == padding


def test_operators_are_chained_by_their_images() -> None:
    trace = trace_of("mobilenet_v1_1.0_224_body", ("input", "output"))
    ops = [op for op, _ in trace.ops()]
    assert len(ops) == 27
    for before, after in itertools.pairwise(ops):
        assert before.outputs[0].tensor == after.inputs[0].tensor
    assert ops[0].inputs[0].tensor.role == "input"
    assert ops[-1].outputs[0].tensor.role == "output"


def test_a_run_of_another_generation_is_left_out_with_its_reason() -> None:
    run = run_of("fc_1x1024_1024", "u55-128", reason="other cells")
    (left,) = family.compare(run)
    assert (left.name, getattr(left, "reason", "")) == (run.name, "other cells")


@pytest.mark.parametrize(
    ("model", "mode", "read", "written"),
    [
        # images, and weights without their encoding, as the tool counts them (vela_summary.csv)
        ("conv1x1_56x56x64_256", "Shared_Sram", 802816 + 802816, 1605632),
        ("add_56x56x64", "Shared_Sram", 401408, 200704),
        ("fc_64x512_512", "Shared_Sram", 262144, 65536),
        ("fc_1x1024_1024", "Shared_Sram", 8192, 2048),
    ],
)
def test_bytes_at_the_port_of_the_sram_are_those_that_the_tool_counts(
    model: str, mode: str, read: int, written: int
) -> None:
    """Of a sum the tool counts twice the bytes: it reads linear images in short runs."""
    result = result_of(model, "u55-256", mode)
    ((plan, _),) = [
        (one.plan, n)
        for one, n in result.placement.assignments()
        if not one.op.name.startswith("setup.")
    ]
    assert plan is not None
    counted = {action: n for memory, action, n in plan.actions if memory == "buffer"}
    assert counted == {"read": read, "write": written}
