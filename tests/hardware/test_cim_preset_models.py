"""Whole models on the presets of compute-in-memory chips."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from cim_chips import CHIPS, header, macro_j, macros
from codesign_plugins.cim.nvm_alexnet import LAYERS, alexnet
from codesign_plugins.cim.nvm_mnsim import PARTS, spent
from torch import nn

from codesign import Residency, Result, Trace, simulate, trace
from codesign.errors import MappingError
from codesign.hardware.spec import load_hardware

PRINTED_J, PRINTED_ADC_SHARE, PRINTED_BUFFER_SHARE = 365.3e-6, 0.79, 0.204
"""MNSIM 2.0 (ca39ccb), own run, of the whole chip without its network."""


@pytest.fixture(scope="module")
def network() -> Trace:
    """A convolution, a depthwise and a pointwise one, pooling and a classifier."""
    layers = nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, 1, 1, groups=16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, 10),
    )
    return trace(layers.eval(), (torch.zeros(1, 3, 32, 32),))


def engines(result: Result) -> dict[str, str]:
    """The engine of every operator, by kind of the operator."""
    return {one.op.kind: one.engine for one, _ in result.placement.assignments()}


@pytest.mark.parametrize("preset", [*CHIPS, "h4h-edge"])
def test_a_small_network_runs_from_end_to_end(network: Trace, preset: str) -> None:
    result = simulate(network, preset)
    assert result.coverage == 1
    assert result.latency_s > 0
    assert result.macs == sum(times * op.macs for op, times in network.ops())
    assert result.energy_j == pytest.approx(sum(result.energy_by_component_j.values()), rel=1e-12)


@pytest.mark.parametrize("preset", CHIPS)
def test_its_products_run_in_the_cells_and_the_rest_on_the_lanes(
    network: Trace, preset: str
) -> None:
    result = simulate(network, preset)
    found = engines(result)
    assert found["contraction"] == "cim"
    assert {engine for kind, engine in found.items() if kind != "contraction"} <= {"vector"}


@pytest.mark.parametrize("preset", CHIPS)
def test_a_product_of_two_activations_has_a_place_where_cells_do_not_wear(preset: str) -> None:
    attention = trace(Scores(), (torch.zeros(1, 16, 32), torch.zeros(1, 32, 16)))
    if macros(load_hardware(preset)).cells.endurance is None:
        assert simulate(attention, preset).macs == 16 * 32 * 16
        return
    with pytest.raises(MappingError, match="writing one into the cells is off") as caught:
        simulate(attention, preset)
    assert "\n" not in str(caught.value)


class Scores(nn.Module):  # type: ignore[misc]
    """Queries times keys."""

    def forward(self, queries: Any, keys: Any) -> Any:
        """The scores."""
        return torch.bmm(queries, keys)


@pytest.fixture(scope="module")
def cifar() -> Result:
    """An AlexNet on the RRAM chip, the weights of which stay from run to run."""
    asked = Residency("greedy", across_runs=True)
    return simulate(alexnet(), "mnsim-like", dtype="native", residency=asked)


def test_all_weights_of_the_alexnet_are_written_before_the_first_run_and_stay(
    cifar: Result,
) -> None:
    weights = sum(tensor.bytes for tensor in alexnet().tensors if tensor.role == "weight")
    (loading,) = cifar.placement.setup
    assert loading.plan is not None
    assert sum(loading.plan.loaded.values()) == weights
    (wear,) = cifar.wear
    assert (wear.once_bytes, wear.written_bytes) == (weights, 0)
    run = [one.plan for one, _ in cifar.placement.assignments() if one is not loading]
    assert len(run) == len(LAYERS)
    assert all(plan is not None and 1 not in plan.loaded for plan in run)


def test_the_macros_take_the_energy_of_the_tool_within_a_tenth(cifar: Result) -> None:
    # without vector unit, scratchpad, bus, memory and the writing of the cells
    assert macro_j(cifar) == pytest.approx(PRINTED_J, rel=0.1)
    assert f"-8.8 % ({1e6 * macro_j(cifar):.0f} for 365 uJ)" in header("mnsim-like")


def test_converters_and_buffers_have_the_shares_of_the_tool_within_five_points(
    cifar: Result,
) -> None:
    whole = macro_j(cifar)
    adc = macro_j(cifar, ("adc",)) / whole
    buffers = macro_j(cifar, ("buffer read", "buffer write")) / whole
    assert adc == pytest.approx(PRINTED_ADC_SHARE, abs=0.05)
    assert buffers == pytest.approx(PRINTED_BUFFER_SHARE, abs=0.05)
    claim = f"converters {100 * adc:.1f} for 78.9 % and buffers {100 * buffers:.1f} for 20.4 %"
    assert claim in header("mnsim-like")


def test_a_run_takes_what_the_validation_adds_up_layer_by_layer(cifar: Result) -> None:
    array = macros(load_hardware("mnsim-like")).physics
    layers = [spent(array, place) for place in range(len(LAYERS))]
    for actions in PARTS.values():
        wanted = sum(layer.get(action, 0.0) for layer in layers for action in actions)
        assert macro_j(cifar, actions) == pytest.approx(wanted, rel=1e-6)


def test_an_alexnet_takes_fifty_one_of_the_macros() -> None:
    part = macros(load_hardware("mnsim-like"))
    tiles = [part.layout(op).count for op, _ in alexnet().ops() if op.kind == "contraction"]
    assert sum(tiles) == 51 <= part.macros == 64
    assert "which takes 51" in header("mnsim-like")


def test_reloading_in_every_run_costs_the_macros_no_more_than_writing(cifar: Result) -> None:
    again = simulate(alexnet(), "mnsim-like", dtype="native", residency="none")
    assert macro_j(again) == pytest.approx(macro_j(cifar), rel=1e-12)
    loads = [
        one.plan.loaded
        for one, _ in again.placement.assignments()
        if one.engine == "cim" and one.plan
    ]
    assert all(loaded[1] > 0 for loaded in loads)
    assert len(loads) == sum(layer.kind != "pool" for layer in LAYERS)
