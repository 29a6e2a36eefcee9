"""Validation: the systolic array against recorded runs of SCALE-Sim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codesign import Budget, Engine, Op, hookimpl
from codesign.plugins import registry
from codesign.validation import (
    Case,
    NotRun,
    TableRow,
    Validation,
    parse_table,
    read_table,
)

FILE = "npus/scalesim.csv"
COLUMNS = (
    *("case", "kind", "layer", "array_rows", "array_cols", "dataflow"),
    *("sparsity", "row_wise_sparsity", "total_cycles", "stall_cycles"),
    *("sram_ifmap_reads", "sram_filter_reads", "sram_ofmap_writes"),
)
TYPED = """\
case,kind,layer,array_rows,array_cols,dataflow,sparsity,row_wise_sparsity,total_cycles,\
stall_cycles,sram_ifmap_reads,sram_filter_reads,sram_ofmap_writes
0,gemm,64x64x64,8,8,os,,False,4991,0,32768,32768,5120
8,conv,61x61x7x7x3x32x2,8,8,os,,False,63111,0,460992,460992,31360
10,gemm,64x64x64,8,8,ws,,False,5503,0,32768,4096,32768
20,gemm,64x64x64,8,8,is,,False,5503,0,4096,32768,32768
71,conv,14x14x1x1x128x64x1,32,32,os,,False,2659,0,50176,57344,13440
81,conv,30x30x3x3x16x32x1,32,32,ws,,False,4389,0,112896,4608,125440
92,conv,30x30x3x3x16x32x1,32,32,is,,False,15749,0,112896,115200,125440
194,gemm,128x128x128,16,16,ws,1:8,False,1391,0,131072,2048,16384
"""
"""Some of the runs, for those who do not have the file."""

CONVENTION: Mapping[str, Any] = {
    "weight_preload": "serial",
    "output_drain": "hidden",
    "edge_tiles": "full",
    "fold_overlap": False,
    "accumulator": 1 << 40,
}
"""Fields of an array that counts as the tool does (Samajdar et al., ISPASS 2020)."""
UNLIMITED = Budget(1 << 30, 1e18, 1e18, setup_s=1.0)
"""Room for everything, no limit by memory, and every reason for one tile."""
BYTES_PER_SUM = 4


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of the tool.

    Attributes:
        name: its number, layer, array, dataflow and pruning.
        op: what it computes; N:M weights are a reduction of N/M of its length.
        fields: rows, cols and dataflow of the array.
        cycles: compute cycles.
        reads: words of both operands read.
        writes: words of the output written.
        notes: what was done to its figures, by quantity.
        reason: why it is not compared; empty where it is.
    """

    name: str
    op: Op
    fields: Mapping[str, Any]
    cycles: int
    reads: int
    writes: int
    notes: Mapping[str, str]
    reason: str = ""


def rows(data: Path | None) -> Sequence[Run]:
    """The runs of the file, or the typed ones."""
    found = read_table(data / FILE, COLUMNS) if data else parse_table(TYPED, COLUMNS, "typed runs")
    return [_run(row) for row in found]


def compare(run: Run) -> Iterator[Case | NotRun]:
    """Cycles, words of both operands read, and words of the output written."""
    if run.reason:
        yield NotRun(name=run.name, reason=run.reason)
        return
    kinds: Mapping[str, Any] = registry().components()
    engine: Engine = kinds["systolic"](name="array", buffer="sram", **run.fields, **CONVENTION)
    plan = engine.plan(run.op, UNLIMITED)
    actions = {(component, action): count for component, action, count in plan.actions}
    # sums that stay in the cells are written once, others with every fold of the reduction
    writes = actions["", "accumulator write"] // BYTES_PER_SUM
    for quantity, unit, ours, theirs in (
        ("cycles", "", plan.cycles, run.cycles),
        ("operand reads", "words", actions["buffer", "read"], run.reads),
        ("output writes", "words", writes, run.writes),
    ):
        note = run.notes.get(quantity, "")
        yield Case(name=run.name, quantity=quantity, unit=unit, ours=ours, theirs=theirs, note=note)


@hookimpl
def codesign_validations() -> Mapping[str, Validation[Run]]:
    """Cycles and buffer words of systolic arrays."""
    validation = Validation(
        title="compute cycles and buffer words of systolic arrays",
        source="own runs of SCALE-Sim 3.0.0 (MIT), without stalls",
        note="nothing is fitted; the tool prints the index of the last cycle, to which 1 is added",
        rows=rows,
        compare=compare,
        files=(FILE,),
    )
    return {"scalesim": validation}


def _run(row: TableRow) -> Run:
    kept, of = _kept(row)
    height, width = _at_least_one(row, "array_rows"), _at_least_one(row, "array_cols")
    dataflow = row.text("dataflow")
    if dataflow not in ("os", "ws", "is"):
        raise row.fault("dataflow", "os, ws or is")
    op = _operator(row, kept, of)
    layer = f"{row.text('case')} {row.text('kind')} {row.text('layer')}"
    inputs, written = row.whole("sram_ifmap_reads"), row.whole("sram_ofmap_writes")
    notes: dict[str, str] = {}
    if kept < of:
        notes["operand reads"] = f"the tool reads {inputs:,} inputs, also those without a weight"
        inputs = inputs * kept // of
    if dataflow == "os":
        notes["output writes"] = f"the tool says {written:,}: rows + columns too many in each fold"
        _, m, _, n = op.gemm
        written -= -(-m // height) * -(-n // width) * (height + width)
    by_row = row.text("row_wise_sparsity") == "True"
    return Run(
        name=f"{layer} on {height}x{width} {dataflow} {row.text('sparsity')}".strip(),
        op=op,
        fields={"rows": height, "cols": width, "dataflow": dataflow},
        cycles=row.whole("total_cycles") - row.whole("stall_cycles") + 1,
        reads=inputs + row.whole("sram_filter_reads"),
        writes=written,
        notes=notes,
        reason="weights pruned row by row: how many each row keeps is not recorded"
        if by_row
        else "",
    )


def _at_least_one(row: TableRow, column: str) -> int:
    value = row.whole(column)
    if not value:
        raise row.fault(column, "at least 1")
    return value


def _kept(row: TableRow) -> tuple[int, int]:
    """N and M of pruned weights, 1 and 1 of dense ones."""
    kept, _, of = (row.text("sparsity") or "1:1").partition(":")
    if not (kept.isdecimal() and of.isdecimal() and 0 < int(kept) <= int(of)):
        raise row.fault("sparsity", "empty or N:M")
    return int(kept), int(of)


def _operator(row: TableRow, kept: int, of: int) -> Op:
    # every command loads every plugin, and the kit is large
    from codesign.testing import convolution, matmul

    sizes = [int(part) for part in row.text("layer").split("x") if part.isdecimal()]
    if row.text("kind") == "gemm" and len(sizes) == 3 and min(sizes) > 0:
        m, n, k = sizes
        return matmul(m, k * kept // of, n)
    if row.text("kind") == "conv" and len(sizes) == 7 and min(sizes) > 0 and kept == of:
        height, width, kernel, across, channels, filters, stride = sizes
        if height == width >= kernel == across:
            return convolution(channels, filters, height, kernel, stride)
    raise row.fault(
        "layer", "MxNxK of a gemm, or image, kernel, channels, filters, stride of a square conv"
    )
