"""Another number format for a whole trace: what the model would cost if it were quantised."""

from __future__ import annotations

from dataclasses import replace

from codesign.errors import TraceError
from codesign.workload.dtype import DType
from codesign.workload.record import Tensor, Trace
from codesign.workload.retensor import with_tensors


def with_precision(trace: Trace, dtype: DType | str) -> Trace:
    """The trace with every floating-point tensor stored and computed in ``dtype``.

    Integers (token numbers, row numbers) and booleans keep their format. Operators, shapes, roles
    and MACs stay; operators that convert between two floating-point formats stay too, as copies.
    Scales and zero points of an integer format are not added: name a block format such as
    ``int4[32x16]`` to count them.

    Args:
        trace: what to convert.
        dtype: a format, or its name such as ``int8`` or ``bf16``.

    Returns:
        A trace with a note about the change, or ``trace`` itself if it changes nothing.

    Raises:
        TraceError: ``dtype`` is a name of no format, or boolean.
    """
    target = DType.parse(dtype) if isinstance(dtype, str) else dtype
    if target.kind == "bool":
        raise TraceError("precision must be a format of numbers, got bool; write for example int8")
    tensors = {
        tensor.name: in_format(tensor, target)
        for tensor in trace.tensors
        if tensor.dtype.is_float and tensor.dtype != target
    }
    if not tensors:
        return trace
    note = f"floating-point tensors stored and computed as {target}"
    return with_tensors(trace, tensors).replace(notes=(*trace.notes, note))


def in_format(tensor: Tensor, dtype: DType) -> Tensor:
    """A tensor in another format; in a codec, whose values take their bits of it.

    Raises:
        TraceError: it is in a codec, and blocks share scales in one of the formats.
    """
    stored = tensor.stored and tensor.stored.in_format(tensor.dtype, dtype)
    return replace(tensor, dtype=dtype, stored=stored)
