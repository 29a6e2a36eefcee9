"""The lowering driver: a captured graph becomes a trace, and no operator is lost in silence."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from codesign.errors import OF_OTHERS, CodesignError, PluginError, UnsupportedOperatorError
from codesign.plugins import Registry
from codesign.raised import raised
from codesign.workload.assembly import Assembly
from codesign.workload.builder import Builder
from codesign.workload.empty import refuse_empty, without_idle
from codesign.workload.graph import Graph, GraphInput, Node
from codesign.workload.liveness import operands, values_in
from codesign.workload.lowering import Lowering, find_lowering
from codesign.workload.record import (
    Access,
    Branch,
    Carry,
    Coverage,
    Item,
    Op,
    Region,
    Tensor,
    Trace,
)

HOOK = "codesign_register_lowerings"
_ITEM = "aten.item.default"
_SHOWN = 3


def lower(
    graph: Graph,
    registry: Registry,
    *,
    name: str = "model",
    fuse: bool = True,
    allow_unsupported: bool = False,
    notes: Sequence[str] = (),
    branch_probability: float | None = None,
    loop_steps: int | None = None,
) -> Trace:
    """Lowers a captured graph to a trace.

    Args:
        graph: the graph.
        registry: where the lowerings and fusion passes come from.
        name: what to call the trace.
        fuse: whether to run the fusion passes, in the order of their names.
        allow_unsupported: report operators without a lowering in ``Trace.coverage`` and
            ``Trace.notes`` instead of stopping.
        notes: assumptions made so far.
        branch_probability: chance of the true side of every ``cond``, 0 to 1; only the
            likelier side is counted and replayed.
        loop_steps: trip count of every ``while_loop``; by default that of its counter.

    Raises:
        UnsupportedOperatorError: targets without a lowering; all of them in one message.
        CaptureError: an operator that has nothing to make, or to multiply.
    """
    lowerings = registry.get(HOOK)
    unknown = _unknown(graph, lowerings)
    if unknown and not allow_unsupported:
        raise UnsupportedOperatorError(_report(unknown) + registry.lost())
    assembly = Assembly(
        lowerings,
        notes=dict.fromkeys(notes),
        branch_probability=branch_probability,
        loop_steps=loop_steps,
    )
    stored = _store(graph, assembly)
    builder = Builder(graph, [stored[i.storage].access() for i in graph.inputs], assembly)
    builder.run()
    if unknown:
        builder.note(f"not modelled, so counted as free: {_report(unknown)}")
    returned = {builder.access(v).tensor.name for v in values_in(graph.outputs)}
    items = tuple(without_idle(builder.items))
    trace = _assemble(name, items, _kept(graph, stored), assembly, returned)
    refuse_empty(trace, graph.inputs)
    return _fused(trace, registry) if fuse else trace


def _fused(trace: Trace, registry: Registry) -> Trace:
    passes = registry.get("codesign_fusion_passes")
    for name in sorted(passes):
        try:
            trace = passes[name](trace)
        except CodesignError:
            raise
        except OF_OTHERS as error:  # a plugin may fail in any way; name it and say where
            told = raised(error, passes[name])
            raise PluginError(f"the fusion pass {name!r} raised {told}; mend it") from error
    return trace


def _unknown(graph: Graph, lowerings: Mapping[str, Lowering]) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = {}
    for node in all_nodes(graph):
        if find_lowering(node.target, lowerings) is None:
            found.setdefault(node.target, []).append(node)
    return dict(sorted(found.items()))


def all_nodes(graph: Graph) -> Iterator[Node]:
    """Every node of a graph and of the bodies that its control-flow operators hold."""
    for node in graph.nodes:
        yield node
        for argument in [*node.args, *node.kwargs.values()]:
            if isinstance(argument, Graph):
                yield from all_nodes(argument)


def _report(unknown: Mapping[str, Sequence[Node]]) -> str:
    lines = []
    for target, nodes in unknown.items():
        modules = list(dict.fromkeys(node.module or "the model itself" for node in nodes))
        more = ", ..." if len(modules) > _SHOWN else ""
        shapes = "; ".join(str(list(value.shape)) for value in operands(nodes[0]))
        lines.append(
            f"{target} x{len(nodes)} in {', '.join(modules[:_SHOWN])}{more} (inputs {shapes})"
        )
    return (
        f"no lowering for {len(unknown)} graph target{'s' if len(unknown) > 1 else ''}: "
        f"{' | '.join(lines)}; {_way(unknown)}"
    )


def _way(unknown: Mapping[str, Sequence[Node]]) -> str:
    way = f"add one with the hook {HOOK}, or pass allow_unsupported=True"
    if _ITEM not in unknown:
        return way
    return f"{_ITEM} reads a tensor element into Python: keep it a tensor, or {way}"


def _store(graph: Graph, assembly: Assembly) -> dict[str, Tensor]:
    """One tensor for each storage identity of the inputs, so that tied weights are one."""
    stored: dict[str, Tensor] = {}
    for placeholder in graph.inputs:
        if placeholder.storage not in stored:
            value, name = placeholder.value, assembly.tensor_name(placeholder.path)
            tensor = Tensor(name, value.shape, value.dtype, placeholder.role)
            stored[placeholder.storage] = tensor
    return stored


def _kept(graph: Graph, stored: Mapping[str, Tensor]) -> list[Tensor]:
    """The inputs that the graph reads: a state dict may hold more than the model uses."""
    read = {value.name for node in graph.nodes for value in operands(node)}
    read |= {value.name for value in values_in(graph.outputs)}
    read |= {name for pair in graph.mutations for name in pair}

    def is_kept(placeholder: GraphInput) -> bool:
        return placeholder.role == "input" or placeholder.value.name in read

    return [stored[i.storage] for i in graph.inputs if is_kept(i)]


def _assemble(
    name: str,
    items: Sequence[Item],
    inputs: Sequence[Tensor],
    assembly: Assembly,
    returned: set[str],
) -> Trace:
    retag = _Retag(returned)
    kept = tuple(retag.item(item) for item in items)
    found = {tensor.name: retag.tensor(tensor) for tensor in inputs}
    for item in kept:
        found |= {t.name: t for t in _tensors(item) if t.name not in found}
    counts = tuple((target, len(nodes)) for target, nodes in sorted(assembly.unsupported.items()))
    coverage = Coverage(assembly.modelled, assembly.views, counts)
    return Trace(name, kept, tuple(found.values()), coverage, tuple(assembly.notes))


def _tensors(item: Item) -> Iterator[Tensor]:
    if isinstance(item, Op):
        yield from (access.tensor for access in item.operands)
        return
    if isinstance(item, Branch):
        inner = item.taken + item.otherwise
    else:
        inner = item.body
        for carry in item.carries:
            yield from filter(None, (carry.initial, carry.state, carry.update))
    for part in inner:
        yield from _tensors(part)


@dataclasses.dataclass(frozen=True, slots=True)
class _Retag:
    """Turns the activations that the model returns into outputs, wherever they are mentioned."""

    names: set[str]

    def tensor(self, tensor: Tensor) -> Tensor:
        if tensor.name in self.names and tensor.role == "activation":
            return dataclasses.replace(tensor, role="output")
        return tensor

    def access(self, access: Access) -> Access:
        return dataclasses.replace(access, tensor=self.tensor(access.tensor))

    def carry(self, carry: Carry) -> Carry:
        initial = self.tensor(carry.initial) if carry.initial else None
        return Carry(self.tensor(carry.state), self.tensor(carry.update), initial)

    def item(self, item: Item) -> Item:
        if isinstance(item, Op):
            if not any(access.tensor.name in self.names for access in item.operands):
                return item
            return dataclasses.replace(
                item,
                inputs=tuple(map(self.access, item.inputs)),
                outputs=tuple(map(self.access, item.outputs)),
            )
        if isinstance(item, Region):
            body, carries = map(self.item, item.body), map(self.carry, item.carries)
            return dataclasses.replace(item, body=tuple(body), carries=tuple(carries))
        taken, otherwise = map(self.item, item.taken), map(self.item, item.otherwise)
        return dataclasses.replace(item, taken=tuple(taken), otherwise=tuple(otherwise))
