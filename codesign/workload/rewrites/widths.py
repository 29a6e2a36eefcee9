"""Narrower networks: fewer channels of chosen layers, as the sub-networks of a supernet have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from codesign.errors import TraceError, nearest
from codesign.workload.record import Access, Op, Tensor, Trace, all_carries
from codesign.workload.retensor import with_tensors
from codesign.workload.rewrite import every_op
from codesign.workload.rewrites.cut import Cuts, axis_of_tensor, axis_of_view
from codesign.workload.rewrites.edit import dense, finished, known, patterns_in, replaced

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
    known(trace, "shrink_widths")
    if not isinstance(widths, Mapping) or not widths:
        raise TraceError(
            f"shrink_widths: widths must be a map of channels by pattern, got {repr(widths)[:60]}; "
            "write for example {'*.up.linear': 64}"
        )
    spread = _Spread(trace)
    for op, width in _asked(trace, widths):
        spread.start(op, width)
    cuts = spread.finish()
    by = {op.name: (cuts.op(op),) for op in every_op(trace.items)}
    tensors = {tensor.name: cuts.tensor(tensor) for tensor in trace.tensors}
    # what regions carry has its new shape too
    made = with_tensors(trace.replace(items=replaced(trace.items, by)), tensors)
    told = ", ".join(f"{pattern} {width}" for pattern, width in widths.items())
    return finished(trace, made.items, made.tensors, f"channels cut to {told}")


def _asked(trace: Trace, widths: Mapping[str, int]) -> Iterator[tuple[Op, int]]:
    """Each layer that is meant, once, with its width."""
    said: dict[str, str] = {}
    for pattern in patterns_in(list(widths), "shrink_widths"):
        for op in _layers(trace, pattern):
            first = said.setdefault(op.name, pattern)
            if widths[first] != widths[pattern]:
                raise TraceError(
                    f"shrink_widths: {first!r} gives {op.name} {widths[first]!r} channels and "
                    f"{pattern!r} {widths[pattern]!r}; let one pattern match it"
                )
            if first == pattern:
                yield op, widths[pattern]


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
        self._carried: dict[str, dict[str, Tensor]] = defaultdict(dict)
        for carry in all_carries(trace.items):
            held = [one for one in (carry.state, carry.update, carry.initial) if one]
            for one in held:
                self._carried[one.name] |= {other.name: other for other in held}
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
            self._hand_on(tensor, axis, width)
        self._cut_folded()
        return self._cuts

    def _hand_on(self, tensor: Tensor, axis: int, width: int) -> None:
        """Cuts what a region hands from step to step together: state, update and initial value."""
        view = tensor.access()
        for other in self._carried[tensor.name].values():
            at = axis_of_tensor(replace(view, tensor=other), axis)
            if at is None:
                raise TraceError(
                    f"shrink_widths: {tensor.name!r} {list(tensor.shape)} and {other.name!r} "
                    f"{list(other.shape)} are one state of a loop in different shapes; leave the "
                    "layers around it out"
                )
            self._cut(f"the loop with {tensor.name!r}", other, at, width)

    def _add(self, op: Op, access: Access, axis: int, width: int) -> None:
        """Cuts the tensor behind an axis of a view."""
        at = axis_of_tensor(access, axis)
        if at is None:
            raise self._taken_apart(op, access.tensor)
        self._cut(op.name, access.tensor, at, width)

    def _cut(self, by: str, tensor: Tensor, at: int, width: int) -> None:
        """Cuts an axis of a tensor, and waits to follow it."""
        cut = self._cuts.tensors.setdefault(tensor.name, {})
        if cut.get(at, width) != width:
            raise TraceError(
                f"shrink_widths: {tensor.name!r} would get {cut[at]} and {width} channels; its "
                "writers share a shortcut, so give them one width"
            )
        if at in cut:
            return
        is_kept = tensor.role == "state" and tensor.name not in self._carried
        if tensor.role in ("input", "output") or is_kept:
            raise TraceError(
                f"shrink_widths: {by} carries the channels to {tensor.name!r}, the "
                f"{tensor.role} of the model; leave its layer out"
            )
        cut[at] = width
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
        # the numbers of the rows that a lookup reads may chance to be as many
        rows = range(1, len(op.inputs)) if op.kind == "gather" else range(0)
        if (
            op.kind not in _ALIGNED
            or number in rows
            or (last > 1 and op.kind in ("normalize", "gather"))
        ):
            raise self._taken_apart(op, view.tensor)
        written = [access.shape for access in op.outputs]
        if any(len(shape) < last or shape[-last] != view.shape[at] for shape in written):
            raise self._taken_apart(op, view.tensor)
        if normalised:
            self._cuts.widths[op.name] = width
        for other, access in enumerate(op.operands):
            place = len(access.shape) - last
            if other not in rows and place >= 0 and access.shape[place] == view.shape[at]:
                yield other, place

    def _cut_folded(self) -> None:
        """Vectors of a norm that a fusion folded away are as long as the bias they went into.

        That is the bias of the norm, which stands beside them, or that of the operator, which
        then names them in its attribute ``folded``.
        """
        table = {tensor.name: tensor for tensor in self._trace.tensors}
        unused = [t for t in table.values() if t.name not in self._users and len(t.shape) == 1]
        beside = {t.name: t.name.rpartition(".")[0] for t in unused}
        for name, cut in tuple(self._cuts.tensors.items()):
            folded = {one for op in self._users[name].values() for one in _folded(op)}
            for tensor in unused:
                near = tensor.name in folded or beside[tensor.name] == name.rpartition(".")[0]
                if near and tensor.shape == table[name].shape:
                    self._cuts.tensors[tensor.name] = dict(cut)

    @staticmethod
    def _taken_apart(op: Op, tensor: Tensor) -> TraceError:
        return TraceError(
            f"shrink_widths: {op.name} ({op.kind}) takes the channels of {tensor.name!r} apart or "
            "puts them together with others; leave the layers around it out"
        )


def _folded(op: Op) -> tuple[str, ...]:
    """Names of the stored vectors that a fusion folded into the weight and bias of an operator."""
    names = op.attribute("folded", ())
    return tuple(map(str, names)) if isinstance(names, tuple) else ()
