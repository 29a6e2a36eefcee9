"""The systolic array against SCALE-Sim: cycles to the cycle, buffer and accumulator to the word."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from codesign_plugins.systolic import Systolic
from codesign_plugins.systolic.layout import Layout, one
from codesign_plugins.systolic.ports import Ports
from slow_array import INSTANT, array
from slow_folds import SCALE_SIM

from codesign.hardware.plan import TilePlan
from codesign.testing import convolution, matmul
from codesign.workload.record import Op

FILE = Path(__file__).resolve().parents[2] / ".." / "shared/references/npus/scalesim.csv"
needs_runs = pytest.mark.skipif(not FILE.exists(), reason="the recorded runs are not here")

TYPED = """
os gemm 64x64x64 8x8 4991 32768 32768 5120
os conv 61x61x7x7x3x32x2 8x8 63111 460992 460992 31360
os gemm 128x128x128 16x16 10111 131072 131072 18432
os conv 14x14x1x1x128x64x1 32x32 2659 50176 57344 13440
os gemm 100x50x77 128x128 330 7700 3850 5256
ws conv 30x30x3x3x16x32x1 8x8 58031 451584 4608 451584
ws gemm 64x64x64 32x32 631 8192 4096 8192
ws conv 30x30x3x3x16x32x1 128x128 2331 112896 4608 50176
ws gemm 100x50x77 8x32 2919 15400 3850 50000
is gemm 64x64x64 8x8 5503 4096 32768 32768
is conv 61x61x7x7x3x32x2 16x16 38219 115248 230496 250880
is conv 30x30x3x3x16x32x1 128x128 5795 112896 32256 50176
is gemm 100x50x77 8x32 3839 7700 15400 50000
"""
"""Own runs of SCALE-Sim 3.0.0 (MIT), computed bandwidth, no stalls: dataflow, kind, GEMM MxNxK or
image, kernel, channels, filters and stride, array, index of the last cycle, words read of both
operands and written of the output."""


@dataclass(frozen=True)
class Run:
    """One run of the tool.

    Attributes:
        op: the operator, dense.
        engine: our array, set to the tool's convention.
        cycles: index of the last compute cycle.
        words: read of the first and of the second operand, and written of the output.
    """

    op: Op
    engine: Systolic
    cycles: int
    words: tuple[int, int, int]

    @property
    def plan(self) -> TilePlan:
        plan: TilePlan = self.engine.plan(self.op, INSTANT)
        assert plan.tiles == 1
        return plan

    @property
    def folds(self) -> int:
        """Folds of an output-stationary run."""
        _, m, _, n = self.op.gemm
        folds: int = -(-m // self.engine.rows) * -(-n // self.engine.cols)
        return folds


def operator(kind: str, layer: str, reduction: float = 1) -> Op:
    sizes = [int(part) for part in layer.split("x")]
    if kind == "gemm":
        m, n, k = sizes
        return matmul(m, int(k * reduction), n)
    height, width, kernel, across, channels, filters, stride = sizes
    assert (height, kernel) == (width, across)
    return convolution(channels, filters, height, kernel, stride)


def typed(line: str) -> Run:
    dataflow, kind, layer, shape, *numbers = line.split()
    rows, cols = (int(part) for part in shape.split("x"))
    cycles, first, second, written = (int(number) for number in numbers)
    engine = array(rows, cols, dataflow=dataflow, **SCALE_SIM)
    return Run(operator(kind, layer), engine, cycles, (first, second, written))


def recorded() -> list[Run]:
    """All runs of the file but the one with weights pruned row by row, which the tool gets wrong.

    Layer-wise N:M weights are a reduction of N/M of the steps.
    """
    runs = []
    with FILE.open(encoding="ascii") as lines:
        for row in csv.DictReader(lines):
            if row["row_wise_sparsity"] == "True":
                continue
            kept, of = (row["sparsity"] or "1:1").split(":")
            op = operator(row["kind"], row["layer"], int(kept) / int(of))
            assert op.gemm[1::2] == (int(row["M"]), int(row["N"]))
            assert op.gemm[2] * int(of) == int(row["K"]) * int(kept)
            rows, cols = int(row["array_rows"]), int(row["array_cols"])
            names = ("sram_ifmap_reads", "sram_filter_reads", "sram_ofmap_writes")
            first, second, written = (int(float(row[name])) for name in names)
            if int(kept) < int(of):
                first = first * int(kept) // int(of)  # the tool reads inputs that meet no weight
            engine = array(rows, cols, dataflow=row["dataflow"], **SCALE_SIM)
            cycles = int(float(row["total_cycles"]) - float(row["stall_cycles"]))
            runs.append(Run(op, engine, cycles, (first, second, written)))
    return runs


def check_cycles(run: Run) -> None:
    # the tool prints the index of the last cycle
    assert run.plan.cycles == run.cycles + 1, run


def check_words(run: Run) -> None:
    plan = run.plan
    actions = {(component, action): count for component, action, count in plan.actions}
    ports = Ports(run.engine, run.op, INSTANT, Layout.of(run.engine, run.op))
    sizes = one(run.op.gemm)
    first, second = int(ports.inputs(sizes)[0]), int(ports.weights(sizes)[0])
    assert (first, second) == run.words[:2], run
    assert actions["buffer", "read"] == first + second
    results = run.op.outputs[0].elements
    assert actions["buffer", "write"] == results
    written = actions["", "accumulator write"] // 4
    if run.engine.dataflow == "os":
        assert written == results
        # the tool counts a row and a column of the array too many for every fold
        assert run.words[2] == results + run.folds * (run.engine.rows + run.engine.cols)
    else:
        assert written == run.words[2], run
    assert actions.get(("", "accumulator read"), 0) == 4 * (written - results)


RUNS = [typed(line) for line in TYPED.split("\n") if line]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.engine.dataflow} {run.op.name}")
def test_typed_runs_end_at_the_same_cycle_with_the_same_words(run: Run) -> None:
    check_cycles(run)
    check_words(run)


@needs_runs
def test_every_recorded_run_ends_at_the_same_cycle() -> None:
    runs = recorded()
    assert Counter(run.engine.dataflow for run in runs) == {"ws": 50, "os": 44, "is": 43}
    for run in runs:
        check_cycles(run)


@needs_runs
def test_every_recorded_run_moves_the_same_words() -> None:
    for run in recorded():
        check_words(run)


@needs_runs
def test_the_typed_runs_are_among_the_recorded_ones() -> None:
    known = recorded()
    assert [run for run in RUNS if run not in known] == []


@pytest.mark.parametrize(("kept", "of", "last"), [(1, 8, 1391), (2, 8, 2783), (4, 4, 11135)])
def test_weights_pruned_layer_wise_are_a_shorter_reduction(kept: int, of: int, last: int) -> None:
    # GEMM 128x128x128 on 16x16 cells, weight-stationary, N:M of the weights kept
    engine = array(16, 16, **SCALE_SIM)
    plan = engine.plan(matmul(128, 128 * kept // of, 128), INSTANT)
    assert plan.cycles == last + 1
