"""What nobody can read from a graph: bit widths, zeros and codecs that the user declares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from codesign.errors import TraceError, did_you_mean, nearest
from codesign.workload.annotation import KEYS, Annotation
from codesign.workload.density_places import Actual
from codesign.workload.record import Op, Tensor, Trace
from codesign.workload.retensor import with_tensors
from codesign.workload.rewrite import every_op
from codesign.workload.sparsity import Sparsity

if TYPE_CHECKING:
    from codesign.workload.formats import Format

__all__ = ["KEYS", "Annotation", "annotate", "find_format", "with_annotations"]

_AT_REST = ("weight", "constant")
_PLAIN = "dense"
"""The codec that leaves every element as it is: nobody has to decode it."""
_PARAMETERS = "choose_qparams"
"""In the graph target of what works out scales and zero points as the model runs."""


def annotate(
    trace: Trace,
    pattern: str,
    *,
    weight_bits: int | None = None,
    activation_bits: int | None = None,
    weight_dtype: str | None = None,
    activation_dtype: str | None = None,
    sparsity: str | None = None,
    activation_sparsity: str | None = None,
    codec: str | None = None,
    plugins: Sequence[Path | str] = (),
) -> Trace:
    """Declares bit widths, zeros and codecs of some operators.

    Weights are the stored factors of contractions and the tables of lookups; biases and the
    vectors of normalisations stay as they are. A tensor that several operators use changes for
    all of them.

    Args:
        trace: what to annotate.
        pattern: of operator names, such as ``encoder.*``.
        weight_bits: see ``Annotation``, like all that follow.
        activation_bits: bits of what the operators read beside weights.
        weight_dtype: format of weights.
        activation_dtype: format of activations.
        sparsity: zeros of weights.
        activation_sparsity: zeros of activations.
        codec: how weights are stored.
        plugins: folders with further codecs.

    Returns:
        A trace with a note about the change.

    Raises:
        TraceError: a pattern that matches nothing to change, a value that means nothing, a codec
            that cannot hold the weights.
    """
    said = Annotation(
        pattern,
        weight_bits,
        activation_bits,
        weight_dtype,
        activation_dtype,
        sparsity,
        activation_sparsity,
        codec,
    )
    return with_annotations(trace, (said,), plugins)


def with_annotations(
    trace: Trace, annotations: Iterable[Annotation], plugins: Sequence[Path | str] = ()
) -> Trace:
    """The trace with what some annotations say, one after the other.

    Raises:
        TraceError: as ``annotate``.
    """
    if not isinstance(trace, Trace):
        raise TraceError(
            f"only a trace can be annotated, got {type(trace).__name__}; capture it with "
            "codesign.trace, or read it with codesign.load_trace"
        )
    for said in annotations:
        try:
            trace = _Annotator(trace, said, plugins).trace()
        except TraceError as error:
            raise TraceError(f"{said.place}: {error}" if said.place else str(error)) from error
    return trace


class _Annotator:
    """One annotation of one trace."""

    def __init__(self, trace: Trace, said: Annotation, plugins: Sequence[Path | str]) -> None:
        self._trace, self._said = trace, said
        self._plugins = plugins
        self._lost: dict[str, list[str]] = {}
        if said.codec is not None:
            with said.told("codec"):
                find_format(said.codec, plugins)

    def trace(self) -> Trace:
        """The annotated trace."""
        said, ops = self._said, list(every_op(self._trace.items))
        meant = [op for op in ops if fnmatchcase(op.name, said.pattern)]
        if not meant:
            names = [op.name for op in ops]
            raise TraceError(
                f"the annotation {said.pattern!r} matches no operator"
                f"{nearest(said.pattern.replace('*', ''), names)}"
            )
        changed = {tensor.name: self._weight(tensor) for tensor in self._meant("weight", meant)}
        for tensor in self._meant("activation", meant):
            changed[tensor.name] = self._activation(tensor)
        count = sum(any(a.tensor.name in changed for a in op.inputs) for op in meant)
        told = ", ".join(f"{key}={v}" for key in KEYS if (v := getattr(said, key)) is not None)
        note = f"declared, not measured: {told} for {count} operators matching {said.pattern}"
        for what, names in self._lost.items():
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            note += f"; {what} of {names[0]}{more} no longer count"
        return with_tensors(self._trace, changed).replace(notes=(*self._trace.notes, note))

    def _meant(self, side: str, ops: Sequence[Op]) -> list[Tensor]:
        """The tensors that the annotation speaks of on one side.

        Raises:
            TraceError: it speaks of that side, and none of the operators has such a tensor.
        """
        if not self._said.speaks_of(side):
            return []
        if side == "weight":
            what, instead = "weights of two axes", "contractions or lookups"
            found = list(_weights(ops))
        else:
            what, instead = "activations of floating point", "what reads some"
            scales = _scales(every_op(self._trace.items))
            found = [tensor for tensor in _activations(ops) if tensor.name not in scales]
        if not found:
            raise TraceError(
                f"the annotation {self._said.pattern!r} matches {len(ops)} operators without "
                f"{what}, e.g. {ops[0].name!r}; match {instead}"
            )
        return found

    def _weight(self, tensor: Tensor) -> Tensor:
        changed = self._changed(tensor, "weight", "sparsity")
        codec = self._said.codec
        if codec is None and changed != tensor and tensor.stored:
            codec = tensor.stored.codec  # what it takes follows its format and its zeros
        if codec is None:
            return changed
        form = find_format(codec, self._plugins)
        try:
            stored = form.stored(changed.shape, changed.dtype, changed.sparsity)
        except TraceError as error:
            empty = changed.sparsity is not None and not changed.sparsity.share
            way = "; it is all zeros, take a codec that marks them, e.g. bitmap" if empty else ""
            raise TraceError(
                f"{self._said.pattern}: {tensor.name}: codec {codec!r}: {error}{way}"
            ) from error
        return replace(changed, stored=None if stored.codec == _PLAIN else stored)

    def _activation(self, tensor: Tensor) -> Tensor:
        return self._changed(tensor, "activation", "activation_sparsity")

    def _changed(self, tensor: Tensor, side: str, key: str) -> Tensor:
        """The tensor in the format and with the zeros that are said of it."""
        dtype, zeros = self._said.format_of(side), getattr(self._said, key)
        if dtype is not None:
            if tensor.dtype.block and not dtype.block:
                self._lose(f"the scales of {tensor.dtype}", tensor)
            tensor = replace(tensor, dtype=dtype)
        if zeros is None:
            return tensor
        said, known = Sparsity.parse(zeros), tensor.sparsity
        if known and isinstance(known.density, Actual):
            if said.granularity == "n:m":
                said = replace(said, density=known.density)  # its zeros must keep to it
            else:
                self._lose(f"the zeros that were read ({known.share:.3g} not zero)", tensor)
        with self._said.told(key):
            return replace(tensor, sparsity=said.on(tensor.shape, tensor.name))

    def _lose(self, what: str, tensor: Tensor) -> None:
        """Notes that something the model says of a tensor is overruled."""
        self._lost.setdefault(what, []).append(tensor.name)


def find_format(codec: str, plugins: Sequence[Path | str] = ()) -> Format:
    """A codec by its name.

    Raises:
        TraceError: there is none of that name.
    """
    from codesign.plugins import registry

    loaded = registry(plugins)
    known: Mapping[str, Format] = loaded.get("codesign_formats")
    if codec not in known:
        raise TraceError(f"unknown codec {codec!r}{did_you_mean(codec, known)}{loaded.lost()}")
    return known[codec]


def _weights(ops: Iterable[Op]) -> Iterator[Tensor]:
    """Stored factors of contractions, and tables that are looked up."""
    for op in ops:
        found = {"contraction": op.inputs[:2], "gather": op.inputs[:1]}.get(op.kind, ())
        for access in found:
            if access.tensor.role in _AT_REST and len(access.tensor.shape) > 1:
                yield access.tensor


def _activations(ops: Iterable[Op]) -> Iterator[Tensor]:
    """What is read and not stored: floating-point numbers, and the factors of contractions.

    Of what a contraction reads beside its factors, only what is as large as its results: scales of
    rows or columns are none of its activations.
    """
    for op in ops:
        least = op.outputs[0].elements if op.kind == "contraction" else 0
        for number, access in enumerate(op.inputs):
            tensor = access.tensor
            if tensor.role in _AT_REST:
                continue
            is_factor = op.kind == "contraction" and number < 2
            if is_factor or (tensor.dtype.is_float and access.elements >= least):
                yield tensor


def _scales(ops: Iterable[Op]) -> set[str]:
    """Names of ranges, scales and zero points that are worked out as the model runs."""
    made = (op for op in ops if _PARAMETERS in op.source)
    return {access.tensor.name for op in made for access in op.outputs}
