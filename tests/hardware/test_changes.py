"""Several changes of a hardware at once: only what comes out is checked."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from pathlib import Path

import pytest
from toy_hardware import TOY, read

from codesign import Hardware, load_hardware
from codesign.errors import HardwareError
from codesign.hardware.provenance import Provenance


@pytest.fixture
def machine(tmp_path: Path) -> Hardware:
    """Toy hardware whose engine has 8 rows and is fast; a slow one has at most 8."""
    return read(TOY, tmp_path).with_("npu.rows", 64)


def test_changes_that_are_fine_together_may_be_given_in_any_order(machine: Hardware) -> None:
    changes = {"npu.mode": "slow", "npu.rows": 4, "sram.size": "2 MiB"}
    with pytest.raises(HardwareError, match="rows must be <= 8 in slow mode, got 64"):
        machine.with_("npu.mode", "slow")
    found = {machine.with_all(dict(order)).digest for order in permutations(changes.items())}
    assert found == {
        machine.with_("npu.rows", 4).with_("npu.mode", "slow").with_("sram.size", 2**21).digest
    }


@pytest.mark.parametrize("reverse", [False, True])
def test_a_longer_idle_policy_may_be_given_in_either_order(reverse: bool) -> None:
    changes = [("dram.power_down_after", "1 ms"), ("dram.self_refresh_after", "2 ms")]
    found = load_hardware("edge-npu-lpddr5").with_all(dict(changes[::-1] if reverse else changes))
    idle = [rest.after for rest in found.components["dram"].rests]  # type: ignore[attr-defined]
    assert idle == [10**9, 2 * 10**9]


def test_what_is_wrong_together_is_refused(machine: Hardware) -> None:
    with pytest.raises(HardwareError, match="rows must be <= 8 in slow mode, got 9"):
        machine.with_all({"npu.mode": "slow", "npu.rows": 9})
    with pytest.raises(HardwareError, match=r"unknown component 'npv' in 'npv.rows'"):
        machine.with_all({"npu.rows": 1, "npv.rows": 1})
    with pytest.raises(HardwareError, match="unknown field 'rosw' for npu"):
        machine.with_all({"npu.rows": 1, "npu.rosw": 1})


def test_links_and_memories_are_checked_when_all_is_changed(machine: Hardware) -> None:
    changes = {"npu.buffer": "dram", "sram.size": "1 KiB"}
    assert machine.with_all(changes).engine("npu").buffer == "dram"
    with pytest.raises(HardwareError, match=r"npu\.buffer must name a memory"):
        machine.with_all({**changes, "npu.buffer": "dam"})


def test_entries_of_one_table_change_together(machine: Hardware) -> None:
    changes = {"npu.macs.int8*int8": "2 pJ", "npu.macs.bf16*bf16": "3 pJ"}
    npu = machine.with_all(changes).components["npu"]
    assert npu.macs == {"int8*int8": 2e-12, "bf16*bf16": 3e-12}  # type: ignore[attr-defined]
    table: Mapping[str, object] = {"npu.macs": {"a": 1.0}, "npu.macs.a": "2 pJ"}
    assert machine.with_all(table).components["npu"].macs == {"a": 2e-12}  # type: ignore[attr-defined]


def test_each_change_has_its_origin_once_and_what_is_left_keeps_its_own(machine: Hardware) -> None:
    changes = {"npu.macs.int8*int8": "2 pJ", "npu.rows": 4, "sram.size": "2 MiB"}
    before, after = _origins(machine), _origins(machine.with_all(changes))
    assert {path: after[path].value for path in changes} == {
        "npu.macs.int8*int8": "2 pJ",
        "npu.rows": "4",
        "sram.size": "2 MiB",
    }
    assert {after[path].source for path in changes} == {"set for this run"}
    kept = before.keys() - changes.keys()
    assert kept
    assert {path: after[path] for path in kept} == {path: before[path] for path in kept}


def _origins(machine: Hardware) -> dict[str, Provenance]:
    found = {f"{row.component}.{row.field}": row for row in machine.provenance}
    assert len(found) == len(machine.provenance)
    return found


def test_no_change_is_the_same_machine(machine: Hardware) -> None:
    assert machine.with_all({}) == machine
