"""Narrower networks: fewer channels of chosen layers, as the sub-networks of a supernet have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from codesign.errors import TraceError, nearest
from codesign.workload.record import Access, Op, Tensor, Trace
from codesign.workload.rewrite import every_op
from codesign.workload.rewrites.cut import Cuts, axis_of_tensor, axis_of_view
from codesign.workload.rewrites.edit import dense, finished, replaced

_ALIGNED = ("elementwise", "normalize", "move", "gather")
"""Kinds without loops whose last axes belong together."""


def shrink_widths(trace: Trace, widths: Mapping[str, int]) -> Trace:
    """Gives linear layers and convolutions fewer output channels.

    Everything that carries these channels follows: biases, elementwise and normalising operators,
    depthwise convolutions, pooling, shortcuts with the layers that they add to, and the inputs of
    the layers behind. The inputs and outputs of the model stay.

    Args:
        trace: of the model.
        widths: for patterns of operator names, such as ``*.up.linear``, the number of channels.

    Raises:
        TraceError: a pattern that matches nothing, a number that does not suit, channels that an
            operator takes apart (the heads of an attention) or that leave the model.
    """
    spread = _Spread(trace)
    for pattern, width in widths.items():
        for op in _layers(trace, pattern):
            spread.start(op, width)
    cuts = spread.finish()
    by = {op.name: (cuts.op(op),) for op in every_op(trace.items)}
    tensors = [cuts.tensor(tensor) for tensor in trace.tensors]
    told = ", ".join(f"{pattern} {width}" for pattern, width in widths.items())
    return finished(trace, replaced(trace.items, by), tensors, f"channels cut to {told}")


def _layers(trace: Trace, pattern: str) -> list[Op]:
    every = [op for op in every_op(trace.items) if op.kind == "contraction"]
    ops = [op for op in every if op.inputs[1].tensor.role == "weight"]
    meant = [op for op in ops if fnmatchcase(op.name, pattern)]
    if not meant:
        hint = nearest(pattern.replace("*", ""), [op.name for op in ops])
        raise TraceError(
            f"shrink_widths: {pattern!r} matches no linear layer or convolution of {trace.name}"
            f"{hint}"
        )
    return meant


class _Spread:
    """From the channels of a few layers to all that must be cut with them."""

    def __init__(self, trace: Trace) -> None:
        self._trace, self._cuts = trace, Cuts()
        self._users: dict[str, dict[str, Op]] = defaultdict(dict)
        for op in every_op(trace.items):
            for access in op.operands:
                self._users[access.tensor.name][op.name] = op
        self._waiting: list[tuple[Tensor, int, int]] = []

    def start(self, op: Op, width: int) -> None:
        """Cuts the output channels of a layer."""
        nest, output = op.loops, op.outputs[0]
        wide = [dim for dim in nest.classes(len(op.inputs))[3] if nest.extents[dim] > 1]
        if len(wide) != 1:
            raise TraceError(
                f"shrink_widths: {op.name} has no channels of its own (a depthwise convolution "
                "follows the layer before it); match that layer"
            )
        channels = nest.extents[wide[0]]
        if type(width) is not int or not 1 <= width <= channels:
            raise TraceError(
                f"shrink_widths: {op.name} has {channels} channels, got {width!r}; give a whole "
                f"number from 1 to {channels}"
            )
        axes = nest.operands[-1]
        at = next(n for n, axis in enumerate(axes) if wide[0] in dict(axis.terms))
        self._add(op, output, at, width)

    def finish(self) -> Cuts:
        """Everything that is cut."""
        while self._waiting:
            tensor, axis, width = self._waiting.pop()
            for op in self._users[tensor.name].values():
                for number, access in enumerate(op.operands):
                    if access.tensor.name == tensor.name:
                        self._follow(op, number, axis, width)
        self._cut_folded()
        return self._cuts

    def _add(self, op: Op, access: Access, axis: int, width: int) -> None:
        """Cuts the tensor behind an axis of a view."""
        tensor, at = access.tensor, axis_of_tensor(access, axis)
        if at is None:
            raise self._taken_apart(op, tensor)
        known = self._cuts.tensors.setdefault(tensor.name, {})
        if known.get(at, width) != width:
            raise TraceError(
                f"shrink_widths: {tensor.name!r} would get {known[at]} and {width} channels; its "
                "writers share a shortcut, so give them one width"
            )
        if at in known:
            return
        if tensor.role in ("input", "output", "state"):
            raise TraceError(
                f"shrink_widths: {op.name} carries the channels to {tensor.name!r}, the "
                f"{tensor.role} of the model; leave its layer out"
            )
        known[at] = width
        self._waiting.append((dense(tensor, "shrink_widths"), at, width))

    def _follow(self, op: Op, number: int, axis: int, width: int) -> None:
        """Cuts all that runs along with an axis of one operand of an operator."""
        access = op.operands[number]
        at = axis_of_view(access, axis)
        if at is None:
            raise self._taken_apart(op, access.tensor)
        for other, place in self._along(op, number, at, width):
            view = op.operands[other]
            self._cuts.views.setdefault(op.name, {})[other, place] = width
            if view.strides[place]:
                self._add(op, view, place, width)

    def _along(self, op: Op, number: int, at: int, width: int) -> Iterator[tuple[int, int]]:
        """Operands and axes that have one extent with an axis of an operand."""
        if op.nest:
            (dim, _), *more = op.nest.operands[number][at].terms
            if more:
                raise self._taken_apart(op, op.operands[number].tensor)
            self._cuts.loops.setdefault(op.name, {})[dim] = width
            for other, axes in enumerate(op.nest.operands):
                yield from ((other, n) for n, axis in enumerate(axes) if dim in dict(axis.terms))
            return
        view = op.operands[number]
        last = len(view.shape) - at
        normalised = op.kind == "normalize" and op.attribute("width") == view.shape[at]
        if op.kind not in _ALIGNED or (last > 1 and op.kind in ("normalize", "gather")):
            raise self._taken_apart(op, view.tensor)
        written = [access.shape for access in op.outputs]
        if any(len(shape) < last or shape[-last] != view.shape[at] for shape in written):
            raise self._taken_apart(op, view.tensor)
        if normalised:
            self._cuts.widths[op.name] = width
        for other, access in enumerate(op.operands):
            place = len(access.shape) - last
            if place >= 0 and access.shape[place] == view.shape[at]:
                yield other, place

    def _cut_folded(self) -> None:
        """Scales of normalisations that a fusion folded away have the length of their biases."""
        for tensor in self._trace.tensors:
            if tensor.name in self._users or len(tensor.shape) != 1:
                continue
            parent = tensor.name.rpartition(".")[0]
            for name, cut in tuple(self._cuts.tensors.items()):
                if name.rpartition(".")[0] == parent and self._is_beside(tensor, name):
                    self._cuts.tensors[tensor.name] = dict(cut)

    def _is_beside(self, tensor: Tensor, name: str) -> bool:
        return any(one.name == name and one.shape == tensor.shape for one in self._trace.tensors)

    @staticmethod
    def _taken_apart(op: Op, tensor: Tensor) -> TraceError:
        return TraceError(
            f"shrink_widths: {op.name} ({op.kind}) takes the channels of {tensor.name!r} apart or "
            "puts them together with others; leave the layers around it out"
        )
