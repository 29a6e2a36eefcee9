"""Valid documents of every format that a stranger may hand over; hostile ones are made of them."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from strategies import Sketch

from codesign import save_trace
from codesign.hardware.yaml_source import parse_yaml

ROOT = Path(__file__).parents[3]
Document: TypeAlias = Any
"""Plain maps, lists and scalars."""

MACHINE: Document = {
    "name": "m",
    "precision": "int8",
    "components": {
        "npu": {
            "kind": "systolic",
            "buffer": "sram",
            "rows": {"value": 8, "source": "a study", "status": "assumed"},
            "cols": 8,
            "clock": "1 GHz",
            "macs_per_cell": {"int8*int8": 1},
            "mac_energy": {"int8*int8": "0.3 pJ"},
        },
        "vector": {"kind": "vector", "buffer": "sram", "lanes": 8, "clock": "1 GHz"},
        "sram": {"kind": "sram", "size": "64 KiB", "bandwidth": "128 GB/s"},
        "bus": {
            "kind": "link",
            "connects": ["dram", "sram"],
            "bandwidth": "16 GB/s",
            "setup": "32 ns",
            "energy": "1 pJ/B",
        },
        "dram": {
            "kind": "flat_dram",
            "device": "any",
            "size": "1 GiB",
            "bandwidth": "8 GB/s",
            "efficiency": 0.8,
        },
    },
}
STUDY: Document = {
    "model": "t.json",
    "hardware": "m.yaml",
    "objectives": ["energy_j", "latency_s"],
    "hardware_space": {
        "npu.rows": [8, 16],
        "dram.bandwidth": ["1 GB/s", "2 GB/s"],
        "sram.size": ["32 KiB", "64 KiB"],
        "npu.cols": {"from": 8, "to": 16, "step": 8},
    },
    "schedule_space": {"residency": ["region", "none"]},
    "zipped": [["npu.rows", "dram.bandwidth"]],
    "conditions": {"npu.cols": "npu.rows >= 16"},
    "constraints": ["npu.rows <= 64", "latency_s < 1 and not params > 20e6"],
    "dtype": "int8",
}
SCENARIO: Document = {
    "name": "s",
    "duration": "2 ms",
    "silence": "1 ms",
    "utterances": 2,
    "outputs": ["b"],
    "streams": {
        "a": {"model": "t.json", "arrival": {"kind": "periodic", "period": "100 us"}, "beam": 2},
        "b": {
            "model": "t.json",
            "arrival": {"kind": "after", "streams": ["a"], "times": 2},
            "residency": {"policy": "region", "limits": {"sram": "16 KiB"}, "partial": True},
        },
        "c": {"model": "t.json", "arrival": {"kind": "rate", "rate": "4000 /s", "within": "a"}},
        "d": {
            "model": "t.json",
            "arrival": {"kind": "periodic", "period": "1 ms", "first": "10 us"},
            "background": True,
            "dtype": "int8",
        },
    },
}
MAPPING: Document = {
    "mm": {"engine": "npu", "tile": {"m": 4, "n": 8, "k": 8}, "order": ["m", "n", "k"]},
    "rnn.gate": {"engine": "npu", "hold": ["weight"]},
    "kind:elementwise": {"engine": "vector"},
}
ANNOTATIONS: Document = {
    "mm": {"weight_bits": 8, "sparsity": "2:4"},
    "rnn.*": {"weight_bits": 8, "sparsity": "0.5"},
}
TABLE = """\
component,action,energy_j,area_m2,node_nm,vdd_v,size_bytes,width_bits,tool,status,source,note
mac int8,multiply,0.3 pJ,1e-9,22,0.8,,,me,assumed,made up,
sram,read,1.5 pJ,2e-9,22,0.8,64 KiB,64,me,published,made up,
sram,read,0,,22,0.8,1 MiB,64,me,published,made up,for free
"""
CONSTRAINTS = (
    "params <= 20e6 and cell != 'lstm'",
    'not (a + b * -2 > min(1, c, max(2, 3)) or d == "x")',
    "sram.size / 2 >= 1.5e3 - a",
)
QUANTITIES = (
    "25.6 GB/s",
    "2 MiB",
    "8 pJ/bit",
    "1_000.5 MHz",
    "-3e-9 s",
    "64",
    "55 mA",
    "32 B/cycle",
)
SETTINGS = (
    "sram.size=256 KiB",
    "npu.rows=16",
    "npu.mac_energy={int8*int8: 0.1 pJ}",
    "bus.duplex=full",
    "dram.efficiency=0.5",
)


@cache
def trace_documents(folder: Path) -> tuple[Document, ...]:
    """A trace that runs on ``MACHINE``, one with a codec, and the sample of the format."""
    sketch = Sketch("t")
    x = sketch.matmul("mm", sketch.input("x", 4, 8), 8)
    sketch.pointwise("act", x)
    sketch.recurrent("rnn", x, 8, repeats=2)
    sketch.softmax("soft", x)
    path = folder / "made.json"
    save_trace(sketch.trace(), path)
    made = json.loads(path.read_text())
    path.unlink()
    packed_one = json.loads(json.dumps(made))
    tensor = next(row for row in packed_one["tensors"] if row["name"] == "mm.weight")
    tensor["stored"] = {"codec": "bitmap", "data": "4", "meta": "5/2"}
    return made, packed_one, json.loads((ROOT / "traces" / "v1_sample.json").read_text())


@cache
def presets() -> tuple[Document, ...]:
    """Every hardware that ships, so that every kind of component is in one of them."""
    return tuple(_plain(path) for path in sorted((ROOT / "hardware").glob("*.yaml")))


@cache
def devices() -> tuple[Document, ...]:
    """Every DRAM device that ships."""
    return tuple(_plain(path) for path in sorted((ROOT / "hardware" / "dram").glob("*.yaml")))


def _plain(path: Path) -> Document:
    return parse_yaml(path.read_bytes(), path.name).plain()


def measurements() -> bytes:
    """A table of forty measured operators."""
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerow(("kind", "dims", "dtype", "latency_us", "protocol", "source", "inputs"))
    for n in range(1, 31):
        dims = f"{64 * n}x{512 + n}x{1024 + n}"
        writer.writerow(("contraction", dims, "fp16", 5.0 + 0.37 * n, "kernel", "made up", ""))
    for n in range(1, 11):
        writer.writerow(("elementwise", f"{n}x4096", "fp16", 3.0 + n / 7, "kernel", "made up", 2))
    return rows.getvalue().encode()


def journal() -> list[Document]:
    """The lines of a journal of four points, one of which failed."""
    figures = {"energy_j": 2e-8, "latency_s": 1e-6, "macs": 768, "params": 192}
    lines: list[Document] = [
        {"format": "codesign-journal", "version": 1, "study": "0" * 64},
        {
            "event": "study",
            "model": "t",
            "hardware": "m",
            "parameters": ["npu.rows", "dram.bandwidth"],
            "objectives": [["energy_j", False], ["latency_s", True]],
        },
        {"event": "traced", "model": {}, "trace": "a" * 64},
        {"event": "planned", "left_out": 0, "points": 4},
    ]
    for index in range(4):
        point = {"npu.rows": 8 * (index + 1), "dram.bandwidth": "1 GB/s"}
        known = {"key": str(index) * 64, "index": index, "point": point, "seconds": 0.1}
        if index == 3:
            lines.append({"event": "failed", "message": "does not fit", **known})
            continue
        told = {name: value * (index + 1) for name, value in figures.items()}
        from_ = {"trace": "a" * 64, "hardware": "b" * 64, "version": "0.1.0"}
        lines.append({"event": "done", "figures": told, "violated": [], **known, **from_})
    own = {"event": "own_kinds", "lines": ["own: own kind 'row' (plugin row from row.py)"]}
    return [*lines, {"event": "pruned", "points": 0}, own]


def block() -> Document:
    """A captured block of a supernet."""
    values = [["x", [4, 8], "fp32"], ["w", [8, 8], "fp32"], ["y", [4, 8], "fp32"]]
    node = {
        "target": "aten.mm.default",
        "args": [{"value": 0}, {"value": 1}, [1, 2.5, None, True]],
        "kwargs": {"dtype": {"dtype": "fp32"}, "more": {"map": {"a": {"float": "inf"}}}},
        "outputs": [2],
        "module": "m",
    }
    graph = {
        "values": values,
        "inputs": [[0, "input", "x", "x"], [1, "weight", "w", "w"]],
        "nodes": [node],
        "outputs": [{"value": 2}],
        "mutations": [["x", "y"]],
    }
    results = [["y", [[4, 8], "fp32", [8, 1]]], ["z", None]]
    head = {"format": "codesign-block", "version": 1, "of": "it"}
    return {
        **head,
        "arguments": ["x"],
        "results": results,
        "declared": {"y": "int8"},
        "graph": graph,
    }


def packed(document: Document) -> bytes:
    """JSON in gzip, the same bytes each time."""
    return gzip.compress(json.dumps(document).encode(), mtime=0)


def seed_of(*words: object) -> int:
    """A number that is the same in every process."""
    return int.from_bytes(hashlib.sha256(repr(words).encode()).digest()[:8])
