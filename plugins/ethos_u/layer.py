"""An operator as the cores see it: an image of results, a kernel, and channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from codesign import Op
from codesign.workload.nest import Axis

Form = Literal["convolution", "depthwise", "vector", "pooling"]


@dataclass(frozen=True, slots=True)
class Window:
    """One axis of an image: a loop over results, and a loop over taps that slides with it.

    Attributes:
        pixels: results along the axis.
        taps: taps along it.
        stride: inputs from one result to the next.
        dilation: inputs from one tap to the next.
        dim: loop over the results; None if there is none.
        tap_dim: loop over the taps; None if there is none.
    """

    pixels: int = 1
    taps: int = 1
    stride: int = 1
    dilation: int = 1
    dim: int | None = None
    tap_dim: int | None = None

    @property
    def reach(self) -> int:
        """Inputs from the first to the last tap, both included."""
        return (self.taps - 1) * self.dilation + 1

    @property
    def inputs(self) -> int:
        """Inputs that all results take, padding included."""
        return (self.pixels - 1) * self.stride + self.reach


@dataclass(frozen=True, slots=True)
class Layer:
    """A contraction or a pooling.

    All other loops over results than those named here run one by one, a pass of the cores each.

    Attributes:
        form: ``convolution``; ``depthwise``: a kernel for each channel; ``vector``: one result
            for each channel; ``pooling``: no weights.
        height: the axis of the image that rows follow each other along.
        width: the axis along a row.
        depth: channels of the results.
        depth_dim: the loop over them; None if there is none.
        inner: input channels that each result adds up; of ``depthwise`` and ``pooling`` 1.
        inner_dim: the loop over them; None if there is none.
        passes: runs of all this: the other loops over results together.
        repeats: runs after each other with the same weights, such as the images of a batch; the
            passes are so many runs for every set of weights.
        more_sums: trip count of other loops that sums run over; a core takes none, which is 1.
    """

    form: Form
    height: Window
    width: Window
    depth: int
    depth_dim: int | None
    inner: int
    inner_dim: int | None
    passes: int
    repeats: int
    more_sums: int

    @property
    def input_depth(self) -> int:
        """Channels of the inputs that one pass reads."""
        return self.depth if self.is_flat else self.inner

    @property
    def is_flat(self) -> bool:
        """Whether a result takes from its own channel alone."""
        return self.form in ("depthwise", "pooling")

    @classmethod
    def of(cls, op: Op) -> Layer:
        """The layer that a loop nest describes."""
        return _pooling(op) if op.kind == "reduce" else _product(op)


def _product(op: Op) -> Layer:
    groups, rows, inner, columns = op.loops.classes(len(op.inputs))
    windows = _windows(op, rows, inner)
    taps = {window.tap_dim for window in windows}
    rest = _long(op, [dim for dim in inner if dim not in taps])
    channels = _long(op, columns)
    is_depthwise = bool(_long(op, groups)) and not channels and not (windows and rest)
    if is_depthwise and not windows:  # a dot product for each channel
        windows, rest = _flat_taps(op, rest), []
    height, width = _image(op, windows, _long(op, rows))
    depth_dim = _last(_long(op, groups) if is_depthwise else channels)
    inner_dim = _last(rest)
    is_vector = all(axis.pixels == axis.taps == 1 for axis in (height, width))
    summed = {height.tap_dim, width.tap_dim, inner_dim}
    named = {height.dim, width.dim, depth_dim}
    return Layer(
        "depthwise" if is_depthwise else "vector" if is_vector else "convolution",
        height,
        width,
        _extent(op, depth_dim),
        depth_dim,
        _extent(op, inner_dim),
        inner_dim,
        _rest(op, (*groups, *rows, *columns), named),
        _rest(op, rows, named),
        _rest(op, inner, summed),
    )


def _pooling(op: Op) -> Layer:
    every, results = range(len(op.loops.dims)), op.loops.uses(len(op.inputs))
    kept = [dim for dim in every if dim in results]
    summed = [dim for dim in every if dim not in results]
    windows = _windows(op, kept, summed) or _flat_taps(op, _long(op, summed))
    height, width = _image(op, windows, [])
    depth_dim = _last([d for d in _long(op, kept) if d not in (height.dim, width.dim)])
    passes = _rest(op, kept, {height.dim, width.dim, depth_dim})
    more = _rest(op, summed, {height.tap_dim, width.tap_dim})
    depth = _extent(op, depth_dim)
    return Layer("pooling", height, width, depth, depth_dim, 1, None, passes, passes, more)


def _windows(op: Op, rows: Sequence[int], inner: Sequence[int]) -> list[Window]:
    """Axes of the input along which a loop over taps slides with a loop over results."""
    found = []
    for axis in op.loops.operands[0]:
        pixels, taps = _term(axis, rows), _term(axis, inner)
        if pixels and taps:
            found.append(_window(op, pixels, taps))
    return found


def _window(op: Op, pixels: tuple[int, int], taps: tuple[int, int]) -> Window:
    (dim, stride), (tap_dim, dilation) = pixels, taps
    sizes = op.loops.extents[dim], op.loops.extents[tap_dim]
    return Window(*sizes, stride, dilation, dim, tap_dim)


def _term(axis: Axis, dims: Sequence[int]) -> tuple[int, int] | None:
    """The last term of an axis whose loop is one of these."""
    return next(((dim, by) for dim, by in reversed(axis.terms) if dim in dims), None)


def _flat_taps(op: Op, dims: list[int]) -> list[Window]:
    """Windows of one result, whose taps are all that is summed up."""
    return [Window(taps=op.loops.extents[dim], tap_dim=dim) for dim in dims[-2:]]


def _image(op: Op, windows: list[Window], rows: list[int]) -> tuple[Window, Window]:
    """The two axes of the image: the windows, or else loops over rows of results."""
    taken = {window.dim for window in windows}
    free = [dim for dim in rows if dim not in taken]
    axes = windows[-2:]
    while len(axes) < 2 and free:
        dim = free.pop()
        stride = next((by for a in op.loops.operands[0] for d, by in a.terms if d == dim), 1)
        axes = [Window(op.loops.extents[dim], stride=stride, dim=dim), *axes]
    height, width = [*[Window()] * (2 - len(axes)), *axes]
    return height, width


def _long(op: Op, dims: Sequence[int]) -> list[int]:
    return [dim for dim in dims if op.loops.extents[dim] > 1]


def _last(dims: list[int]) -> int | None:
    return dims[-1] if dims else None


def _rest(op: Op, dims: Sequence[int], named: set[int | None]) -> int:
    """Trip count of the loops that are not named."""
    return math.prod(op.loops.extents[dim] for dim in dims if dim not in named)


def _extent(op: Op, dim: int | None) -> int:
    return 1 if dim is None else op.loops.extents[dim]
