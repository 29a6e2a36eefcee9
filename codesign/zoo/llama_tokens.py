"""Several decoded tokens in a row, from the trace of the first one; torch-free.

Capturing each token would take as long as capturing the first; all that differs is how much of the
cache it reads, which row of the cache it writes and which row of the rotary tables it takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NoReturn

from codesign.errors import ModelError
from codesign.workload.record import Access, Item, Op, Tensor, Trace, contiguous_strides


def decode_tokens(trace: Trace, tokens: int) -> Trace:
    """A decoder generating ``tokens`` tokens one after the other.

    The context grows by one with each token. All weights stay one tensor; the caches have the
    length of the last token and every token reads the part that is filled by then. A token after
    the first is the most likely one (argmax) by the scores before it, chosen by an operator of its
    own, so that no token starts before its predecessor is known.

    Args:
        trace: the first token, of ``llama_3_1_8b_decode`` or another ``codesign.zoo.llama.decode``:
            its caches ``[batch, heads, length, width]`` are all its state, and its constants are
            one row of a table by position each.
        tokens: how many, at least 1.

    Raises:
        ModelError: ``tokens`` is below 1, or the trace is not that of a decoded token.
    """
    if tokens < 1:
        raise ModelError(f"tokens of {trace.name} must be at least 1, got {tokens}")
    first = _First(trace)
    items: list[Item] = []
    tensors: dict[str, Tensor] = {}
    for index in range(tokens):
        step = _Step(first, index, tokens)
        if index:
            items.append(step.choice())
        items += [step.op(op) for op in first.ops]
        tensors |= {t.name: t for t in map(step.tensor, trace.tensors)}
    last = first.length + tokens - 1
    note = f"{tokens} tokens by greedy choice, context from {first.length} to {last}"
    return trace.replace(
        items=tuple(items), tensors=tuple(tensors.values()), notes=(*trace.notes, note)
    )


class _First:
    """The trace of the first token, checked for what makes it one.

    Attributes:
        name: of the trace.
        ops: its operators.
        length: tokens in the caches after it.
        token: the tensor with the number of the token that is read.
        scores: the tensor with the scores of the next token.
    """

    def __init__(self, trace: Trace) -> None:
        self.name = trace.name
        self.ops = tuple(self._operators(trace))
        caches, tables, inputs, outputs = (
            [tensor for tensor in trace.tensors if tensor.role == role]
            for role in ("state", "constant", "input", "output")
        )
        lengths = {tensor.shape[2:3] for tensor in caches}
        if len(lengths) != 1 or any(len(tensor.shape) != 4 for tensor in caches):
            self.refuse("its state must be caches [batch, heads, length, width] of one length")
        if any(tensor.shape[:1] != (1,) for tensor in tables):
            self.refuse("its constants must be one row of a table by position each")
        if len(inputs) != 1 or len(outputs) != 1:
            self.refuse("it must read one token and give one tensor of scores")
        self.length, self.token, self.scores = caches[0].shape[2], inputs[0], outputs[0]
        for op in self.ops:
            self._check_caches(op)
        used = {a.tensor.name for op in self.ops for a in op.inputs if a.tensor.role == "state"}
        if len(used) < len(caches):
            self.refuse("it must read every cache, which takes a context of at least 2 tokens")

    def refuse(self, reason: str) -> NoReturn:
        raise ModelError(
            f"{self.name} is not the trace of one decoded token: {reason}; "
            "give the trace of llama_3_1_8b_decode"
        )

    def _operators(self, trace: Trace) -> Iterator[Op]:
        for item in trace.items:
            if not isinstance(item, Op):
                self.refuse(f"it holds {item.name!r}, which is no operator")
            yield item

    def _check_caches(self, op: Op) -> None:
        """An attention reads a cache whole; a move writes its last row."""
        for access in op.operands:
            tensor = access.tensor
            if tensor.role != "state":
                continue
            batch, heads, length, width = tensor.shape
            strides = contiguous_strides(tensor.shape)
            read = op.kind == "attention" and access == tensor.access()
            row = Access(tensor, (batch, heads, 1, width), strides, (length - 1) * width)
            if not read and not (access in op.outputs and access == row):
                self.refuse(
                    f"{op.name!r} must read the cache {tensor.name!r} whole or write its last row"
                )


@dataclass(frozen=True, slots=True)
class _Step:
    """One token: names of its own for all that it makes, and its part of caches and tables."""

    first: _First
    index: int
    tokens: int

    def op(self, op: Op) -> Op:
        return replace(
            op,
            name=self._own(op.name),
            inputs=tuple(self._read(access) for access in op.inputs),
            outputs=tuple(self._written(access) for access in op.outputs),
        )

    def choice(self) -> Op:
        """The operator that picks this token from the scores of the one before."""
        before = replace(self, index=self.index - 1)
        scores, token = before.tensor(self.first.scores), self.tensor(self.first.token)
        return Op(
            self._own("argmax"),
            "reduce",
            (scores.access(),),
            (token.access(),),
            functions=("argmax",),
            attributes=(("width", scores.shape[-1]),),
        )

    def tensor(self, tensor: Tensor) -> Tensor:
        if tensor.role == "weight" or (tensor.role == "input" and not self.index):
            return tensor
        if tensor.role == "input":
            return replace(tensor, name=self._own(tensor.name), role="activation")
        if tensor.role == "constant":
            return replace(tensor, shape=(self.tokens, *tensor.shape[1:]))
        if tensor.role == "state":
            batch, heads, length, width = tensor.shape
            return replace(tensor, shape=(batch, heads, length + self.tokens - 1, width))
        return replace(tensor, name=self._own(tensor.name))

    def _own(self, name: str) -> str:
        return f"token.{self.index}.{name}"

    def _read(self, access: Access) -> Access:
        tensor = self.tensor(access.tensor)
        if tensor.role == "constant":
            row = tensor.elements // self.tokens
            return replace(access, tensor=tensor, offset=access.offset + self.index * row)
        if tensor.role == "state":
            batch, heads, length, width = access.shape
            filled = (batch, heads, length + self.index, width)
            return Access(tensor, filled, contiguous_strides(tensor.shape))
        return replace(access, tensor=tensor)

    def _written(self, access: Access) -> Access:
        tensor = self.tensor(access.tensor)
        if tensor.role == "state":
            offset = access.offset + self.index * tensor.shape[-1]
            return Access(tensor, access.shape, contiguous_strides(tensor.shape), offset)
        return replace(access, tensor=tensor)
