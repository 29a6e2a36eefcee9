"""Every timing gate holds, and none is longer than it must be."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from memory_devices import DEVICE, QUIET, variants
from trace_checker import (
    check_bus,
    check_data_clock,
    check_halves,
    check_refreshes,
    check_rows,
    commands,
    rules,
    slacks,
)

from codesign.memory import commands as c
from codesign.memory.device import Device
from codesign.memory.gates import gates
from codesign.memory.kernel import simulate
from codesign.memory.streams import Stream, stream

VARIANTS = variants()
SEEDS = range(3)


def mixed(device: Device, seed: int, requests: int = 400) -> Stream:
    """Bursts of hits, conflicts, reads and writes over few banks, partly with pauses."""
    random = np.random.default_rng(seed)
    size = device.organisation.transaction_bytes
    slots = device.organisation.capacity_bytes // size
    bits = slots.bit_length() - 1
    banks = random.integers(0, 1 << 10, requests)
    rows = random.integers(0, 3, requests) << (bits - 3)
    write = np.repeat(random.random(requests // 8) < 0.4, 8)
    pauses = np.where(random.random(requests) < 0.1, random.integers(0, 60, requests), 0)
    return Stream((rows | banks) * size, write, np.cumsum(pauses))


def runs(device: Device) -> list[tuple[Device, np.ndarray]]:
    """Logs of a device on several random streams, with frequent refreshes."""
    device = replace(device, timings=replace(device.timings, trefi=1100))
    return [(device, simulate(device, mixed(device, seed), log=True).log) for seed in SEEDS]


@pytest.fixture(scope="module")
def logs() -> dict[str, list[tuple[Device, np.ndarray]]]:
    return {name: runs(device) for name, device in VARIANTS.items()}


@pytest.mark.parametrize("name", VARIANTS)
def test_no_command_comes_before_a_gate_allows_it(
    logs: dict[str, list[tuple[Device, np.ndarray]]], name: str
) -> None:
    checked = 0
    for device, log in logs[name]:
        for found in slacks(device, log):
            for slack in found:
                assert slack.clocks >= 0, slack
                checked += 1
    assert checked > 1000


@pytest.mark.parametrize("name", VARIANTS)
def test_rows_are_used_only_while_they_are_open(
    logs: dict[str, list[tuple[Device, np.ndarray]]], name: str
) -> None:
    for device, log in logs[name]:
        check_rows(device, log)


@pytest.mark.parametrize("name", VARIANTS)
def test_commands_share_a_bus_without_overlap(
    logs: dict[str, list[tuple[Device, np.ndarray]]], name: str
) -> None:
    for device, log in logs[name]:
        check_bus(device, log)


@pytest.mark.parametrize("name", VARIANTS)
def test_refreshes_halves_and_the_data_clock_keep_their_rules(
    logs: dict[str, list[tuple[Device, np.ndarray]]], name: str
) -> None:
    for device, log in logs[name]:
        assert np.isin(log[:, 1], (c.REF, c.REFB)).any()
        check_refreshes(device, log)
        if device.timings.taad:
            check_halves(device, log)
            check_data_clock(device, log)


def test_every_gate_is_met_to_the_clock_somewhere(
    logs: dict[str, list[tuple[Device, np.ndarray]]],
) -> None:
    least: dict[str, int] = defaultdict(lambda: 1 << 30)
    for pairs in logs.values():
        for device, log in pairs:
            for found in slacks(device, log):
                for slack in found:
                    least[slack.rule] = min(least[slack.rule], slack.clocks)
    known = {rule[0] for device in VARIANTS.values() for rule in rules(device)} | {"tFAW"}
    # a controller precharges all banks only before a refresh; ``test_gate_cases`` has those rules
    known -= {"tRPab", "tPPD PREA", "tPPD after PREA", "tRFC PREA"}
    assert {name: least[name] for name in known if least[name] != 0} == {}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_log_with_one_command_a_clock_too_early_is_refused(
    logs: dict[str, list[tuple[Device, np.ndarray]]], name: str
) -> None:
    refused = 0
    for device, log in logs[name]:
        ordered = log[np.argsort(log[:, 0], kind="stable")]
        exact = [
            at for at, found in enumerate(slacks(device, log)) if 0 in [s.clocks for s in found]
        ]
        for at in exact[:: max(1, len(exact) // 5)]:
            early = ordered.copy()
            early[at, 0] -= 1
            early = np.delete(early, range(at + 1, len(early)), axis=0)
            assert any(s.clocks < 0 for found in slacks(device, early) for s in found)
            refused += 1
    assert refused >= 5


def test_no_command_waits_longer_than_its_gates_slots_and_queues_ask() -> None:
    """Where the oldest ready request goes first, nothing is issued later than it could be.

    Reads only and no refresh, so that no mode holds a request back.
    """
    for seed in SEEDS:
        requests = replace(mixed(QUIET, seed), write=np.zeros(400, dtype=bool))
        run = simulate(QUIET, requests, log=True)
        taken = set(run.log[:, 0].tolist())
        listed = commands(QUIET, run.log)
        assert len(listed) > 400
        for command, found in zip(listed, slacks(QUIET, run.log), strict=True):
            exact = any(slack.clocks == 0 for slack in found)
            fresh = command.clock == int(run.accepted[command.request])
            assert exact or fresh or command.clock - 1 in taken, command


def test_every_gate_of_a_device_is_known_to_the_independent_rules() -> None:
    known = {rule[0].split()[0] for device in VARIANTS.values() for rule in rules(device)}
    named = {gate.name for device in VARIANTS.values() for gate in gates(device)}
    assert named == known


def test_a_longer_gate_is_a_longer_run_where_it_alone_binds() -> None:
    base = simulate(QUIET, stream("seq_rd", 200, 64)).counts.clocks
    slow = replace(QUIET, timings=replace(QUIET.timings, tccd_l=9))
    assert simulate(slow, stream("seq_rd", 200, 64)).counts.clocks > base
    assert DEVICE.timings.tccd_l == 8
