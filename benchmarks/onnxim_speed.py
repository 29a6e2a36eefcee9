"""Operators that ONNXim has simulated: our CPU time beside its own and that of two other tools.

Run ``python benchmarks/onnxim_speed.py``. Ours is a whole ``simulate`` of a trace on a loaded
preset, mapping included: with tiles as ONNXim has them, and with tiles that are searched. The last
row is one call for all operators, one after the other. No
seconds were recorded with the runs that the validation compares. Those here are the simulation loop
alone of a1e8629, compiled with g++ -O2 and given the operator without its ONNX file, whose cycles
are within 0.7 % of the recorded ones. The others are wall seconds of Accel-Sim and mNPUsim as the
artifact of PyTorchSim states them, on hardware of their own.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import replace

from codesign_plugins.validate_onnxim import HARDWARE, Run, rows, tool_tile
from rich.console import Console
from rich.table import Table

from codesign import Access, Op, Trace, load_hardware, simulate
from codesign.mapping.kept import forget_all

RUNS = 5
ONNXIM_S = {"g128": 0.024, "g512": 0.34, "g2048": 34.4, "c56": 0.28, "mv512": 0.087}
"""CPU seconds, own run on one core of a shared x86-64 server; read them as +-30 %."""
PUBLISHED_S: dict[str, dict[str, float]] = {
    "g512": {"Accel-Sim": 53.5, "mNPUsim": 5.77},
    "g2048": {"Accel-Sim": 951, "mNPUsim": 5157},
}
TARGET = 1000


def apart(run: Run) -> Op:
    """The operator of a run, with tensors of its own name."""
    assert run.op is not None

    def own(access: Access) -> Access:
        return replace(
            access, tensor=replace(access.tensor, name=f"{run.name} {access.tensor.name}")
        )

    inputs, outputs = (tuple(map(own, side)) for side in (run.op.inputs, run.op.outputs))
    op: Op = replace(run.op, inputs=inputs, outputs=outputs)
    return op


def cpu_seconds(runs: Sequence[Run], *, is_searched: bool) -> float:
    """The least CPU time of some simulations of runs as one trace, but for the first simulation."""
    ops = tuple(map(apart, runs))
    trace = Trace("runs", ops, tuple(access.tensor for op in ops for access in op.operands))
    tiles = {op.name: {"tile": tool_tile(op), "engine": "npu"} for op in ops}
    taken = []
    for _ in range(1 + RUNS):
        machine = load_hardware(HARDWARE)
        forget_all()  # nothing has been planned before
        gc.collect()
        start = time.process_time()
        simulate(trace, machine, residency="none", mapping=None if is_searched else tiles)
        taken.append(time.process_time() - start)
    return min(taken[1:])


def main() -> None:
    table = Table(title="CPU seconds, and how many times ours the others take")
    for column in ("operator", "our tiles", "its tiles", "ONNXim", "ratio", "published, ratio"):
        table.add_column(column, justify="left" if column == "operator" else "right")
    met = []
    for run in rows(None):
        short = run.name.split()[0]
        searched, fixed = (cpu_seconds([run], is_searched=way) for way in (True, False))
        ratio = ONNXIM_S[short] / fixed
        met += [short] * (ratio >= TARGET)
        others = (
            f"{tool} {seconds:g} s, {seconds / fixed:,.0f}"
            for tool, seconds in PUBLISHED_S.get(short, {}).items()
        )
        cells = (f"{searched:.4f}", f"{fixed:.4f}", f"{ONNXIM_S[short]:g}", f"{ratio:,.1f}")
        table.add_row(run.name, *cells, "; ".join(others))
    searched, fixed = (cpu_seconds(rows(None), is_searched=way) for way in (True, False))
    total = sum(ONNXIM_S.values())
    numbers = f"{searched:.4f}", f"{fixed:.4f}", f"{total:.1f}", f"{total / fixed:,.1f}"
    table.add_row("all five as one trace", *numbers, "")
    console = Console(width=140)
    console.print(table)
    console.print(f"at least {TARGET:,} times faster than ONNXim: {', '.join(met) or 'none'}")


if __name__ == "__main__":
    main()
