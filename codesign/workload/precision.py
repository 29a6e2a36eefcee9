"""Another number format for a whole trace: what the model would cost if it were quantised."""

from __future__ import annotations

from dataclasses import replace

from codesign.errors import TraceError
from codesign.workload.dtype import DType
from codesign.workload.record import Access, Branch, Carry, Item, Op, Region, Tensor, Trace


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
        tensor.name: replace(tensor, dtype=target)
        for tensor in trace.tensors
        if tensor.dtype.is_float and tensor.dtype != target
    }
    if not tensors:
        return trace
    note = f"floating-point tensors stored and computed as {target}"
    return trace.replace(
        items=_Rewriter(tensors).block(trace.items),
        tensors=tuple(tensors.get(tensor.name, tensor) for tensor in trace.tensors),
        notes=(*trace.notes, note),
    )


class _Rewriter:
    """Puts new tensors in the place of those of the same name, one object for each."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self._tensors = tensors

    def block(self, items: tuple[Item, ...]) -> tuple[Item, ...]:
        return tuple(self._item(item) for item in items)

    def _item(self, item: Item) -> Item:
        if isinstance(item, Region):
            carries = tuple(self._carry(carry) for carry in item.carries)
            return replace(item, body=self.block(item.body), carries=carries)
        if isinstance(item, Branch):
            otherwise = self.block(item.otherwise)
            return replace(item, taken=self.block(item.taken), otherwise=otherwise)
        return self._op(item)

    def _op(self, op: Op) -> Op:
        inputs = tuple(self._access(access) for access in op.inputs)
        outputs = tuple(self._access(access) for access in op.outputs)
        changed = replace(op, inputs=inputs, outputs=outputs)
        return _with_row_bytes(changed) if op.kind in ("gather", "scatter") else changed

    def _access(self, access: Access) -> Access:
        tensor = self._tensors.get(access.tensor.name)
        return replace(access, tensor=tensor) if tensor else access

    def _carry(self, carry: Carry) -> Carry:
        initial = carry.initial and self._tensor(carry.initial)
        return Carry(self._tensor(carry.state), self._tensor(carry.update), initial)

    def _tensor(self, tensor: Tensor) -> Tensor:
        return self._tensors.get(tensor.name, tensor)


def _with_row_bytes(op: Op) -> Op:
    """A lookup whose attribute ``row_bytes``, if it has one, fits the format of its table."""
    if op.attribute("row_bytes") is None:
        return op
    table = op.inputs[0] if op.kind == "gather" else op.outputs[0]
    size = table.tensor.dtype.storage_bytes(table.shape[-1])
    facts = ((name, size if name == "row_bytes" else value) for name, value in op.attributes)
    return replace(op, attributes=tuple(facts))
