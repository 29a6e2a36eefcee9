"""Validation: whole workloads beside cycles measured on one core of a TPU v3."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import codesign
from codesign import Trace, hookimpl
from codesign.validation import Case, NotRun, TableRow, Validation, parse_table, read_table

from .programs import attention, convolution, encoder, gemm, layer_norm, softmax

FILE = "npus/tpuv3_vs_tools.csv"
COLUMNS = ("workload", "tpu_v3_cycles")
TYPED = """\
workload,tpu_v3_cycles
gemm_256x256x256,3101
gemm_1024x1024x1024,47099
conv_64x14x14x256x256x3x1x1,246790
layernorm_512x768,24895
softmax_2048x2048,169750
attention_12x512x64,110093
bert_large,445317
"""
"""Some of the workloads, for those who do not have the file; PyTorchSim artifact (MIT)."""

HARDWARE = "tpuv3-core"
CLOCK_HZ = 940e6
RESNET = "resnet18"
"""The one workload that is a model of the zoo and not one of ``programs``."""

_STREAMS = "memory and products overlap tile by tile here; XLA's tiles are its own"
_NARROW = (
    "64 channels fill a quarter of the array, which is counted; what makes the chip 1.66 times "
    "slower still is not known"
)


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """One form of the workloads' names.

    Attributes:
        pattern: with a group for each size.
        build: the program for these sizes.
        chosen: which constant or fusion was chosen from measurements of this form; empty for none.
        note: what is known about the difference.
    """

    pattern: str
    build: Callable[..., Trace]
    chosen: str = ""
    note: str = ""


_SHAPES = (
    _Shape(
        pattern=r"gemm_(256)x(256)x(256)$",
        build=gemm,
        chosen="the set-up of a transfer, 250 ns, is chosen from this figure",
    ),
    _Shape(pattern=r"gemm_(\d+)x(\d+)x(\d+)$", build=gemm, note=_STREAMS),
    _Shape(
        pattern=r"conv_(\d+)x(\d+)x\2x(\d\d?)x(\d+)x3x1x1$",
        build=convolution,
        note=_NARROW,
    ),
    _Shape(
        pattern=r"conv_(\d+)x(\d+)x\2x(\d+)x(\d+)x3x1x1$",
        build=convolution,
        note=_STREAMS,
    ),
    _Shape(
        pattern=r"layernorm_(\d+)x(\d+)$",
        build=layer_norm,
        chosen="scale and shift as a loop of their own, six passes in all, is chosen from these",
    ),
    _Shape(
        pattern=r"softmax_(\d+)x(\d+)$",
        build=softmax,
        note="four passes over memory, as its three loops have",
    ),
    _Shape(
        pattern=r"attention_(\d+)x(\d+)x(\d+)$",
        build=attention,
        chosen="what is fused with the two products is chosen from these figures",
    ),
)
_ENCODERS = {
    # width and heads of the blocks in experiments/BERT.py of the artifact, one block of 512 tokens
    "bert_large": (1024, 16),
}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A workload with its cycles on the chip.

    Attributes:
        name: of the workload.
        cycles: measured.
        trace: what runs; None for the model of the zoo.
        chosen: which constant was chosen from it; empty for none.
        note: why ours differ.
        reason: why it is not compared; empty where it is.
    """

    name: str
    cycles: int
    trace: Trace | None = None
    chosen: str = ""
    note: str = ""
    reason: str = ""


def rows(data: Path | None) -> Sequence[Measured]:
    """The workloads of the file, or the typed ones."""
    found = read_table(data / FILE, COLUMNS) if data else parse_table(TYPED, COLUMNS, "typed rows")
    return [_measured(row) for row in found]


def compare(measured: Measured) -> Iterator[Case | NotRun]:
    """Cycles from the first read to the last write, with nothing kept between operators."""
    if measured.reason:
        yield NotRun(name=measured.name, reason=measured.reason)
        return
    result = codesign.simulate(measured.trace or RESNET, HARDWARE, residency="none")
    yield Case(
        name=measured.name,
        quantity="cycles",
        ours=round(result.latency_s * CLOCK_HZ),
        theirs=measured.cycles,
        calibrated=bool(measured.chosen),
        note=measured.chosen or measured.note,
    )


@hookimpl
def codesign_validations() -> Mapping[str, Validation[Measured]]:
    """Cycles of products, convolutions, normalisations, attention and networks."""
    validation = Validation(
        title="cycles measured on one core of a TPU v3",
        source="PyTorchSim artifact (MICRO 2025, MIT), experiments/artifact/baseline_cycle.csv",
        note="one hardware for all; programs as XLA fuses them, single precision in memory",
        rows=rows,
        compare=compare,
        files=(FILE,),
    )
    return {"tpuv3": validation}


def _measured(row: TableRow) -> Measured:
    name, cycles = row.text("workload"), row.whole("tpu_v3_cycles")
    if name == RESNET:
        note = "its first layers have 3 and 64 channels, see the convolution of 64"
        return Measured(name=name, cycles=cycles, note=note)
    if name in _ENCODERS:
        width, heads = _ENCODERS[name]
        note = "one encoder block of 512 tokens; on the chip norms may join the products before"
        return Measured(name=name, cycles=cycles, trace=encoder(512, width, heads), note=note)
    for shape in _SHAPES:
        found = re.match(shape.pattern, name)
        sizes = [int(size) for size in found.groups()] if found else [0]
        if min(sizes):
            trace = shape.build(*sizes)
            return Measured(
                name=name, cycles=cycles, trace=trace, chosen=shape.chosen, note=shape.note
            )
    return Measured(name=name, cycles=cycles, reason="no program for such a workload is written")
