"""Energy is charged to commands and to time, in joules."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_devices import DEVICE, RAIL

from codesign.memory.counts import Counts
from codesign.memory.energy import Energy, energy
from codesign.memory.kernel import simulate
from codesign.memory.streams import stream

ZERO = Counts(**{field.name: 0 for field in fields(Counts)})


def count(**changes: int) -> Counts:
    return replace(ZERO, tck_ps=DEVICE.timings.tck_ps, **changes)


TOOL = replace(
    DEVICE,
    timings=replace(
        DEVICE.timings, tck_ps=630, trcd_read=22, trcd_write=22, trp=22, tras=52, trc=74, trfc=560
    ),
)
"""The DDR4 whose energies section 4.8 of the model's notes works out by hand."""


def test_an_activate_of_eight_ddr4_devices_is_4_23_nj() -> None:
    assert energy(TOOL, count(activates=1)).activate_j == pytest.approx(4.23e-9, rel=2e-3)


def test_a_read_of_64_bytes_is_2_81_nj() -> None:
    read = energy(TOOL, count(reads=1)).read_j
    assert read == pytest.approx(2.81e-9, rel=2e-3)
    assert read / (64 * 8) == pytest.approx(5.48e-12, rel=2e-3)


def test_a_refresh_is_0_67_uj_over_the_background() -> None:
    # with 8 devices, 1.2 V, 560 clocks of 0.63 ns and 198 mA
    assert energy(TOOL, count(refreshes=1)).refresh_j == pytest.approx(
        8 * 1.2 * 0.198 * 560 * 0.63e-9
    )


def test_background_is_power_times_time() -> None:
    second = round(1e12 / DEVICE.timings.tck_ps)
    spent = energy(DEVICE, count(active_clocks=second, precharged_clocks=2 * second))
    assert spent.active_j == pytest.approx(8 * 1.2 * RAIL.idd3n)
    assert spent.precharged_j == pytest.approx(2 * 8 * 1.2 * RAIL.idd2n)


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 40), st.integers(0, 1 << 40), st.integers(0, 9))
def test_energy_is_never_negative_and_the_total_is_the_sum(
    activates: int, reads: int, active_clocks: int, refreshes: int
) -> None:
    spent = energy(
        replace(DEVICE, io_j_per_bit=2e-12),
        count(activates=activates, reads=reads, active_clocks=active_clocks, refreshes=refreshes),
    )
    parts = [getattr(spent, field.name) for field in fields(Energy)]
    assert min(parts) >= 0
    assert spent.total_j == sum(parts)


def test_rails_add_up() -> None:
    both = replace(DEVICE, rails=(("vdd", RAIL), ("vpp", replace(RAIL, voltage=2.5))))
    ran = simulate(DEVICE, stream("seq_rd", 50, 64)).counts
    ratio = energy(both, ran).total_j / energy(DEVICE, ran).total_j
    assert ratio == pytest.approx(1 + 2.5 / 1.2)


def test_io_is_charged_by_the_bit_and_a_core_only_model_has_none() -> None:
    assert energy(DEVICE, count(reads=3, writes=2)).io_j == 0
    with_io = replace(DEVICE, io_j_per_bit=2e-12, rails=())
    assert energy(with_io, count(reads=3, writes=2)).total_j == pytest.approx(5 * 512 * 2e-12)


def test_a_bank_refresh_costs_its_own_current_and_time() -> None:
    t = DEVICE.timings
    assert energy(DEVICE, count(refreshes_bank=2)).refresh_j == pytest.approx(
        2 * 8 * 1.2 * (RAIL.idd5_bank - RAIL.idd3n) * t.trfc_bank * t.tck_ps * 1e-12
    )


def test_conflicts_cost_more_energy_than_hits() -> None:
    hits = simulate(DEVICE, stream("seq_rd", 300, 64)).counts
    wanted = stream("random_rd", 300, 64)
    wanted = replace(wanted, address=wanted.address % DEVICE.organisation.capacity_bytes)
    conflicts = simulate(DEVICE, wanted).counts
    assert energy(DEVICE, conflicts).total_j > energy(DEVICE, hits).total_j


@pytest.mark.parametrize("policy", ["open", "closed"])
def test_a_bank_that_closes_behind_the_last_answer_is_open_no_longer_than_the_run(
    policy: Literal["open", "closed"],
) -> None:
    controller = replace(DEVICE.controller, style="dramsim3", row_policy=policy)
    slow = replace(DEVICE.timings, tras=900, trc=950)
    device = replace(DEVICE, controller=controller, timings=slow)
    counts = simulate(device, stream("seq_rd", 1, 64)).counts
    assert 0 < counts.active_clocks <= counts.clocks < 900
    assert counts.precharged_clocks == counts.clocks - counts.active_clocks >= 0
