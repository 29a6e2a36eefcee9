"""The family ``hat``: operators of translation networks, the fit, and measured sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from codesign_plugins.gpu import hat as family
from codesign_plugins.gpu.hat_model import (
    FITTED,
    MACHINES,
    Fit,
    Machine,
    fitted,
    latency_s,
    spread_sample,
)
from codesign_plugins.gpu.hat_networks import (
    COLUMNS,
    FIELDS,
    TASKS,
    Networks,
    latency_sets,
)
from codesign_plugins.gpu.hat_operators import BEAM, Operators, joined_share, operators
from gpu_runs import PRESET, chain, of, run
from hypothesis import given
from hypothesis import strategies as st

from codesign import Hardware, load_hardware
from codesign.errors import ValidationError
from codesign.testing import check_validation, elementwise
from codesign.validation import parse_table

BASE = {
    "encoder_width": 640.0,
    "encoder_layers": 6.0,
    "encoder_hidden": 2048.0,
    "encoder_heads": 4.0,
    "width": 512.0,
    "layers": 3.0,
    "hidden": 1024.0,
    "heads": 4.0,
    "cross_heads": 8.0,
    "sources": 1.0,
}
XEON, TITAN = MACHINES["xeon"], MACHINES["titanxp"]


def networks(count: int = 1, task: str = "wmt14ende", **changed: float) -> Networks:
    """That many networks of one configuration."""
    figures = BASE | changed
    return Networks(TASKS[task], **{name: np.full(count, figures[name]) for name in FIELDS})


def various(count: int, seed: int) -> Networks:
    """Networks drawn from the published space, each with equal layers."""
    draw = np.random.default_rng(seed)
    choices = {
        "encoder_width": (512, 640),
        "encoder_hidden": (512, 1024, 2048, 3072),
        "width": (512, 640),
        "layers": (1, 2, 3, 4, 5, 6),
        "hidden": (512, 1024, 2048, 3072),
        "heads": (2, 4, 8),
        "cross_heads": (2, 4, 8),
        "sources": (1, 2, 3),
    }
    figures = {name: np.full(count, BASE[name]) for name in FIELDS}
    drawn = {name: draw.choice(np.array(some, float), count) for name, some in choices.items()}
    return Networks(TASKS["wmt14ende"], **(figures | drawn))


def total(found: Networks, what: str = "calls") -> float:
    made = operators(found)
    weights = np.ones_like(made.calls) if what == "calls" else made.moved_bytes
    return float((made.calls * weights).sum(axis=0)[0])


def test_a_decoder_layer_is_35_operators_a_step_and_its_keys_and_values_4_once() -> None:
    per_layer = total(networks(layers=4.0)) - total(networks(layers=3.0))
    assert per_layer == 30 * 35 + 4


def test_an_encoder_layer_is_26_operators() -> None:
    assert total(networks(encoder_layers=5.0)) - total(networks(encoder_layers=4.0)) == 26


def test_the_vocabulary_is_read_at_every_step() -> None:
    wide, thin = (total(networks(width=w, layers=1.0), "bytes") for w in (640.0, 512.0))
    assert wide - thin > 30 * 128 * 4 * TASKS["wmt14ende"].vocabulary
    assert operators(networks()).runs.tolist() == [31]
    assert operators(networks(task="iwslt14deen")).runs.tolist() == [24]


def test_bytes_of_the_largest_product_are_its_operands_once() -> None:
    made = operators(networks())
    rows, inner, columns = BEAM, 512, 32768
    assert made.moved_bytes.max() == 4 * (rows * inner + inner * columns + rows * columns)


def test_several_sources_cost_a_copy_in_every_layer_and_step() -> None:
    one, two, three = (networks(layers=1.0, sources=float(n)) for n in (1, 2, 3))
    assert total(two) - total(one) == 30
    assert total(three) == total(two)
    assert total(three, "bytes") > total(two, "bytes") > total(one, "bytes")


@pytest.mark.parametrize(
    ("layers", "sources", "share"),
    [(1, 1, 0.0), (1, 2, 1.0), (1, 3, 1.0), (2, 1.5, 0.5), (2, 2, 2 / 3), (6, 1, 0.0), (6, 3, 1.0)],
)
def test_the_share_of_layers_with_several_sources_is_the_expected_one(
    layers: float, sources: float, share: float
) -> None:
    found = joined_share(np.array([layers]), np.array([sources]))
    assert found == pytest.approx([share])


def test_many_networks_at_once_are_each_as_alone() -> None:
    some = various(20, seed=3)
    together = latency_s(TITAN, Fit(3e-5, 0.5, 1e-4), operators(some))
    alone = [
        latency_s(TITAN, Fit(3e-5, 0.5, 1e-4), operators(some.take(np.array([n]))))[0]
        for n in range(20)
    ]
    assert together == pytest.approx(alone, rel=1e-12)


def test_a_network_of_launches_alone_takes_its_launches() -> None:
    endless = Fit(launch_s=1.0, memory=1.0, run_s=0.0)
    found = operators(networks())
    assert latency_s(TITAN, endless, found) == pytest.approx(found.calls.sum(axis=0))


def test_a_network_of_bytes_alone_takes_its_bytes() -> None:
    found = operators(networks())
    moved = (found.calls * found.moved_bytes).sum(axis=0)
    for machine in (XEON, TITAN):
        ours = latency_s(machine, Fit(0.0, 0.5, 0.0), found)
        assert ours == pytest.approx(moved / (0.5 * machine.device.bandwidth))


@given(launch=st.floats(0, 1e-3), memory=st.floats(0.02, 1), run=st.floats(0, 1e-2))
def test_a_queue_hides_the_shorter_of_launch_and_bytes(
    launch: float, memory: float, run: float
) -> None:
    found, fit = operators(networks()), Fit(launch, memory, run)
    ahead = latency_s(TITAN, fit, found)
    serial = latency_s(replace(TITAN, protocol="host"), fit, found)
    assert ahead <= serial * (1 + 1e-12)
    assert 2 * ahead >= serial * (1 - 1e-12)


@pytest.mark.parametrize("protocol", ["host", "queue"])
@pytest.mark.parametrize("launch_us", [2.0, 20.0, 200.0])
def test_launches_and_bytes_are_put_together_as_the_kind_gpu_does(
    protocol: Literal["host", "queue"], launch_us: float
) -> None:
    """The closed form here and the replay of an engine, for operators that move bytes alone."""
    sizes = [16, 1 << 20, 1 << 24, 5 << 20, 1 << 22]
    ops = chain([elementwise((size,), dtype="fp16") for size in sizes])
    machine = engine_of(protocol, launch_us * 1e-6)
    device = replace(TITAN.device, bandwidth=2039e9)
    ours = latency_s(
        Machine(device, protocol, 1.0),
        Fit(launch_us * 1e-6, 0.5, 0.0),
        Operators(np.ones((5, 1)), np.array([[4.0 * size] for size in sizes]), np.zeros(1)),
    )
    # the engine counts the launch that nothing hides, which is part of the cost of a run here
    last = 4.0 * sizes[-1] / (0.5 * 2039e9)
    unhidden = min(launch_us * 1e-6, last) if protocol == "queue" else 0.0
    assert run(machine, *ops).latency_s == pytest.approx(float(ours[0]) + unhidden, rel=0.01)


def engine_of(protocol: str, launch_s: float) -> Hardware:
    """A device whose kernels take their bytes at half of the bandwidth, and nothing else."""
    machine = load_hardware(PRESET).with_all(
        {
            "gpu.protocol": protocol,
            "gpu.launch_overhead": launch_s,
            "gpu.t0": 0.0,
            "gpu.memory_efficiency": 0.5,
            "gpu.kind_efficiency": {},
        }
    )
    assert of(machine).protocol == protocol
    return machine


def test_no_product_is_longer_at_the_peak_than_its_bytes_at_the_fitted_share() -> None:
    """That is why a share of the peak is no constant here."""
    for machine in MACHINES.values():
        device = machine.device
        peak = device.units * device.clock_hz * device.macs
        # the most MACs for a byte: 30 rows over weights of 4 bytes
        assert 30 / peak < 4 / device.bandwidth / 0.08


@pytest.mark.parametrize("name", MACHINES)
def test_the_fit_finds_the_constants_that_made_the_latencies(name: str) -> None:
    machine, some = MACHINES[name], various(FITTED, seed=1)
    made = Fit(machine.slowest / 8, machine.memory or 0.3, machine.slowest * 2)
    latency = latency_s(machine, made, operators(some))
    found = fitted(machine, operators(some), latency)
    ours = latency_s(machine, found, operators(some))
    assert np.abs(ours / latency - 1).mean() < 2e-3
    assert found.launch_s == pytest.approx(made.launch_s, rel=0.02)
    assert found.memory == pytest.approx(made.memory, rel=0.05)


def test_a_share_that_is_given_is_not_fitted() -> None:
    some = various(FITTED, seed=1)
    latency = latency_s(TITAN, Fit(4e-5, 0.3, 1e-4), operators(some))
    assert fitted(TITAN, operators(some), latency).memory == TITAN.memory


@given(count=st.integers(FITTED, 3000), seed=st.integers(0, 99))
def test_a_sample_takes_one_network_of_each_stretch_of_time(count: int, seed: int) -> None:
    drawn = spread_sample(count, seed)
    assert len(set(drawn.tolist())) == FITTED
    assert np.all(np.diff(drawn) > 0)
    assert 0 <= drawn[0] < count / FITTED
    assert count - count / FITTED - 1 <= drawn[-1] < count


def test_without_the_files_there_is_nothing_to_compare() -> None:
    assert family.rows(None) == ()
    assert check_validation(family.codesign_validations()["hat"]) == ()


ROW = ",".join(["wmt14ende", "xeon", *(f"{BASE[name]}" for name in FIELDS), "10", "200"])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (ROW.replace("wmt14ende", "wmt99"), "task must be wmt14ende or iwslt14deen, got 'wmt99'"),
        (ROW.replace("2048.0", "0"), "encoder_ffn_embed_dim_avg must be above 0, got '0'"),
        (ROW.replace(",10,", ",x,"), "latency_mean_encoder_ms must be a finite number, got 'x'"),
    ],
)
def test_a_wrong_figure_is_one_line_with_its_place(row: str, message: str) -> None:
    table = parse_table(f"{','.join(COLUMNS)}\n{ROW}\n{row}\n", COLUMNS, "t.csv")
    with pytest.raises(ValidationError, match=f"t.csv:3: {message}"):
        latency_sets(table)


def test_a_device_without_a_data_sheet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hat").mkdir()
    text = f"{','.join(COLUMNS)}\n{ROW.replace('xeon', 'xenon')}\n"
    (tmp_path / family.FILES[0]).write_text(text)
    with pytest.raises(ValidationError, match="device must be raspberrypi or xeon or titanxp"):
        family.rows(tmp_path)


def test_latencies_of_encoder_and_decoder_are_added() -> None:
    (one,) = latency_sets(parse_table(f"{','.join(COLUMNS)}\n{ROW}\n", COLUMNS, "t"))
    assert (one.name, one.latency_s.tolist()) == ("wmt14ende on xeon", [0.21])


def test_tasks_side_by_side_are_each_as_alone() -> None:
    parts = [operators(networks(3)), operators(networks(2, task="iwslt14deen"))]
    fit = Fit(3e-5, 0.5, 1e-4)
    together = latency_s(TITAN, fit, Operators.joined(parts))
    assert together.tolist() == [t for one in parts for t in latency_s(TITAN, fit, one).tolist()]
