"""Writing a trace by hand, operator by operator, as a capture would have lowered it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from codesign.errors import ModelError
from codesign.workload.contraction import labelled_nest
from codesign.workload.dtype import DType
from codesign.workload.nest import LoopNest
from codesign.workload.record import Access, Attribute, Item, Op, Role, Tensor, Trace

FP32 = DType.parse("fp32")
Labelled: TypeAlias = tuple[Access, Sequence[str]]
"""An operand of a product with a label for each of its axes."""


class Writer:
    """A trace under construction; names stand below the current module.

    Attributes:
        items: operators and regions so far, in order.
        tensors: every tensor by name.
        module: path of the module that is being written.
    """

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.tensors: dict[str, Tensor] = {}
        self.module = ""

    def tensor(
        self, name: str, shape: Sequence[int], role: Role = "activation", dtype: DType = FP32
    ) -> Access:
        """A new tensor of the module, or of the whole model if the name begins with a dot.

        Raises:
            ModelError: an extent that is no whole number, or below 1.
        """
        full = name[1:] if name.startswith(".") else f"{self.module}.{name}"
        if not all(isinstance(size, int) and not isinstance(size, bool) for size in shape):
            raise ModelError(
                f"{full}: every extent must be a whole number, got {list(shape)}; write it in "
                "digits"
            )
        if min(shape) < 1:
            raise ModelError(f"{full}: every extent must be at least 1, got {list(shape)}")
        self.tensors[full] = Tensor(full, tuple(shape), dtype, role)
        return self.tensors[full].access()

    def weight(self, name: str, *shape: int) -> Access:
        """A new parameter of the module."""
        return self.tensor(name, shape, "weight")

    def emit(
        self,
        name: str,
        kind: str,
        inputs: Sequence[Access],
        output: Access,
        *,
        functions: Sequence[str] = (),
        nest: LoopNest | None = None,
        **attributes: Attribute,
    ) -> None:
        """Appends an operator; see ``record.Op`` for the arguments."""
        facts = tuple(sorted(attributes.items()))
        full = f"{self.module}.{name}"
        self.items.append(
            Op(full, kind, tuple(inputs), (output,), nest, tuple(functions), facts, self.module)
        )

    def product(
        self,
        name: str,
        operands: Sequence[Labelled],
        extents: Mapping[str, int],
        functions: Sequence[str] = (),
    ) -> None:
        """Appends a product of labelled operands, as in einsum.

        Args:
            name: last part of its name.
            operands: two factors, what the functions add, and the result.
            extents: trip count of each label, in loop order.
            functions: fused behind the product.
        """
        accesses, nest = labelled_nest(operands, extents)
        self.emit(name, "contraction", accesses[:-1], accesses[-1], functions=functions, nest=nest)

    def linear(
        self, name: str, x: Access, weight: Access, out: Access, bias: Access | None = None
    ) -> None:
        """Appends ``x weight^T [+ bias]`` over the last axis; the other axes of x are rows."""
        rows = [f"m{axis}" for axis in range(len(x.shape) - 1)]
        extents = dict(zip(rows, x.shape, strict=False))
        extents |= {"n": weight.shape[0], "k": weight.shape[1]}
        added: list[Labelled] = [(bias, ["n"])] if bias else []
        operands = [(x, [*rows, "k"]), (weight, ["n", "k"]), *added, (out, [*rows, "n"])]
        self.product(name, operands, extents, ("add",) if bias else ())

    def move(self, name: str, source: Access, target: Access) -> None:
        """Appends a copy."""
        self.emit(name, "move", (source,), target)

    @contextmanager
    def body(self) -> Iterator[list[Item]]:
        """Collects the operators written inside the context instead of appending them."""
        outer, self.items = self.items, []
        try:
            yield self.items
        finally:
            self.items = outer

    def trace(self, name: str) -> Trace:
        """The finished trace."""
        return Trace(name, tuple(self.items), tuple(self.tensors.values()))
