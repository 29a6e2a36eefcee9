"""Folders of results for tests of reports: simulated ones, and ones that were never run."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
from strategies import Sketch, machine

from codesign import simulate
from codesign.result.result import Result

OLD = Path(__file__).parent / "v0_1_result"
"""What the version before reports has saved: a recurrent layer and a head, with its five files."""
NEW_FILES = ("components.json", "residency.parquet", "spans.parquet")


def small(name: str = "small", head: str = "head") -> Result:
    """A recurrent layer and a head on one engine."""
    sketch = Sketch(name)
    x = sketch.recurrent("rnn", sketch.input("x", 4, 32), 32)
    sketch.softmax("soft", sketch.matmul(head, x, 24))
    return simulate(sketch.trace(), machine(leakage=1e-3))


def banked() -> Result:
    """Two products on a DRAM with banks and power states."""
    sketch = Sketch("banked")
    sketch.matmul("second", sketch.matmul("first", sketch.input("x", 64, 256), 512), 128)
    return simulate(sketch.trace(), "edge-npu-lpddr5")


def with_why(folder: Path, makespan: int, segments: int = 4) -> None:
    """A critical path of equal parts, in the shape of the file that ``codesign why`` writes."""
    edges = [makespan * place // segments for place in range(segments + 1)]
    kinds = [("compute", "npu", "head", ""), ("bandwidth", "dram", "head", "weight")]
    found: list[dict[str, Any]] = [
        {"start_ps": a, "end_ps": b}
        | dict(zip(("cause", "component", "op", "role"), kinds[place % 2], strict=True))
        for place, (a, b) in enumerate(itertools.pairwise(edges))
    ]
    parts: dict[str, dict[str, Any]] = {}
    for one in found:
        part = parts.setdefault(
            one["cause"], {k: one[k] for k in ("cause", "component", "op", "role")} | {"ps": 0}
        )
        part["ps"] += one["end_ps"] - one["start_ps"]
    whole = {"makespan_ps": makespan, "parts": list(parts.values()), "segments": found}
    (folder / "why.json").write_text(json.dumps(whole))


def with_folded_why(folder: Path, makespan: int) -> None:
    """A critical path of which the second half is a loop: 30 % computing, 70 % weights."""
    half, turn = makespan // 2, makespan // 2 + makespan * 3 // 20
    names = ("cause", "component", "op", "role")
    rows: tuple[tuple[int, int, tuple[str, ...], dict[str, int]], ...] = (
        (0, half, ("bandwidth", "dram", "head", "weight"), {}),
        (half, turn, ("compute", "npu", "head", ""), {"times": 50, "stretch": 1}),
        (turn, makespan, ("bandwidth", "dram", "head", "weight"), {"times": 50, "stretch": 1}),
    )
    segments = [
        {"start_ps": start, "end_ps": end, **dict(zip(names, label, strict=True)), **more}
        for start, end, label, more in rows
    ]
    parts = [
        dict(zip(names, label, strict=True)) | {"ps": end - start} for start, end, label, _ in rows
    ]
    whole = {"makespan_ps": makespan, "parts": parts, "segments": segments}
    (folder / "why.json").write_text(json.dumps(whole))


def generated(
    folder: Path,
    operators: int,
    runs: int = 1,
    *,
    name: Callable[[int], str] = "layer{:04d}.linear".format,
    model: str = "generated",
) -> Path:
    """A folder of a result that nobody has simulated: operators in turn on two engines.

    Each takes a microsecond and reads 1,000 bytes of weights and 500 of activations off the chip.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names, length = [name(n) for n in range(operators)], 1_000_000
    total = operators * runs
    makespan = total * length
    engines = ["npu", "vector"]
    used = [engines[n % 2] for n in range(operators)]
    rows: list[tuple[str | None, str, str, str, int, float]] = []
    for op, engine in zip(names, used, strict=True):
        rows.append((op, engine, "mac", "", 5000 * runs, 1e-9 * runs))
        for role, size in (("weight", 1000), ("activation", 500)):
            for part, action in (("dram", "read"), ("bus", "move"), ("sram", "write")):
                rows.append((op, part, action, role, size * runs, size * runs * 1e-12))
    rows.append((None, "npu", "leakage", "", 1, 1e-6))
    write_ledger(folder, rows)
    columns = {
        "name": names, "module": names, "kind": ["contraction"] * operators, "engine": used,
        "runs": [runs] * operators, "tiles": [1] * operators, "macs": [5000 * runs] * operators,
        "moved_bytes": [1500 * runs] * operators, "energy_j": [2.5e-9 * runs] * operators,
        "compute_s": [1e-7 * runs] * operators,
    }  # fmt: skip
    write_table(folder / "operators.parquet", columns)
    spans = {
        "op": [names[n % operators] for n in range(total)],
        "engine": [used[n % operators] for n in range(total)],
        "start_ps": [n * length for n in range(total)],
        "end_ps": [(n + 1) * length for n in range(total)],
    }
    write_table(folder / "spans.parquet", spans)
    stays = {
        "tensor": [f"{one}.weight" for one in names], "role": ["weight"] * operators,
        "memory": ["dram"] * operators, "bytes": [1000] * operators, "why": ["home"] * operators,
        "start_ps": [0] * operators, "end_ps": [makespan] * operators,
    }  # fmt: skip
    write_table(folder / "residency.parquet", stays)
    write_components(folder)
    by_component: dict[str, float] = {}
    for _, part, _, _, _, joules in rows:
        by_component[part] = by_component.get(part, 0.0) + joules
    write_summary(folder, model, makespan, total, by_component)
    hardware = [
        {"component": "npu", "field": "clock", "value": "1 GHz", "source": "a test",
         "status": "assumed", "note": "", "flags": []}
    ]  # fmt: skip
    (folder / "hardware.json").write_text(json.dumps(hardware))
    return folder


def write_table(path: Path, columns: Mapping[str, Any]) -> None:
    """Columns as a Parquet file."""
    pyarrow.parquet.write_table(pyarrow.table(dict(columns)), path)


def write_ledger(
    folder: Path, rows: Sequence[tuple[str | None, str, str, str, int, float]]
) -> None:
    """Rows of (op, component, action, role, count, joules)."""
    heads = ("op", "component", "action", "role", "count", "energy_j")
    columns = {head: [row[place] for row in rows] for place, head in enumerate(heads)}
    write_table(folder / "ledger.parquet", columns)


def write_components(folder: Path) -> None:
    """Two engines, two memories and a link."""
    parts = [
        {"name": "npu", "kind": "systolic", "sort": "engine", "notes": ["off by 3 %"],
         "macs_per_s": 1e11, "buffer": "sram"},
        {"name": "vector", "kind": "vector", "sort": "engine", "notes": [], "macs_per_s": None},
        {"name": "sram", "kind": "sram", "sort": "memory", "off_chip": False,
         "size_bytes": 1 << 20, "bytes_per_s": 10**11},
        {"name": "bus", "kind": "link", "sort": "link", "bytes_per_s": 10**10},
        {"name": "dram", "kind": "flat_dram", "sort": "memory", "off_chip": True,
         "size_bytes": 1 << 30, "bytes_per_s": 10**10},
    ]  # fmt: skip
    (folder / "components.json").write_text(json.dumps(parts))


def write_summary(
    folder: Path, model: str, makespan: int, runs: int, by_component: dict[str, float]
) -> None:
    """The figures that fit the other files."""
    energy = sum(by_component.values())
    summary = {
        "model": model, "hardware": "nowhere", "trace_digest": "t" * 64,
        "hardware_digest": "h" * 64, "digest": "d" * 64, "version": "0.1.0",
        "latency_s": makespan / 1e12, "lower_bound_s": makespan / 2e12,
        "serial_bound_s": makespan / 1e12, "energy_j": energy,
        "dynamic_energy_j": energy - 1e-6, "leakage_energy_j": 1e-6,
        "background_energy_j": 0.0, "background_by_state_j": {},
        "energy_by_component_j": by_component,
        "offchip_bytes": {"weight": 1000 * runs, "activation": 500 * runs},
        "macs": 5000 * runs, "coverage": 1.0, "utilization": {"npu": 0.5, "dram": 0.15},
        "mac_slots": {"effective": 5000 * runs, "edge": 1000 * runs}, "tiles": runs,
        "fabric_events": runs, "assumed_energy_share": 0.5, "assumptions": ["made by a test"],
    }  # fmt: skip
    (folder / "summary.json").write_text(json.dumps(summary))
