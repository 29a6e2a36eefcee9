"""What every pass over a trace has to keep, and a short way to write traces for its tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from codesign.workload.check import check_trace
from codesign.workload.dtype import DType
from codesign.workload.nest import matmul_nest
from codesign.workload.record import Access, Attribute, Item, Op, Role, Tensor, Trace
from codesign.workload.rewrite import carried, every_op, redirect

FP32 = DType("fp", 32)


@dataclass
class Sketch:
    """A trace written by hand, operator by operator, for the tests of passes.

    Attributes:
        items: operators so far; a region or branch may be appended.
        tensors: tensors so far.
    """

    items: list[Item] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)

    def tensor(
        self, name: str, shape: Sequence[int], role: Role = "activation", dtype: DType = FP32
    ) -> Access:
        """A new tensor, read whole."""
        made = Tensor(name, tuple(shape), dtype, role)
        self.tensors.append(made)
        return made.access()

    def op(
        self,
        kind: str,
        functions: Sequence[str],
        inputs: Sequence[Access],
        into: Access | Sequence[int],
        role: Role = "activation",
        **attributes: Attribute,
    ) -> Access:
        """An operator that writes ``into`` a view, or a new tensor of that shape; its output."""
        name = f"{functions[0] if functions else kind}{len(self.items)}"
        out = into if isinstance(into, Access) else self.tensor(f"{name}.out", into, role)
        facts = tuple(sorted(attributes.items()))
        self.items.append(
            Op(name, kind, tuple(inputs), (out,), functions=tuple(functions), attributes=facts)
        )
        return out

    def map(self, function: str, *inputs: Access, role: Role = "activation") -> Access:
        """An elementwise operator of one function, as large as its largest input."""
        shape = max((a.shape for a in inputs), key=lambda s: (len(s), s))
        return self.op("elementwise", [function], inputs, shape, role)

    def matmul(self, first: Access, second: Access, role: Role = "activation") -> Access:
        """A product of matrices, ``[m, k] x [k, n]`` or batched with one leading axis."""
        batch = first.shape[0] if len(first.shape) == 3 else 1
        m, k = first.shape[-2:]
        n = second.shape[-1]
        out = self.tensor(f"matmul{len(self.items)}.out", (*first.shape[:-1], n), role)
        nest = matmul_nest(batch, m, n, k)
        name = f"matmul{len(self.items)}"
        self.items.append(Op(name, "contraction", (first, second), (out,), nest))
        return out

    def trace(self) -> Trace:
        """The trace, checked; activations that nobody reads are its outputs."""
        ops = list(every_op(tuple(self.items)))
        read = {a.tensor.name for op in ops for a in op.inputs} | carried(tuple(self.items))
        ends = {
            tensor.name: replace(tensor, role="output")
            for tensor in self.tensors
            if tensor.role == "activation" and tensor.name not in read
        }
        items = tuple(self.items)
        for old in [tensor for tensor in self.tensors if tensor.name in ends]:
            items = redirect(items, old, ends[old.name].access())
        tensors = tuple(ends.get(tensor.name, tensor) for tensor in self.tensors)
        made = Trace("sketch", items, tensors)
        check_trace(made)
        return made


def boundary(trace: Trace) -> tuple[Tensor, ...]:
    """Every tensor but the intermediates, by name: what no pass may add, drop or change."""
    return tuple(sorted((t for t in trace.tensors if t.role != "activation"), key=lambda t: t.name))


def compulsory_bytes(trace: Trace) -> Counter[str]:
    """Bytes by role of all tensors that are read or written at all, each once."""
    touched = {a.tensor.name: a.tensor for op in every_op(trace.items) for a in op.operands}
    total: Counter[str] = Counter()
    for tensor in touched.values():
        total[tensor.role] += tensor.bytes
    return total


def check_pass(change: Callable[[Trace], Trace], trace: Trace) -> Trace:
    """Runs a pass and checks what every pass promises.

    The result is a valid trace with the same MACs; it has the same stored tensors, inputs and
    outputs in the same roles (a region may add the state that it carries); it writes every output
    that was written, and touches no byte of these that was not touched before; no intermediate is
    left without a user, and a second run changes nothing.

    Returns:
        The changed trace, for further checks.

    Raises:
        AssertionError: a promise is broken.
        TraceError: the result is not a valid trace.
    """
    changed = change(trace)
    check_trace(changed)
    assert changed.macs == trace.macs, f"MACs {trace.macs} became {changed.macs}"  # noqa: S101
    made = carried(changed.items)
    kept = tuple(t for t in boundary(changed) if t in trace.tensors or t.name not in made)
    assert kept == boundary(trace), "a stored tensor, input or output changed"  # noqa: S101
    assert _written(changed) == _written(trace), "an output is not written"  # noqa: S101
    before, after = compulsory_bytes(trace), compulsory_bytes(changed)
    for role in ("weight", "constant", "input", "output"):
        assert after[role] <= before[role], f"{role} bytes grew"  # noqa: S101
    used = made | {a.tensor.name for op in every_op(changed.items) for a in op.operands}
    left = [t.name for t in changed.tensors if t.role == "activation" and t.name not in used]
    assert not left, f"intermediates without a user: {left}"  # noqa: S101
    assert change(changed) == changed, "a second run changes the trace again"  # noqa: S101
    return changed


def _written(trace: Trace) -> set[str]:
    outputs = (a.tensor for op in every_op(trace.items) for a in op.outputs)
    return {tensor.name for tensor in outputs if tensor.role == "output"}
