"""Whole machines priced through tables of one's own: figures of others come back."""

from __future__ import annotations

from typing import Any

import pytest
from energy_case import ask, rows_of, tables_of

from codesign.energy import EnergyTables

MATMULS = rows_of("matmul_energy.csv")
TOTALS = {"eyeriss": 3.4904e-6, "tpu": 2.1447e-6}


def table(case: str) -> EnergyTables:
    """The tool's component table as somebody would write it down."""
    lines = [
        f"{row['component']},{row['action']},accelforge,{row['energy_j']},{row['leakage_w']},tool,s,told"
        for row in MATMULS
        if row["case"] == case
    ]
    return tables_of(*lines, head="component,action,tool,energy_j,leakage_w,status,source,note")


@pytest.mark.parametrize("case", TOTALS)
def test_two_matmuls_of_64_cubed_cost_what_the_tool_says(case: str) -> None:
    tables = table(case)
    mine = [row for row in MATMULS if row["case"] == case]
    active = sum(
        float(row["count"])
        * ask(tables=tables, component=row["component"], action=row["action"]).value
        for row in mine
    )
    parts = {row["component"]: row for row in mine}
    leaking = sum(
        ask("leakage", tables, component=name, count=int(row["parts"])).value
        * float(row["seconds"])
        for name, row in parts.items()
    )
    assert len(mine) >= 9
    assert active + leaking == pytest.approx(TOTALS[case], rel=0.01)
    assert active + leaking == pytest.approx(float(mine[0]["total_j"]), rel=1e-6)


def test_a_speech_recogniser_takes_175_milliwatts_nine_tenths_of_them_off_chip() -> None:
    """RNN-T of 8 x 640 in int8: 1,016.3 MB/s off chip, one SRAM byte for each of 1.0139 GMAC/s."""
    tables = tables_of(
        "dram,access,study,LPDDR4,,8,160 pJ,assumed,a study",
        "sram,read,study,,1 MiB,8,12.5 pJ,assumed,a study",
        "mac,compute,study,,,,0.23 pJ,assumed,a study",
        head="component,action,tool,type,size_bytes,width_bits,energy_j,status,source",
    )
    dram = ask(tables=tables, component="dram", action="access", type="LPDDR4", width=8)
    sram = ask(tables=tables, component="sram", action="read", size="1 MiB", width=8)
    mac = ask(tables=tables, component="mac", action="compute", bits=8)
    bytes_per_s, macs_per_s = 1016.2968e6, 1.0139e9
    parts = (bytes_per_s * dram.value, macs_per_s * sram.value, macs_per_s * mac.value)
    assert [power * 1e3 for power in parts] == pytest.approx([162.6, 12.7, 0.23], rel=0.015)
    assert sum(parts) == pytest.approx(175.5e-3, rel=0.005)
    assert parts[0] / sum(parts) == pytest.approx(0.926, abs=0.001)
    assert all(one.is_own and one.status == "assumed" for one in (dram, sram, mac))


def test_a_cache_is_no_scratchpad() -> None:
    for size in ("8 KiB", "32 KiB", "1 MiB"):
        words: dict[str, Any] = {"action": "read", "size": size, "node": 45}
        ratio = ask(component="cache", **words).value / ask(component="sram", **words).value
        assert 2.3 < ratio < 2.8
