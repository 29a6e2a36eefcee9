"""Which share of the energy rests on assumed prices: traced by moving one price at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest
from strategies import Sketch

from codesign import load_hardware, simulate
from codesign.hardware.component import Engine
from codesign.hardware.provenance import Provenance
from codesign.hardware.spec import Hardware
from codesign.result.sources import assumed_energy_j, sourced_actions
from codesign.units import Count, Joules, Watts
from codesign.workload.record import Trace


@dataclass(frozen=True, kw_only=True)
class Priced(Engine):
    """An engine whose prices rest on fields in different ways."""

    kind: ClassVar[str] = "priced"

    base: Joules = 1e-12
    extra: Joules = 0.0
    entries: Mapping[str, Joules] = field(default_factory=dict)
    lanes: Count = 4
    idle: Watts = 0.0

    def energies_j(self) -> Mapping[str, float]:
        return {
            "one": self.base,
            "both": self.base + self.extra,
            "coded": 1e-12,
            "wide": self.base * self.lanes,
            **{f"entry {name}": price for name, price in self.entries.items()},
        }


def hardware(statuses: Mapping[str, str], **values: object) -> Hardware:
    part = Priced(name="part", buffer="sram", **values)  # type: ignore[arg-type]
    rows = tuple(Provenance("part", name, "", "x", status) for name, status in statuses.items())
    whole = load_hardware("edge-npu")
    parts = {**whole.components, "part": part}
    return Hardware("test", "", None, parts, rows)


def sourced(statuses: Mapping[str, str], **values: object) -> set[str]:
    return set(sourced_actions(hardware(statuses, **values), "part"))


def test_a_price_with_a_source_is_sourced_and_one_in_the_code_is_not() -> None:
    assert sourced({"base": "published", "extra": "fitted"}) == {"one", "both", "wide"}


def test_a_price_rests_on_all_fields_that_move_it() -> None:
    assert sourced({"base": "published", "extra": "assumed"}) == {"one", "wide"}
    assert sourced({"base": "assumed", "extra": "published"}) == set()


def test_a_field_of_unknown_origin_is_assumed() -> None:
    assert sourced({"base": "published"}) == {"one", "wide"}


def test_the_sizes_of_a_design_are_no_prices() -> None:
    statuses = {"base": "published", "extra": "published", "lanes": "assumed"}
    assert "wide" in sourced(statuses)


def test_entries_of_a_table_are_told_apart() -> None:
    statuses = {"entries.a": "datasheet", "entries.b": "assumed"}
    assert sourced(statuses, entries={"a": 1e-12, "b": 0.0}) == {"entry a"}


def test_leakage_rests_on_its_field() -> None:
    assert sourced({"leakage": "published"}, leakage=1e-3) == {"leakage"}
    assert sourced({"leakage": "published"}, leakage=0.0) == {"leakage"}
    assert sourced({"leakage": "assumed"}, leakage=1e-3) == set()


def model() -> Trace:
    sketch = Sketch("model")
    sketch.softmax("soft", sketch.matmul("head", sketch.input("x", 64, 256), 256))
    return sketch.trace()


def test_the_share_of_a_preset_is_that_of_its_assumed_components() -> None:
    """Of edge-npu the DRAM, the bus and the leakage of the SRAM are assumed, all else is not."""
    result = simulate(model(), "edge-npu")
    assert sourced_actions(result.machine, "dram") == frozenset()
    assert sourced_actions(result.machine, "sram") == {"read", "write"}
    spent, leaks = result.energy_by_component_j, result.energy_split.leakage_by_component_j
    assumed = spent["dram"] + spent["bus"] + leaks["sram"]
    assert assumed_energy_j(result.machine, [result.ledger]) == pytest.approx(assumed, rel=1e-12)
    assert result.assumed_energy_share == pytest.approx(assumed / result.energy_j, rel=1e-12)
    assert 0 < result.assumed_energy_share < 1


def test_a_price_set_for_a_run_is_assumed() -> None:
    preset = load_hardware("edge-npu")
    changed = preset.with_("sram.read_energy", "2 pJ/B")
    assert sourced_actions(preset, "sram") == {"read", "write"}
    assert sourced_actions(changed, "sram") == {"write"}
    before, after = (simulate(model(), one).assumed_energy_share for one in (preset, changed))
    assert after > before


def test_a_size_set_for_a_run_is_no_price() -> None:
    preset = load_hardware("edge-npu")
    assert sourced_actions(preset.with_("npu.rows", 32), "npu") == sourced_actions(preset, "npu")


def test_a_device_file_with_an_assumed_value_counts_as_assumed_whole() -> None:
    result = simulate(model(), "edge-npu-lpddr5")
    assert any(row.status == "assumed" for row in result.machine.components["dram"].origins)
    assert sourced_actions(result.machine, "dram") == frozenset()
    least = result.energy_by_component_j["dram"] / result.energy_j
    assert result.assumed_energy_share >= least


NODE = """\
name: node
components:
  array: {kind: systolic, buffer: sram, rows: 16, cols: 16}
  sram: {kind: sram, size: 1 MiB, node: 22 nm}
"""


def test_energies_that_follow_from_a_node_have_the_status_of_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "node.yaml"
    path.write_text(NODE)
    machine = load_hardware(path)
    status = {row.field: row.status for row in machine.provenance if row.component == "sram"}
    fields = {"read_energy": "read", "write_energy": "write", "leakage": "leakage"}
    firm = {action for field, action in fields.items() if status[field] != "assumed"}
    assert sourced_actions(machine, "sram") == firm == {"read", "write"}
