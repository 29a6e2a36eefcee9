"""The kind ``dram``: banks, refresh and power states behind the contract of every memory."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
from codesign_plugins.dram import Dram

from codesign import Descriptor, Hardware, load_hardware
from codesign.errors import HardwareError
from codesign.hardware.component import Direction, Rest
from codesign.hardware.dram_file import load_device_file
from codesign.memory import energy, simulate, stream
from codesign.memory.counts import Counts
from codesign.memory.mapping import AddressMapping
from codesign.testing import check_memory
from codesign.units import PS_PER_S

MIB = 1 << 20


def dram(device: str = "ddr4-3200", **fields: Any) -> Dram:
    file = load_device_file(device)
    return Dram(name="dram", device=file, size=MIB, **fields)


def plain(**fields: Any) -> Dram:
    """DDR4 with rows in the high bits and nothing hashed: a stream stays in a bank for a row."""
    file = load_device_file("ddr4-3200")
    mapping = AddressMapping(("ro", "ch", "ra", "ba", "bg", "co"))
    device = replace(file.device, mapping=mapping)
    return Dram(name="dram", device=replace(file, device=device), size=MIB, **fields)


def run(direction: str = "read", *, base: int = 0, size: int = 1 << 18) -> Descriptor:
    """A contiguous transfer."""
    return Descriptor(size, 1, size, direction, base)  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", ["fluid", "window", "exact"])
def test_it_keeps_every_promise_of_a_memory(backend: str) -> None:
    check_memory(dram(backend=backend))


def test_streams_that_fight_for_a_bank_are_slower_together_and_others_faster() -> None:
    memory = plain()
    alone = memory.service((run(),)).bytes_per_s
    fighting = memory.service((run(), run())).bytes_per_s
    apart = memory.service((run(), run(base=memory.base(1)))).bytes_per_s
    assert fighting < 0.8 * alone < alone < apart <= memory.ceiling(run())
    assert memory.ceiling(run()) == int(memory.part.peak_bytes_per_s) == 25_600_000_000


def test_a_fight_for_a_bank_opens_more_rows() -> None:
    memory = plain()
    ((_, alone),) = memory.service((run(),)).actions
    ((_, fighting),) = memory.service((run(), run())).actions
    row = 8192
    assert alone == pytest.approx(1 / row, rel=0.15)
    assert fighting > 2 * alone


def test_fluid_transfers_share_what_they_reach_alone() -> None:
    memory = dram(backend="fluid")
    one, other = run(), Descriptor(64, 64, 8192, "read")
    rates = [Fraction(memory.service((each,)).bytes_per_s) for each in (one, other)]
    both = memory.service((one, other)).bytes_per_s
    assert both == pytest.approx(float(2 / (1 / rates[0] + 1 / rates[1])), rel=1e-6)
    assert memory.service((one, one)) == memory.service((one,))


def test_exact_counts_every_transaction_and_its_start_from_rest() -> None:
    memory = dram(backend="exact")
    small, large = memory.service((run(size=64),)), memory.service((run(size=1 << 20),))
    timings = memory.part.timings
    assert small.bytes_per_s < PS_PER_S * 64 / (timings.tck_ps * (timings.trcd_read + timings.cl))
    window = dram().service((run(size=1 << 20),)).bytes_per_s
    assert large.bytes_per_s == pytest.approx(window, rel=0.01)


@pytest.mark.parametrize("device", ["ddr4-3200", "lpddr5-6400"])
@pytest.mark.parametrize("direction", ["read", "write"])
@pytest.mark.parametrize("size", [64, 256, 1024, 4096])
def test_a_lone_transfer_takes_its_latency_and_its_bytes_at_the_steady_rate(
    device: str, direction: Direction, size: int
) -> None:
    steady, exact = dram(device), replace(dram(device), backend="exact")
    one = Descriptor(size, 1, 0, direction)
    assert exact.latency_s(direction) == 0
    want = size / exact.service((one,)).bytes_per_s
    found = steady.latency_s(direction) + size / steady.service((one,)).bytes_per_s
    assert found == pytest.approx(want, rel=0.1)


def test_transfers_of_unlike_sizes_share_as_long_as_the_shorter_lasts() -> None:
    memory = replace(dram(), backend="exact")
    long, short = run(size=1 << 20), run("write", size=1 << 14)
    cut = run(size=1 << 14)
    assert memory.service((long, short)) == memory.service((cut, short))
    assert memory.service((long,)) != memory.service((cut,))


def test_the_order_of_transfers_does_not_matter() -> None:
    memory = dram()
    active = run(), run("write", base=4096), Descriptor(256, 8, 4096, "read")
    assert len({memory.service(order) for order in permutations(active)}) == 1


def test_transfers_that_differ_by_whole_stripes_are_of_one_class() -> None:
    memory = plain()
    assert memory.alignment == 16 * 8192
    assert memory.classify(run()) == memory.classify(run(base=3 * memory.alignment))
    assert memory.classify(run()) != memory.classify(run(base=8192))
    assert memory.classify(run()) != memory.classify(run("write"))


def test_rows_that_fill_no_burst_move_whole_ones() -> None:
    memory = dram()
    odd = Descriptor(100, 8, 4096, "read")
    assert memory.served_bytes(odd) == 8 * 128
    assert memory.ceiling(odd) == int(25_600_000_000 / 1.28)
    whole = Descriptor(128, 8, 4096, "read")
    asked, moved = memory.service((odd,)).bytes_per_s, memory.service((whole,)).bytes_per_s
    assert asked == pytest.approx(moved / 1.28, rel=0.02)


def test_the_staggered_layout_keeps_weights_and_activations_in_banks_of_their_own() -> None:
    memory = dram()
    bank = memory.alignment // 16
    assert [memory.base(place) / bank for place in range(8)] == [0, 5, 10, 15, 5, 10, 15, 5]
    assert {replace(memory, layout="aligned").base(place) for place in range(8)} == {0}


def counted(memory: Dram, requests: int = 2048) -> Counts:
    device = memory.part
    size = device.organisation.transaction_bytes
    return simulate(device, stream("rw_2to1_1k", requests, size)).counts


@pytest.mark.parametrize("device", ["ddr4-3200", "lpddr5-6400", "hbm2"])
def test_prices_and_background_add_up_to_the_energy_of_the_kernel(device: str) -> None:
    memory = dram(device)
    counts = counted(memory)
    prices, size = memory.energies_j(), memory.part.organisation.transaction_bytes
    moved = size * (counts.reads * prices["read"] + counts.writes * prices["write"])
    ranks = memory.part.organisation.channels * memory.part.organisation.channel_ranks
    spent = memory.background(
        {
            "active": counts.active_clocks * counts.tck_ps // ranks,
            "precharged": counts.precharged_clocks * counts.tck_ps // ranks,
        }
    )
    states = spent["active"][1] + spent["precharged"][1]
    whole = energy(memory.part, counts)
    want = whole.total_j - whole.refresh_j
    assert moved + counts.activates * prices["activate"] + states == pytest.approx(want, rel=1e-9)


@pytest.mark.parametrize("device", ["ddr4-3200", "lpddr5-6400", "hbm2"])
def test_deeper_states_cost_less_and_time_costs_in_proportion(device: str) -> None:
    memory = dram(device)
    states = ("active", "precharged", "power_down", "self_refresh")
    once = [_joules(memory, state, PS_PER_S) for state in states]
    assert once == sorted(once, reverse=True)
    assert once[-1] > 0
    twice = [_joules(memory, state, 2 * PS_PER_S) for state in states]
    assert twice == pytest.approx([2 * joules for joules in once], rel=1e-5)


def _joules(memory: Dram, state: str, time: int) -> float:
    """All that time in a state costs, its refreshes included."""
    spent = memory.background({state: time}).values()
    return float(sum(joules for _, joules in spent))


def test_refreshes_fall_due_every_trefi_unless_the_device_refreshes_itself() -> None:
    memory = dram()
    interval = memory.part.timings.trefi * memory.part.timings.tck_ps
    assert memory.background({"precharged": 1000 * interval})["refresh"][0] == 1000
    both = memory.background({"power_down": 10 * interval, "self_refresh": 990 * interval})
    assert both["refresh"][0] == 10


def test_rests_follow_from_the_policy_and_the_exits_of_the_device() -> None:
    timings = dram().part.timings
    down = Rest("power_down", 10**5, timings.txp * timings.tck_ps)
    asleep = Rest("self_refresh", 10**8, timings.txs * timings.tck_ps)
    assert dram().rests == (down, asleep)
    assert dram(self_refresh_after=0.0).rests == (down,)
    assert dram(power_down_after=0.0, self_refresh_after=0.0).rests == ()


def edge(**changes: object) -> Hardware:
    machine = load_hardware("edge-npu-lpddr5")
    for path, value in changes.items():
        machine = machine.with_(f"dram.{path}", value)
    return machine


def test_the_preset_differs_from_edge_npu_in_the_dram_only() -> None:
    plain, banked = load_hardware("edge-npu"), edge()
    parts = {name: part for name, part in banked.components.items() if name != "dram"}
    assert parts == {name: part for name, part in plain.components.items() if name != "dram"}
    assert banked.precision == plain.precision


def test_a_device_can_be_changed_by_name_and_the_digest_covers_its_numbers() -> None:
    first, second = edge(), edge(device="lpddr4x-4266")
    memory = second.components["dram"]
    assert isinstance(memory, Dram)
    assert memory.part.name == "lpddr4x-4266"
    assert first.digest != second.digest
    assert edge(device="lpddr5-6400").digest == first.digest
    assert any("uncalibrated" in note for note in memory.notes)


def test_a_device_without_currents_says_that_it_takes_no_energy() -> None:
    file = load_device_file("ddr4-3200")
    bare = replace(file, device=replace(file.device, rails=()))
    policy = {"power_down_after": 0.0, "self_refresh_after": 0.0}
    notes = Dram(name="dram", device=bare, **policy).notes
    assert any("no currents" in note for note in notes)
    assert not any("no currents" in note for note in dram().notes)


def test_it_says_what_takes_long_before_a_first_run(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = dram()
    monkeypatch.setattr("codesign_plugins.dram.has_compiler", lambda: False)
    assert "pip install 'codesign[kernel]'" in memory.preparation
    monkeypatch.setattr("codesign_plugins.dram.has_compiler", lambda: True)
    monkeypatch.setattr("codesign_plugins.dram.is_warm", lambda style: False)
    assert "once on this machine" in memory.preparation
    monkeypatch.setattr("codesign_plugins.dram.is_warm", lambda style: True)
    assert memory.preparation == ""


@pytest.mark.parametrize(
    ("grain", "error"),
    [("64 B", "115 %"), ("256 B", "74 %"), ("5000 B", "12 %"), ("1 MiB", "0.5 %")],
)
def test_the_error_of_the_fluid_backend_is_that_of_its_grain(grain: str, error: str) -> None:
    (note,) = edge(backend="fluid", grain=grain).components["dram"].notes
    assert f"error {error} in the mean" in note


def test_without_a_size_it_holds_what_the_device_holds_on_its_channels() -> None:
    assert edge().components["dram"].size == 4 << 30  # type: ignore[attr-defined]
    assert edge(channels=4).components["dram"].size == 8 << 30  # type: ignore[attr-defined]
    assert edge(device="hbm2", channels=0).components["dram"].size == 8 << 30  # type: ignore[attr-defined]


def test_every_value_of_the_device_has_its_origin_in_the_hardware() -> None:
    machine = edge()
    rows = {row.field: row for row in machine.sources if row.component == "dram"}
    assert rows["timings.trtw"].status == "published"
    assert rows["grain"].status == "assumed"
    assert len(machine.sources) > len(machine.provenance)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"device": "lpddr5-640"}, "did you mean"),
        ({"device": 5}, "must be the name or path of a DRAM device, got 5"),
        ({"channels": 3}, "dram.channels must be a power of two, got 3"),
        ({"size": "5 GiB"}, "dram.size must be <= 4294967296 B, what lpddr5-6400 holds on 2"),
        ({"size": "3 GiB", "channels": 1}, "dram.size must be <= 2147483648 B"),
        ({"self_refresh_after": "50 ns"}, "self_refresh_after must be > power_down_after"),
        ({"backend": "cycle"}, "dram.backend must be"),
        ({"grain": 0}, "dram.grain must be >= 1"),
    ],
)
def test_a_mistake_is_told_in_one_line(changes: dict[str, object], rule: str) -> None:
    with pytest.raises(HardwareError) as caught:
        edge(**changes)
    assert rule in str(caught.value)
    assert "\n" not in str(caught.value)
