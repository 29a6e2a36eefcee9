"""The builder: what a lowering talks to while it turns a graph node into operators.

Every graph value is bound to an access: views re-bind an access and cost nothing, everything else
emits operators that write a new tensor. A compile-time constant is an access to a tensor of role
``constant``, which enters the trace only if an operator really reads it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from codesign.errors import CaptureError, TraceError
from codesign.workload import view
from codesign.workload.assembly import Assembly, Body
from codesign.workload.dtype import DType
from codesign.workload.graph import Graph, Node, Value
from codesign.workload.liveness import Liveness, base_name, operands, short_name
from codesign.workload.lowering import find_lowering, run_lowering
from codesign.workload.nest import LoopNest
from codesign.workload.record import Access, Attribute, Item, Op, Role, Tensor
from codesign.workload.updates import Updates


class Builder:
    """Lowers one graph, node by node, into items.

    Attributes:
        graph: the graph being lowered.
        items: operators and regions so far, in order.
        module: path of the module that made the current node.
        depth: regions around the graph: an access that moves with a further one advances there.
    """

    def __init__(
        self,
        graph: Graph,
        inputs: Sequence[Access],
        assembly: Assembly,
        scope: str = "",
        module: str = "",
        depth: int = 0,
    ) -> None:
        self.graph = graph
        self.depth = depth
        self.items: list[Item] = []
        self.module = module
        self._assembly = assembly
        self._outer = (scope, module)
        self._prefix = scope
        self._live = Liveness(graph)
        self._env: dict[str, Access] = {}
        self._stored: dict[str, list[str]] = {}
        self._node: Node | None = None
        self._index = -1
        for placeholder, access in zip(graph.inputs, inputs, strict=True):
            self.bind(placeholder.value, access)
        self._updates = Updates(graph, self._live, self._env)

    # --- reading ---

    def access(self, value: Value) -> Access:
        """Where a value is stored and how it is read.

        Raises:
            CaptureError: nothing has produced the value.
        """
        if value.name not in self._env:
            raise CaptureError(
                f"value {value.name!r} is used before a lowering has bound it; "
                "the lowering of its producer must call bind, fold or new"
            )
        return self._env[value.name]

    def fill(self, access: Access) -> float | None:
        """The number that all elements are, for a constant such as ``torch.zeros``, else None."""
        return self._assembly.fills.get(access.tensor.name)

    @property
    def branch_probability(self) -> float | None:
        """Chance that the user gave to the true side of a ``cond``; the likelier side counts."""
        return self._assembly.branch_probability

    @property
    def loop_steps(self) -> int | None:
        """Trip count that the user gave to a ``while_loop``."""
        return self._assembly.loop_steps

    def is_used(self, value: Value) -> bool:
        """Whether anything reads the value: an output that nothing reads need not be written."""
        return self._live.is_used(value)

    def users(self, value: Value) -> tuple[Node | None, ...]:
        """The nodes that read the value, in order; None stands for the end of the graph."""
        return self._live.users(value)

    def is_overwritten(self, value: Value, copy: Value) -> bool:
        """Whether a mutated input that holds ``value`` changes while ``copy`` is still needed."""
        tensor = self.access(value).tensor.name
        return self._updates.changes_during(tensor, self._index, copy)

    # --- binding ---

    def bind(self, value: Value, access: Access) -> None:
        """Says that a value is this access: free, as for a view.

        Raises:
            TraceError: the shapes differ.
        """
        if tuple(value.shape) != access.shape:
            raise TraceError(
                f"{value.name}: a value of shape {list(value.shape)} cannot be bound to an access "
                f"of shape {list(access.shape)}; the lowering of its producer is wrong"
            )
        self._env[value.name] = access
        self._stored.setdefault(access.tensor.name, []).append(value.name)

    def fold(self, value: Value, fill: float | None = None) -> Access:
        """Binds a compile-time constant; it costs nothing until an operator reads it.

        Args:
            value: the value.
            fill: the number that all elements are equal to, if they are; such a constant is
                stored as one element.
        """
        shape = value.shape if fill is None else ()
        tensor = self.tensor(self._title(value), shape, value.dtype, "constant")
        if fill is not None:
            self._assembly.fills[tensor.name] = fill
        access = view.expand(tensor.access(), value.shape)
        self.bind(value, access)
        return access

    def new(
        self,
        value: Value,
        role: Role = "activation",
        *,
        order: Sequence[int] = (),
        overlap: bool = False,
    ) -> Access:
        """Makes and binds the storage of a value that an operator is about to write.

        That is a contiguous new tensor, unless the value is the next content of a mutated input
        whose old content nobody reads any more: then it is that input, written in place.

        Args:
            value: the value.
            role: role of a new tensor.
            order: axes of the value in storage order, outermost first, if not row-major.
            overlap: whether the operator may overwrite what it reads, as elementwise ones may.
        """
        home = self._in_place(value, overlap)
        if home is None:
            ranks = tuple(order) or tuple(range(len(value.shape)))
            stored = tuple(value.shape[axis] for axis in ranks)
            fresh = self.tensor(self._title(value), stored, value.dtype, role).access()
            home = view.permute(fresh, sorted(range(len(ranks)), key=ranks.__getitem__))
        self.bind(value, home)
        return home

    def tensor(
        self, name: str, shape: Sequence[int], dtype: DType, role: Role = "activation"
    ) -> Tensor:
        """A new tensor with a unique name below the current module."""
        full = self._assembly.tensor_name(self._qualified(name.strip("_")))
        return Tensor(full, tuple(shape), dtype, role)

    def updatable(self, value: Value) -> Access:
        """An access with the content of ``value`` that the current node may partly overwrite.

        It is the storage of ``value`` itself where that is a mutated input or an activation and
        nobody reads the old content later; otherwise a copy, made by a ``move``.
        """
        access = self.access(value)
        if self._may_overwrite(access):
            return access
        copy = self.tensor("copy", value.shape, value.dtype).access()
        self.move([] if self.fill(access) is not None else [access], copy, "fill")
        return copy

    # --- making ---

    def emit(
        self,
        kind: str,
        inputs: Sequence[Access],
        outputs: Sequence[Access],
        *,
        what: str = "",
        nest: LoopNest | None = None,
        functions: Sequence[str] = (),
        **attributes: Attribute,
    ) -> Op:
        """Appends an operator.

        Args:
            kind: one of ``record.KINDS``.
            inputs: accesses read.
            outputs: accesses written.
            what: last part of its name; by default the target of the current node.
            nest: loop nest, see ``record.Op``.
            functions: per-element functions, see ``record.Op``.
            **attributes: further facts.
        """
        source = self._node.target if self._node else ""
        op = Op(
            name=self._assembly.item_name(self._qualified(what or short_name(source))),
            kind=kind,
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            nest=nest,
            functions=tuple(functions),
            attributes=tuple(sorted(attributes.items())),
            module=self.module,
            source=source,
        )
        self.items.append(op)
        return op

    def move(self, sources: Sequence[Access], target: Access, what: str = "") -> Op:
        """Appends a copy of the sources into the target; without a source it is a fill."""
        return self.emit("move", sources, [target], what=what)

    def contiguous(self, access: Access, what: str = "contiguous") -> Access:
        """A row-major copy of an access, made by a ``move``."""
        copy = self.tensor(what, access.shape, access.tensor.dtype).access()
        self.move([access], copy, what)
        return copy

    def reshape(self, access: Access, shape: Sequence[int]) -> Access:
        """The access in another shape: free where the strides allow it, else one ``move``."""
        found = view.reshape(access, shape)
        if found is None:
            found = view.reshape(self.contiguous(access, "reshape"), shape)
        if found is None:
            raise TraceError(f"cannot reshape {list(access.shape)} to {list(shape)}")
        return found

    def append(self, item: Item) -> None:
        """Appends a region, a branch or an operator made elsewhere."""
        self.items.append(item)

    def unique(self, name: str) -> str:
        """A name below the current module that no operator, region or branch has yet."""
        return self._assembly.item_name(self._qualified(name))

    def note(self, text: str) -> None:
        """Records an assumption that is printed with every result."""
        self._assembly.notes.setdefault(text)

    @contextmanager
    def collecting(self) -> Iterator[list[Item]]:
        """Emits into a list of its own, for the body of a region that a lowering makes itself."""
        outer, self.items = self.items, []
        try:
            yield self.items
        finally:
            self.items = outer

    def body(
        self, graph: Graph, inputs: Sequence[Access], name: str, *, is_repeated: bool = False
    ) -> Body:
        """Lowers the body of a control-flow operator.

        Args:
            graph: the body.
            inputs: what its placeholders are, in order.
            name: put in front of the names of what the body makes.
            is_repeated: whether the body becomes that of a region.
        """
        scope, depth = self._qualified(name), self.depth + is_repeated
        inner = Builder(graph, inputs, self._assembly, scope, self.module, depth)
        inner.run()
        ends = tuple(inner.access(v) if isinstance(v, Value) else None for v in graph.outputs)
        return Body(tuple(inner.items), ends)

    # --- the walk ---

    def run(self) -> None:
        """Lowers every node of the graph, then writes back what has to end in a mutated input."""
        initial = dict(self._env)
        for index, node in enumerate(self.graph.nodes):
            self._index = index
            self._lower(node)
        self._node, self._index = None, len(self.graph.nodes)
        self._prefix, self.module = self._outer
        for output, name in self.graph.mutations:
            result, state = self._env[output], initial[name]
            if result != state:
                self.move([result], state, "write_back")

    def _lower(self, node: Node) -> None:
        lowering = find_lowering(node.target, self._assembly.lowerings)
        self._node = node
        self._prefix, self.module = (node.module, node.module) if node.module else self._outer
        before = len(self.items)
        if lowering is None:
            self._assembly.unsupported.setdefault(node.target, []).append(node)
            for value in node.outputs:
                self.new(value)
            return
        run_lowering(lowering, node, self)
        if len(self.items) > before and self._is_constant(node):
            # worked out once, before the model runs
            del self.items[before:]
            for value in filter(self.is_used, node.outputs):
                self._settle(value)
        is_free = len(self.items) == before
        self._assembly.views += is_free
        self._assembly.modelled += not is_free

    def _settle(self, value: Value) -> None:
        """Turns what an operator on constants would have written into a constant."""
        access = self.access(value)
        if access.tensor.role == "activation":
            tensor = dataclasses.replace(access.tensor, role="constant")
            self.bind(value, dataclasses.replace(access, tensor=tensor))
        elif access.tensor.role != "constant":
            self.fold(value)

    def _is_constant(self, node: Node) -> bool:
        read = operands(node)
        return bool(read) and all(self.access(v).tensor.role == "constant" for v in read)

    def _in_place(self, value: Value, overlap: bool) -> Access | None:
        node = self._node
        if node is None:
            return None
        name = base_name(node.target)
        if name.endswith("_") and not name.endswith("__"):
            return self.access(node.args[0])
        home = self._updates.home(value, node, overlap)
        return home if home is not None and self._may_overwrite(home) else None

    def _may_overwrite(self, access: Access) -> bool:
        holders = self._stored.get(access.tensor.name, [])
        return self._updates.may_overwrite(access, self._index, holders)

    def _title(self, value: Value) -> str:
        """Name of what the current node makes: its target, and which output if it is not one."""
        outputs = self._node.outputs if self._node else ()
        if self._node is None or value not in outputs:
            return value.name
        index, name = outputs.index(value), short_name(self._node.target)
        return f"{name}.{index}" if index else name

    def _qualified(self, name: str) -> str:
        return f"{self._prefix}.{name}" if self._prefix else name
