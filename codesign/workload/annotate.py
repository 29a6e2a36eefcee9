"""What nobody can read from a graph: bit widths, zeros and codecs that the user declares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from codesign.errors import TraceError, did_you_mean, nearest
from codesign.workload.density_places import Actual
from codesign.workload.dtype import DType
from codesign.workload.record import Op, Tensor, Trace
from codesign.workload.retensor import with_tensors
from codesign.workload.rewrite import every_op
from codesign.workload.sparsity import Sparsity

if TYPE_CHECKING:
    from codesign.workload.formats import Format

_AT_REST = ("weight", "constant")
_TEXTS = (
    "pattern",
    "weight_dtype",
    "activation_dtype",
    "sparsity",
    "activation_sparsity",
    "codec",
)
KEYS = ("weight_bits", "activation_bits", *_TEXTS[1:])
"""What an annotation may say of the operators that match."""
_PLAIN = "dense"
"""The codec that leaves every element as it is: nobody has to decode it."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What is said of the weights and activations of some operators.

    Attributes:
        pattern: of operator names, with ``*``, ``?`` and ``[...]`` as in file names.
        weight_bits: of a weight, a whole number format.
        activation_bits: of what the operators read beside weights, a whole number format.
        weight_dtype: a format such as ``fp4[16x8]``, in the place of ``weight_bits``.
        activation_dtype: the same for activations.
        sparsity: zeros of the weights, as ``Sparsity.parse`` takes them.
        activation_sparsity: zeros of the activations.
        codec: format in which the weights are stored at home.
        place: file and line, for errors; "" for none.
    """

    pattern: str
    weight_bits: int | None = None
    activation_bits: int | None = None
    weight_dtype: str | None = None
    activation_dtype: str | None = None
    sparsity: str | None = None
    activation_sparsity: str | None = None
    codec: str | None = None
    place: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for name in _TEXTS:
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or not value):
                raise TraceError(
                    f"{self.pattern}: {name} must be a text, got {repr(value)[:60]}; write it in "
                    "quotes"
                )
        for side in ("weight", "activation"):
            bits, dtype = getattr(self, f"{side}_bits"), getattr(self, f"{side}_dtype")
            if bits is not None and dtype is not None:
                raise TraceError(
                    f"{self.pattern}: {side}_bits={bits} and {side}_dtype={dtype!r} both say how "
                    "wide a number is; give one"
                )
            if bits is not None and (type(bits) is not int or not 1 <= bits <= 128):
                raise TraceError(
                    f"{self.pattern}: {side}_bits must be a whole number from 1 to 128, got "
                    f"{repr(bits)[:60]}; write for example 4"
                )
        for zeros in (self.sparsity, self.activation_sparsity):
            if zeros is not None:
                Sparsity.parse(zeros)
        for side in ("weight", "activation"):
            self.format_of(side)
        if all(getattr(self, key) is None for key in KEYS):
            raise TraceError(
                f"{self.pattern}: an annotation must say something; give for example weight_bits=4"
            )

    def format_of(self, side: str) -> DType | None:
        """The format of weights or activations; None for what they have.

        Args:
            side: ``weight`` or ``activation``.
        """
        bits, dtype = getattr(self, f"{side}_bits"), getattr(self, f"{side}_dtype")
        if bits is not None:
            return DType("int", bits)
        found = None if dtype is None else DType.parse(dtype)
        if found is not None and found.kind == "bool":
            raise TraceError(
                f"{self.pattern}: {side}_dtype must be of numbers, got bool; write int1"
            )
        return found


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
        if said.codec is not None:
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
        changed: dict[str, Tensor] = {}
        for tensor in _weights(meant):
            changed[tensor.name] = self._weight(tensor)
        if self._speaks_of("activation"):
            for tensor in _activations(meant):
                changed[tensor.name] = self._activation(tensor)
        elif not changed:
            raise TraceError(
                f"the annotation {said.pattern!r} matches {len(meant)} operators without weights "
                f"of two axes, e.g. {meant[0].name!r}; match contractions or lookups"
            )
        told = ", ".join(f"{key}={v}" for key in KEYS if (v := getattr(said, key)) is not None)
        note = f"declared, not measured: {told} for {len(meant)} operators matching {said.pattern}"
        return with_tensors(self._trace, changed).replace(notes=(*self._trace.notes, note))

    def _speaks_of(self, side: str) -> bool:
        return any(key.startswith(side) and getattr(self._said, key) is not None for key in KEYS)

    def _weight(self, tensor: Tensor) -> Tensor:
        changed = self._changed(tensor, self._said.format_of("weight"), self._said.sparsity)
        codec = self._said.codec
        if codec is None and changed != tensor and tensor.stored:
            codec = tensor.stored.codec  # what it takes follows its format and its zeros
        if codec is None:
            return changed
        form = find_format(codec, self._plugins)
        try:
            stored = form.stored(changed.shape, changed.dtype, changed.sparsity)
        except TraceError as error:
            raise TraceError(f"{tensor.name}: codec {codec!r}: {error}") from error
        return replace(changed, stored=None if stored.codec == _PLAIN else stored)

    def _activation(self, tensor: Tensor) -> Tensor:
        said = self._said
        return self._changed(tensor, said.format_of("activation"), said.activation_sparsity)

    @staticmethod
    def _changed(tensor: Tensor, dtype: DType | None, zeros: str | None) -> Tensor:
        if dtype is not None:
            tensor = replace(tensor, dtype=dtype)
        if zeros is not None:
            said, known = Sparsity.parse(zeros), tensor.sparsity
            if said.granularity == "n:m" and known and isinstance(known.density, Actual):
                said = replace(said, density=known.density)  # the zeros that it has must keep to it
            tensor = replace(tensor, sparsity=said.on(tensor.shape, tensor.name))
        return tensor


def find_format(codec: str, plugins: Sequence[Path | str] = ()) -> Format:
    """A codec by its name.

    Raises:
        TraceError: there is none of that name.
    """
    from codesign.plugins import registry

    known: Mapping[str, Format] = registry(plugins).get("codesign_formats")
    if codec not in known:
        raise TraceError(f"unknown codec {codec!r}{did_you_mean(codec, known)}")
    return known[codec]


def _weights(ops: Iterable[Op]) -> Iterator[Tensor]:
    """Stored factors of contractions, and tables that are looked up."""
    for op in ops:
        found = {"contraction": op.inputs[:2], "gather": op.inputs[:1]}.get(op.kind, ())
        for access in found:
            if access.tensor.role in _AT_REST and len(access.tensor.shape) > 1:
                yield access.tensor


def _activations(ops: Iterable[Op]) -> Iterator[Tensor]:
    """What is read and not stored, but for numbers of rows and the like."""
    for op in ops:
        for access in op.inputs:
            tensor = access.tensor
            if tensor.role not in _AT_REST and (tensor.dtype.is_float or op.kind == "contraction"):
                yield tensor
