"""Validation: single operators beside recorded runs of ONNXim, a cycle-level NPU simulator."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import codesign
from codesign import Op, Trace, hookimpl
from codesign.validation import Case, NotRun, TableRow, Validation, parse_table, read_table

FILE = "npus/cycle_simulators.csv"
COLUMNS = ("tool", "workload", "description", "total_cycles", "unsupported_operator_became_dummy")
TYPED = """\
tool,workload,description,total_cycles,unsupported_operator_became_dummy
ONNXim a1e8629,g128,GEMM 128x128x128,970,False
ONNXim a1e8629,g512,GEMM 512x512x512,9431,False
ONNXim a1e8629,g2048,GEMM 2048x2048x2048,527137,False
ONNXim a1e8629,c56,conv3x3 N1 C64 56x56 M64 p1,30407,False
ONNXim a1e8629,mv512,GEMM 1x512x512,2797,False
"""
"""The runs that ended, for those who do not have the file."""

HARDWARE = "onnxim-like"
BLOCK = 128
"""Rows and columns that the tool loads, computes and stores together: those of its array."""
_PRODUCT = re.compile(r"GEMM (\d+)x(\d+)x(\d+)$")
_CONVOLUTION = re.compile(r"conv(\d)x\1 N1 C(\d+) (\d+)x\3 M(\d+) p(\d)$")
_THEIRS = "theirs waits longer for memory: requests find closed banks, refreshes, one bank group"
_OURS = "ours starts before whole blocks are there, and may fetch a block again"


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a tool.

    Attributes:
        name: of the workload, with its sizes.
        op: what it computes; None where it is not compared.
        cycles: of the run.
        reason: why it is not compared; empty where it is.
    """

    name: str
    op: Op | None = None
    cycles: int = 0
    reason: str = ""


def rows(data: Path | None) -> Sequence[Run]:
    """The runs of the file, or the typed ones."""
    found = read_table(data / FILE, COLUMNS) if data else parse_table(TYPED, COLUMNS, "typed runs")
    return [_run(row) for row in found]


def compare(run: Run) -> Iterator[Case | NotRun]:
    """Cycles with the tiles of the tool, and with those that our search finds."""
    if run.op is None:
        yield NotRun(name=run.name, reason=run.reason)
        return
    for quantity, tile, note in (
        ("cycles", tool_tile(run.op), _THEIRS),
        ("cycles, tiles of our search", None, _OURS),
    ):
        yield Case(
            name=run.name,
            quantity=quantity,
            ours=_cycles(run.op, tile),
            theirs=run.cycles,
            note=note,
        )


def tool_tile(op: Op) -> dict[str, int]:
    """What the tool loads before it computes, by loop.

    Of a product it loads blocks of rows and of columns with all of the reduction, of a convolution
    the whole image (GemmWS.cc and ConvWS.cc), as long as half of its scratchpad has room: true of
    all recorded runs.
    """
    nest = op.loops
    sizes = dict(zip(nest.dims, nest.extents, strict=True))
    if "ky" in sizes:
        return sizes
    return {name: min(size, BLOCK) if name in "mn" else size for name, size in sizes.items()}


def _cycles(op: Op, tile: Mapping[str, int] | None) -> int:
    """Cycles of 1 ns of the operator alone."""
    tensors = tuple(access.tensor for access in op.operands)
    result = codesign.simulate(
        Trace("alone", (op,), tensors),
        HARDWARE,
        residency="none",
        mapping=None if tile is None else {op.name: {"tile": tile}},
    )
    return round(result.latency_s * 1e9)


@hookimpl
def codesign_validations() -> Mapping[str, Validation[Run]]:
    """Cycles of operators beside ONNXim's."""
    validation = Validation(
        title="cycles of single operators on a systolic array behind HBM",
        source="own runs of ONNXim a1e8629 (MIT) with its Ramulator 1 HBM and simple network",
        note="nothing is fitted; array, ports and latencies are those of the tool's configuration",
        rows=rows,
        compare=compare,
        files=(FILE,),
    )
    return {"onnxim": validation}


def _run(row: TableRow) -> Run:
    name = f"{row.text('workload')} {row.text('description')}".strip()
    if not row.text("tool").startswith("ONNXim"):
        return Run(name=name, reason="of another tool, whose array and memory are not a preset")
    if row.text("unsupported_operator_became_dummy") == "True":
        return Run(name=name, reason="the tool does not know the operator and skips it")
    if not row.text("total_cycles"):
        return Run(name=name, reason="the run of the tool failed")
    return Run(name=name, op=_operator(row), cycles=row.whole("total_cycles"))


def _operator(row: TableRow) -> Op:
    # every command loads every plugin, and the kit is large
    from codesign.testing import convolution, matmul

    text = row.text("description")
    if product := _PRODUCT.match(text):
        m, k, n = (int(size) for size in product.groups())
        if min(m, k, n):
            return matmul(m, k, n, dtype="bf16")
    elif found := _CONVOLUTION.match(text):
        kernel, channels, size, filters, padding = (int(part) for part in found.groups())
        if min(kernel, channels, filters) and size + 2 * padding >= kernel:
            return convolution(channels, filters, size, kernel, 1, padding, dtype="bf16")
    raise row.fault("description", "'GEMM MxKxN' or 'convRxR N1 C.. HxH M.. p..', sizes above 0")
