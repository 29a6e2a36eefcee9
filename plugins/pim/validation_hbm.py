"""Cycles of HBM-PIM programs, and of a host that streams the same bytes instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from codesign import Budget, Op, load_hardware
from codesign.errors import ValidationError
from codesign.memory import AddressMapping, Device, Stream, simulate
from codesign.memory.commands import WR
from codesign.memory.compiled import has_compiler
from codesign.validation import Case, NotRun, TableRow, Validation, parse_table, read_table

from .near_bank import PimNearBank
from .units import clocks_with_refreshes

FILE = "pim/hbmpim_cases.csv"
COLUMNS = ("kernel", "outputs_or_length", "inputs", "batch", "dtype", "host_cycles", "pim_cycles")
TYPED = """\
kernel,outputs_or_length,inputs,batch,dtype,host_cycles,pim_cycles
GEMV,1024,1024,1,fp16,2494,3662
GEMV,4096,4096,1,fp16,36082,13166
GEMV,4096,4096,2,fp16,36107,26337
ADD,1048576,0,1,fp16,6651,3349
"""
"""Some of the runs, for those who do not have the file."""
SOURCE = "own runs of Samsung's PIMSimulator b464dde, HBM2 with 64 pseudo-channels, no data stored"
HARDWARE, ENGINE = "hbm-pim", "pim"
KERNELS = ("GEMV", "ADD", "MUL")
LONGEST_INTERPRETED = 20_000
"""Transactions of a channel that plain Python replays in some seconds."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A recorded run.

    Attributes:
        kernel: one of ``KERNELS``.
        outputs: results of one vector, or numbers of elementwise work.
        inputs: numbers of one vector; 0 for elementwise work.
        batch: vectors.
        dtype: format.
        host: cycles of the stream.
        pim: cycles of the program.
    """

    kernel: str
    outputs: int
    inputs: int
    batch: int
    dtype: str
    host: int
    pim: int

    @property
    def name(self) -> str:
        """Kernel and sizes."""
        if self.kernel != "GEMV":
            return f"{self.kernel} {self.outputs}"
        return f"GEMV {self.outputs}x{self.inputs} batch {self.batch}"

    @property
    def op(self) -> Op:
        """The operator, with operands that live where the engine stages them."""
        # every command loads every plugin, and the kit is large
        from codesign.testing import elementwise, matmul

        if self.kernel == "GEMV":
            return matmul(self.batch, self.inputs, self.outputs, dtype=self.dtype)
        return elementwise((self.outputs,), (self.kernel.lower(),), inputs=2, dtype=self.dtype)


def rows(data: Path | None) -> Sequence[Run]:
    """The runs of the file, or the typed ones.

    Raises:
        ValidationError: a file that breaks a rule.
    """
    found = read_table(data / FILE, COLUMNS) if data else parse_table(TYPED, COLUMNS, "typed rows")
    return [_run(row) for row in found]


def compare_programs(run: Run) -> Iterator[Case | NotRun]:
    """Cycles with refreshes when the run had them, and with refreshes in the mean."""
    engine = units()
    found = {
        "cycles": program_cycles(run),
        "cycles, refreshes in the mean": planned_cycles(engine, run.op),
    }
    for quantity, ours in found.items():
        yield Case(name=run.name, quantity=quantity, ours=ours, theirs=run.pim)


def compare_streams(run: Run) -> Iterator[Case | NotRun]:
    """Cycles of the host that streams what the program works on, and how much faster that is."""
    if _transactions(run)[0] > LONGEST_INTERPRETED and not has_compiler():
        reason = "too long for plain Python; pip install 'codesign[kernel]'"
        yield NotRun(name=run.name, reason=reason)
        return
    ours = stream_cycles(run)
    yield Case(name=run.name, quantity="cycles", ours=ours, theirs=run.host)
    yield Case(
        name=run.name,
        quantity="speed-up of the program over an ideal stream",
        ours=ours / program_cycles(run),
        theirs=run.host / run.pim,
    )


@cache
def units() -> PimNearBank:
    """The units of the preset, without the reads of the accumulators that the runs leave out."""
    found = load_hardware(HARDWARE).engine(ENGINE)
    if not isinstance(found, PimNearBank):  # pragma: no cover - the preset ships with it
        raise ValidationError(f"{HARDWARE}.{ENGINE} must be units next to banks")
    return replace(found, result_reads=False)


def program_cycles(run: Run) -> int:
    """Cycles of a program whose first refresh falls due as late as in the recorded runs."""
    engine = units()
    device = engine.device.device
    never = replace(device, controller=replace(device.controller, refresh="none"))
    quiet = replace(engine, device=replace(engine.device, device=never))
    return clocks_with_refreshes(planned_cycles(quiet, run.op), device, _first_refresh(device))


def planned_cycles(engine: PimNearBank, op: Op) -> int:
    """Cycles of the plan of an operator whose operands are all where it wants them."""
    budget = Budget(1 << 30, 1e12, 1e12, resident=(True,) * len(op.operands))
    return engine.plan(op, budget).cycles


def stream_cycles(run: Run) -> int:
    """Cycles of one channel that reads its share, and then writes the results."""
    device = units().device.device
    channel = replace(
        device,
        organisation=replace(device.organisation, channels=1),
        # the tool is built on DRAMSim2, whose successor the style follows
        controller=replace(device.controller, refresh="none", style="dramsim3"),
        mapping=AddressMapping.parse("ro co bg ba"),
    )
    reads, writes = _transactions(run)
    clocks = simulate(channel, _sequence(device, reads, False)).counts.clocks
    clocks += _write_clocks(channel, writes)
    return clocks_with_refreshes(clocks, device, _first_refresh(device))


PROGRAMS = Validation(
    title="cycles of HBM-PIM programs",
    source=SOURCE,
    note="nothing is fitted: every command keeps the timings of the device; the runs are refreshed "
    "first after half an interval, a result of ours in the mean, which short programs show",
    rows=rows,
    compare=compare_programs,
    files=(FILE,),
)
STREAMS = Validation(
    title="cycles of the host that streams the same bytes, and the speed-up over it",
    source=SOURCE,
    note="nothing is fitted: the bank kernel with the queues of the tool; the host computes and "
    "keeps nothing",
    rows=rows,
    compare=compare_streams,
    files=(FILE,),
)


def _first_refresh(device: Device) -> int:
    """Two ranks are refreshed in turn, and only the first of them works."""
    return device.timings.trefi // 2


def _transactions(run: Run) -> tuple[int, int]:
    """Transactions of a channel, read and then written."""
    device = units().device.device
    op = run.op
    reads = sum(access.bytes for access in op.inputs)
    writes = sum(access.bytes for access in op.outputs)
    share = units().units.channels * device.organisation.transaction_bytes
    return -(-reads // share), -(-writes // share)


def _write_clocks(device: Device, count: int) -> int:
    """Clocks to the end of the data of the last of so many writes.

    A run of the kernel ends when the last write is queued, so that more follow to drive it out.
    """
    queues, t = device.controller, device.timings
    more = queues.write_entries + queues.bank_entries * device.organisation.rank_banks
    log = simulate(device, _sequence(device, count + more, True), log=True).log
    return int(log[log[:, 1] == WR, 0][count - 1]) + t.cwl + t.burst


def _sequence(device: Device, count: int, writes: bool) -> Stream:
    address = np.arange(count, dtype=np.int64) * device.organisation.transaction_bytes
    return Stream(address, np.full(count, writes), np.zeros(count, dtype=np.int64))


def _run(row: TableRow) -> Run:
    kernel = row.text("kernel")
    if kernel not in KERNELS:
        raise row.fault("kernel", f"one of {', '.join(KERNELS)}")
    return Run(
        kernel=kernel,
        outputs=row.whole("outputs_or_length"),
        inputs=row.whole("inputs"),
        batch=row.whole("batch"),
        dtype=row.text("dtype"),
        host=row.whole("host_cycles"),
        pim=row.whole("pim_cycles"),
    )
