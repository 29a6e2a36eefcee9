"""SRAM: one rate for every pattern, and its own price for reads and writes."""

from __future__ import annotations

import pytest
from codesign_plugins.sram import Sram

from codesign.errors import HardwareError
from codesign.hardware.component import Descriptor


def memory(**fields: float) -> Sram:
    return Sram(name="sram", size=1 << 20, **fields)


@pytest.mark.parametrize("direction", ["read", "write"])
@pytest.mark.parametrize("rows", [1, 7, 4096])
def test_the_port_rate_does_not_depend_on_the_pattern(rows: int, direction: str) -> None:
    served = memory(bandwidth=1e9).service([Descriptor(64, rows, 128, direction)])  # type: ignore[arg-type]
    assert served.bytes_per_s == 1_000_000_000


def test_transfers_that_are_active_together_share_one_rate() -> None:
    pair = [Descriptor(64, 1, 0, "read"), Descriptor(64, 1, 0, "write")]
    assert memory(bandwidth=5e9).service(pair) == memory(bandwidth=5e9).service(pair[:1])


def test_the_rate_is_whole_bytes_a_second() -> None:
    assert memory(bandwidth=962.56e9 / 3).service([]).bytes_per_s == 320_853_333_333


def test_reads_and_writes_have_their_own_energies() -> None:
    part = memory(read_energy=2e-12, write_energy=1e-12)
    assert part.energy_j("read", 10) == pytest.approx(20e-12)
    assert part.energy_j("write", 10) == pytest.approx(10e-12)


def test_an_action_without_a_price_is_refused() -> None:
    with pytest.raises(HardwareError, match=r"sram \(sram\) has no energy for action 'erase'"):
        memory().energy_j("erase", 1)


def test_it_is_on_chip() -> None:
    assert memory().off_chip is False


def test_without_a_node_nothing_is_asked_of_the_tables() -> None:
    assert memory().estimates() == {}


def test_with_a_node_energies_and_leakage_are_asked_for_with_all_that_sets_them() -> None:
    part = memory(node=22.0, voltage=0.7, width=128, banks=4)
    asked = part.estimates()
    assert list(asked) == ["read_energy", "write_energy", "leakage"]
    read, write, leakage = asked.values()
    assert (read.component, read.action, write.action) == ("sram", "read", "write")
    assert {(q.node_nm, q.size_bytes, q.width_bits, q.banks) for q in asked.values()} == {
        (22.0, 1 << 20, 128, 4)
    }
    assert (read.voltage_v, leakage.voltage_v) == (0.7, None)


@pytest.mark.parametrize("field", ["voltage", "width", "banks"])
def test_a_field_that_would_do_nothing_is_refused(field: str) -> None:
    with pytest.raises(HardwareError, match=rf"sram.{field} needs a node that energies follow"):
        memory(**{field: 1}).check()
    memory(**{field: 1}, node=22.0).check()
