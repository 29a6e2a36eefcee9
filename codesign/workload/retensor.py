"""Other tensors in the place of those of the same name, all over a trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from codesign.workload.record import Access, Branch, Carry, Item, Op, Region, Tensor, Trace


def with_tensors(trace: Trace, tensors: Mapping[str, Tensor]) -> Trace:
    """The trace with some tensors changed in format, sparsity or codec.

    Args:
        trace: what to change.
        tensors: by name, what comes in the place of the tensor; of the same shape and role.
    """
    return trace.replace(
        items=_Rewriter(tensors).block(trace.items),
        tensors=tuple(tensors.get(tensor.name, tensor) for tensor in trace.tensors),
    )


class _Rewriter:
    """Puts new tensors in the place of those of the same name, one object for each."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
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
