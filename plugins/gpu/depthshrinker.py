"""Validation: throughput of MobileNetV2 with merged blocks, where MACs say little.

A closed form of its own over all operators: nothing is replayed, and depthwise layers cost their
bytes only, as the direct kernels of a library do; kind ``gpu`` multiplies them in tiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from codesign import hookimpl
from codesign.errors import ValidationError, did_you_mean
from codesign.validation import Case, NotRun, TableRow, Validation, parse_table, read_table

from .depthshrinker_networks import KEPT, WIDTHS, Layer, mobilenet, sums
from .least import least
from .times import Constants, Device, contraction_s, streaming_s

Array: TypeAlias = NDArray[np.float64]

FILES = ("depthshrinker/points.csv",)
COUNTS = {
    "macs": ("macs_M", 1e6),
    "activation elements": ("activation_elements_M", 1e6),
    "weights": ("weights_M", 1e6),
    "layers": ("conv_fc_layers", 1),
}
"""Quantities, their columns and the units of these."""
RATE = "v100_img_s"
COLUMNS = ("model", *(column for column, _ in COUNTS.values()), RATE)
TYPED = """\
model,macs_M,conv_fc_layers,activation_elements_M,weights_M,v100_img_s
MBV2-1.4-orig,582.2,53,9.57,6.06,2127
MBV2-1.4-DS-A,496.2,41,4.93,5.924,3827
MBV2-1.4-DS-F,407.9,21,2.11,5.437,10804
MetaPruning-0.35x,,,,,7044
"""
"""Some of the rows, for those who do not have the file."""

V100 = Device(units=80, clock_hz=1.53e9, macs=512, bandwidth=900e9, l2_bytes_per_clock=2048)
"""Tesla V100 at its boost clock, products of 16-bit floats in its tensor cores."""
BATCH, ELEMENT_BYTES = 128, 2
"""Neither is published: chosen so that constants exist which reach the measured DS-F."""
BASE, FASTEST, PRUNED = "MBV2-1.4-orig", "MBV2-1.4-DS-F", "MetaPruning-0.35x"
FITTED = (BASE, FASTEST)
STAND_IN = 0.3
"""Width, chosen by us, of a uniform network with about the work of the pruned one, whose channels
are not published with the figures."""
OTHERS = (0.25, 0.4)
"""Widths that could have been chosen as well."""


@dataclass(frozen=True)
class Work:
    """Operators of a batch of images, as arrays.

    A normalisation, an activation and an addition of the shortcut each pass over the output once
    more, as an eager framework runs them. A depthwise convolution only moves bytes.

    Attributes:
        rows: rows of each product.
        inner: products added up for each of its results.
        columns: columns of it.
        moved_bytes: of its operands, once each.
        streamed_bytes: of each operator that multiplies no matrices.
    """

    rows: Array
    inner: Array
    columns: Array
    moved_bytes: Array
    streamed_bytes: Array

    @classmethod
    def of(cls, layers: Sequence[Layer]) -> Work:
        """The operators of a network."""
        dense = [layer for layer in layers if layer.groups == 1]
        moved = [layer.weights + BATCH * (layer.read + layer.activations) for layer in dense]
        streamed = [BATCH * elements for layer in layers for elements in _passes(layer)]
        return cls(
            np.array([BATCH * layer.size**2 for layer in dense], float),
            np.array([layer.inputs * layer.kernel**2 for layer in dense], float),
            np.array([layer.outputs for layer in dense], float),
            np.array(moved, float) * ELEMENT_BYTES,
            np.array(streamed, float) * ELEMENT_BYTES,
        )

    def images_per_s(self, constants: Constants) -> float:
        """Images per second: each operator takes as long as its products or its bytes."""
        sizes = self.rows, self.inner, self.columns
        products = contraction_s(V100, constants, 1, *sizes, self.moved_bytes, ELEMENT_BYTES)
        streams = streaming_s(V100, constants, self.streamed_bytes)
        return float(BATCH / (products.sum() + streams.sum()))


def _passes(layer: Layer) -> Iterator[int]:
    """Elements of one image that each operator around a product reads and writes."""
    if layer.groups > 1:
        yield layer.read + layer.activations
    if layer.normalised:
        yield 2 * layer.activations
    if layer.activation:
        yield 2 * layer.activations
    if layer.shortcut:
        yield 3 * layer.activations


@cache
def networks() -> Mapping[str, tuple[Layer, ...]]:
    """The networks that are built here, by the name of the table."""
    merged = {name: mobilenet(1.4, kept) for name, kept in KEPT.items()}
    uniform = {name: mobilenet(width) for name, width in WIDTHS.items()}
    return merged | uniform | {PRUNED: mobilenet(STAND_IN)}


@dataclass(frozen=True)
class Rates:
    """Measured rates, and the constants that two of them fit."""

    measured: Mapping[str, float]

    @cached_property
    def constants(self) -> Constants:
        """Shares of the peak and of the bandwidth with the least error for the fitted networks."""
        work = [Work.of(networks()[name]) for name in FITTED]
        theirs = np.array([self.measured[name] for name in FITTED])

        def residuals(place: Array) -> Array:
            ours = np.array([one.images_per_s(_constants(place)) for one in work])
            return np.asarray(np.log(ours / theirs))

        return _constants(least(residuals, 2))

    @cached_property
    def ours(self) -> Mapping[str, float]:
        """Our rate of every network that is built."""
        found = networks().items()
        return {name: Work.of(layers).images_per_s(self.constants) for name, layers in found}

    def uniform(self, width: float) -> float:
        """Our rate of a uniform network of some width."""
        return Work.of(mobilenet(width)).images_per_s(self.constants)

    def ratio(self, name: str, base: str) -> tuple[float, float]:
        """How many times faster one network is than another: ours, theirs."""
        return self.ours[name] / self.ours[base], self.measured[name] / self.measured[base]

    @property
    def text(self) -> str:
        """The constants in words."""
        found = self.constants
        return f"{found.compute:.3f} of the peak, {found.memory:.3f} of the bandwidth"


@dataclass(frozen=True)
class Point:
    """A network of the table."""

    row: TableRow
    rates: Rates

    def outcomes(self) -> Iterator[Case | NotRun]:
        """Its counts, its rate and its speed-up."""
        name = self.row.text("model")
        if name == PRUNED:
            yield self._stand_in()
        elif name not in networks():
            yield NotRun(name=name, reason="its channels are not published with the figures")
        else:
            yield from self._counts(name)
            yield from self._speed(name)

    def _stand_in(self) -> Case:
        """The fastest network beside one of ours in the place of the pruned one."""
        ours, theirs = self.rates.ratio(FASTEST, PRUNED)
        others = (self.rates.ours[FASTEST] / self.rates.uniform(width) for width in OTHERS)
        said = " and ".join(f"{other:.2f}" for other in others)
        widths = " and ".join(map(str, OTHERS))
        return Case(
            name=f"{FASTEST} over {PRUNED}",
            quantity="speed-up over a network of our choice",
            ours=ours,
            theirs=theirs,
            calibrated=True,
            note=f"a uniform network of width {STAND_IN}; of widths {widths} it is {said}",
        )

    def _counts(self, name: str) -> Iterator[Case]:
        ours = sums(networks()[name])
        for quantity, (column, unit) in COUNTS.items():
            if self.row.text(column):
                theirs = self.row.number(column) * unit
                yield Case(name=name, quantity=quantity, ours=ours[quantity], theirs=theirs)

    def _speed(self, name: str) -> Iterator[Case]:
        rates, is_fitted = self.rates, name in FITTED
        yield Case(
            name=name,
            quantity="throughput",
            unit="1/s",
            ours=rates.ours[name],
            theirs=rates.measured[name],
            calibrated=is_fitted,
            note=rates.text,
        )
        if name != BASE:
            ours, theirs = rates.ratio(name, BASE)
            case = f"{name} over {BASE}"
            yield Case(
                name=case, quantity="speed-up", ours=ours, theirs=theirs, calibrated=is_fitted
            )


def rows(data: Path | None) -> Sequence[Point]:
    """The networks of the file, or the typed ones.

    Raises:
        ValidationError: a file that breaks a rule, or that lacks a network that is fitted.
    """
    found = read_table(data / FILES[0], COLUMNS) if data else parse_table(TYPED, COLUMNS, "typed")
    measured = {row.text("model"): row.number(RATE) for row in found}
    for name in FITTED:
        if name not in measured:
            raise ValidationError(f"{found[0].file}: no row {name!r}{did_you_mean(name, measured)}")
    rates = Rates(measured)
    return [Point(row, rates) for row in found]


@hookimpl
def codesign_validations() -> Mapping[str, Validation[Point]]:
    """Networks that trade small operators for fewer, larger ones."""
    validation = Validation(
        title="throughput of MobileNetV2-1.4 with merged blocks on a V100: a separate closed form",
        source="table of the DepthShrinker repositories (a97f5d6 MIT, 506a163 CC BY-NC 4.0)",
        note=f"two constants, fitted to {FITTED[0]} and {FITTED[1]}; nothing is replayed and the "
        "kind gpu takes no part; batch and format are not published and were chosen so that "
        f"{FASTEST} can be reached: {BATCH} and {8 * ELEMENT_BYTES}-bit floats; the uniform "
        "networks are MobileNetV2 of that width with channels in eights; MACs alone predict at "
        "most 1.43 times",
        rows=rows,
        compare=lambda point: point.outcomes(),
        files=FILES,
    )
    return {"depthshrinker": validation}


def _constants(place: Array) -> Constants:
    compute, memory = (1 / (1 + 19 * place)).tolist()
    return Constants(t0=0.0, compute=compute, memory=memory)
