"""Kernels and copies of an AiM-like memory beside the model of PIMeval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from codesign import load_hardware
from codesign.errors import ValidationError
from codesign.validation import Case, NotRun, TableRow, Validation, parse_table, read_table

from .broadcast import serial_s
from .link import HostPim
from .near_bank import PimNearBank
from .units import Units
from .validation_hbm import planned_cycles

FILE = "pim/pimeval_cases.csv"
COLUMNS = ("app", "config", "size", "copy_bytes", "copy_ms", "cmds", "cmd_ms")
TYPED = """\
app,config,size,copy_bytes,copy_ms,cmds,cmd_ms
gemv,hbm_PIMeval_Aim_Rank8,1024x1024,4198400,0.001715,4,0.002423
gemv,hbm_PIMeval_Aim_Rank8,4096x1024,16781312,0.006855,16,0.009691
gemv,hbm_PIMeval_Aim_Rank8,4096x4096,67125248,0.027419,64,0.038763
"""
"""The runs, for those who do not have the file."""
CONFIG = "hbm_PIMeval_Aim_Rank8"
HARDWARE = "aim-like"
SUM_BYTES = 4
"""Bytes of the sum that each bank sends the host after each of its rows (int32)."""
PEER_LATENCY = 14
"""CL of DRAMsim3 2981759, HBM2_8Gb_x128.ini, with which PIMeval runs; other timings are alike."""
PJ_PER_BIT = 3.6e-12
"""Energy of a copy as surveys give it for HBM2; PIMeval itself loses what is written."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A recorded run.

    Attributes:
        outputs: rows of the matrix.
        inputs: columns of the matrix.
        copied: bytes of the matrix and the vector.
        copy_s: seconds of their copy.
        kernel_s: seconds of the product.
    """

    outputs: int
    inputs: int
    copied: int
    copy_s: float
    kernel_s: float

    @property
    def name(self) -> str:
        """Application and sizes."""
        return f"gemv int32 {self.outputs}x{self.inputs}"


def rows(data: Path | None) -> Sequence[Run]:
    """The products of the AiM target in the file, or the typed ones.

    Raises:
        ValidationError: a file that breaks a rule.
    """
    found = read_table(data / FILE, COLUMNS) if data else parse_table(TYPED, COLUMNS, "typed rows")
    return [_run(row) for row in found if (row.text("app"), row.text("config")) == ("gemv", CONFIG)]


def compare(run: Run) -> Iterator[Case | NotRun]:
    """The kernel in the serial form of the tool and in ours, and the copy before it."""
    engine, bus = parts()
    yield Case(
        name=run.name,
        quantity="kernel, serial form",
        unit="s",
        ours=serial_kernel_s(run),
        theirs=run.kernel_s,
    )
    yield Case(
        name=run.name,
        quantity="kernel, columns overlapped",
        unit="s",
        ours=overlapped_kernel_s(run, engine),
        theirs=run.kernel_s,
        note="another machine: columns follow each other every tCCD_L",
    )
    yield Case(
        name=run.name,
        quantity="copy",
        unit="s",
        ours=run.copied / bus.bytes_per_s,
        theirs=run.copy_s,
    )
    yield Case(
        name=run.name,
        quantity="energy of the copy",
        unit="J",
        ours=copy_j(run.copied),
        theirs=run.copied * 8 * PJ_PER_BIT,
        note="theirs is 3.6 pJ/bit; the tool prints 66 times less, its background power only",
    )


@cache
def parts() -> tuple[PimNearBank, HostPim]:
    """Units and bus of the preset."""
    machine = load_hardware(HARDWARE)
    engine, bus = machine.engine("pim"), machine.components["bus"]
    if not isinstance(engine, PimNearBank) or not isinstance(bus, HostPim):  # pragma: no cover
        raise ValidationError(f"{HARDWARE} must have units next to banks and their bus")
    return engine, bus


def serial_kernel_s(run: Run) -> float:
    """Rows of every bank one after the other, each with the sums of all banks behind it."""
    engine, bus = parts()
    units = _peer(engine.units)
    banks = units.blocks * units.channels
    rows_each = -(-run.outputs * run.inputs * SUM_BYTES // (banks * units.row_bytes))
    return serial_s(rows_each, units) + rows_each * banks * SUM_BYTES / bus.bytes_per_s


def overlapped_kernel_s(run: Run, engine: PimNearBank) -> float:
    """Our plan of the product, refreshes in the mean."""
    # every command loads every plugin, and the kit is large
    from codesign.testing import matmul

    op = matmul(1, run.inputs, run.outputs, dtype="int32")
    return planned_cycles(engine, op) / engine.clock


def copy_j(size: int) -> float:
    """Joules of bytes over the bus into the cells of the memory."""
    machine = load_hardware(HARDWARE)
    cells = machine.components["dram"].energy_j("write", size)
    return cells + machine.components["bus"].energy_j("move", size)


RUNS = Validation(
    title="time of products next to the banks, and time and energy of the copy before them",
    source="own runs of PIMeval 40ce162 (MIT), target AiM on eight ranks of HBM2",
    note="nothing is fitted: the serial form is the tool's and shows that units, rates and timings "
    "are the same; our machine overlaps columns; energies of the tool are not references",
    rows=rows,
    compare=compare,
    files=(FILE,),
)


def _peer(units: Units) -> Units:
    timings = replace(units.device.timings, cl=PEER_LATENCY)
    return replace(units, device=replace(units.device, timings=timings))


def _run(row: TableRow) -> Run:
    outputs, _, inputs = row.text("size").partition("x")
    if not (outputs.isdecimal() and inputs.isdecimal()):
        raise row.fault("size", "rows x columns, as 4096x1024")
    return Run(
        outputs=int(outputs),
        inputs=int(inputs),
        copied=row.whole("copy_bytes"),
        copy_s=row.number("copy_ms") * 1e-3,
        kernel_s=row.number("cmd_ms") * 1e-3,
    )
