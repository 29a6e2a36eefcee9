"""Validation: convolutions beside the latencies of the first Eyeriss chip, as a trend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import codesign
from codesign import Trace, hookimpl
from codesign.validation import Case, NotRun, TableRow, Validation, parse_table, read_table

FILE = "npus/published_measurements.csv"
COLUMNS = ("hardware", "workload", "metric", "value", "unit")
TYPED = """\
hardware,workload,metric,value,unit
Eyeriss v1 chip,AlexNet CONV1,latency,20.9,ms
Eyeriss v1 chip,AlexNet CONV2,latency,41.9,ms
Eyeriss v1 chip,AlexNet CONV4,latency,18.4,ms
Eyeriss v1 chip,VGG16 CONV5-1,latency,54.3,ms
"""
"""Some of the layers, for those who do not have the file."""

HARDWARE = "eyeriss"
CHIP = "Eyeriss v1 chip"
BATCH = {"AlexNet": 4, "VGG16": 3}
"""Images of one measurement."""

LAYERS: Mapping[str, tuple[int, int, int, int, int, int, int]] = {
    "AlexNet CONV1": (3, 96, 227, 11, 4, 0, 1),
    "AlexNet CONV2": (96, 256, 27, 5, 1, 2, 2),
    "AlexNet CONV3": (256, 384, 13, 3, 1, 1, 1),
    "AlexNet CONV4": (384, 384, 13, 3, 1, 1, 2),
    "AlexNet CONV5": (384, 256, 13, 3, 1, 1, 2),
    "VGG16 CONV1-1": (3, 64, 224, 3, 1, 1, 1),
    "VGG16 CONV1-2": (64, 64, 224, 3, 1, 1, 1),
    "VGG16 CONV2-1": (64, 128, 112, 3, 1, 1, 1),
    "VGG16 CONV2-2": (128, 128, 112, 3, 1, 1, 1),
    "VGG16 CONV3-1": (128, 256, 56, 3, 1, 1, 1),
    "VGG16 CONV3-2": (256, 256, 56, 3, 1, 1, 1),
    "VGG16 CONV3-3": (256, 256, 56, 3, 1, 1, 1),
    "VGG16 CONV4-1": (256, 512, 28, 3, 1, 1, 1),
    "VGG16 CONV4-2": (512, 512, 28, 3, 1, 1, 1),
    "VGG16 CONV4-3": (512, 512, 28, 3, 1, 1, 1),
    "VGG16 CONV5-1": (512, 512, 14, 3, 1, 1, 1),
    "VGG16 CONV5-2": (512, 512, 14, 3, 1, 1, 1),
    "VGG16 CONV5-3": (512, 512, 14, 3, 1, 1, 1),
}
"""Channels, filters, size of the image, kernel, stride, padding and groups, as first published:
Krizhevsky et al., NIPS 2012; Simonyan and Zisserman, ICLR 2015."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A latency of the chip.

    Attributes:
        name: of a layer, or of the sum of a network.
        layers: that it is of; none where they are not known.
        seconds: for all images.
    """

    name: str
    layers: tuple[str, ...]
    seconds: float


def rows(data: Path | None) -> Sequence[Measured]:
    """The latencies of the chip in the file, or the typed ones."""
    found = read_table(data / FILE, COLUMNS) if data else parse_table(TYPED, COLUMNS, "typed rows")
    return [
        _measured(row)
        for row in found
        if row.text("hardware") == CHIP and row.text("metric") == "latency"
    ]


def compare(measured: Measured) -> Iterator[Case | NotRun]:
    """Latency of the layers one after the other, image by image."""
    if not measured.layers:
        yield NotRun(name=measured.name, reason="the sizes of such a layer are not known")
        return
    yield Case(
        name=measured.name,
        quantity="latency",
        unit="s",
        ours=BATCH[measured.name.split()[0]] * sum(_latency_s(layer) for layer in measured.layers),
        theirs=measured.seconds,
        note="trend",
    )


@cache
def _latency_s(layer: str) -> float:
    """Seconds of one image through a layer alone."""
    # every command loads every plugin, and the kit is large
    from codesign.testing import convolution

    channels, filters, size, kernel, stride, padding, groups = LAYERS[layer]
    op = convolution(channels, filters, size, kernel, stride, padding, groups=groups, dtype="int16")
    tensors = tuple(access.tensor for access in op.operands)
    return codesign.simulate(Trace(layer, (op,), tensors), HARDWARE, residency="none").latency_s


@hookimpl
def codesign_validations() -> Mapping[str, Validation[Measured]]:
    """Latencies of convolutions on a chip with row-stationary cells."""
    validation = Validation(
        title="latency of convolutions on row-stationary cells, a trend",
        source="Chen et al., JSSC 2017, tables V and VI, quoted from memory; sums checked",
        note="nothing is fitted; cells may lie another way than in the chip, whose first layers of "
        "VGG-16 take three times the cycles of their products",
        rows=rows,
        compare=compare,
        files=(FILE,),
    )
    return {"eyeriss": validation}


def _measured(row: TableRow) -> Measured:
    name = row.text("workload")
    network = name.split()[0] if name else ""
    if row.text("unit") != "ms":
        raise row.fault("unit", "ms")
    if name == f"{network} total conv":
        layers = tuple(layer for layer in LAYERS if layer.startswith(f"{network} "))
    else:
        layers = tuple(layer for layer in LAYERS if layer == name)
    return Measured(name=name, layers=layers, seconds=row.number("value") * 1e-3)
