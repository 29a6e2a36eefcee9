"""Graphs written by hand, and lowerings of a toy dialect, for the builder's own tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codesign.workload import view
from codesign.workload.assembly import Assembly
from codesign.workload.builder import Builder
from codesign.workload.dtype import DType
from codesign.workload.graph import Graph, GraphInput, Node, Value
from codesign.workload.lowering import Lowering
from codesign.workload.record import Role, Tensor

FP32 = DType("fp", 32)


def value(name: str, *shape: int, dtype: DType = FP32) -> Value:
    return Value(name, shape, dtype)


def given_input(of: Value, role: Role = "input", storage: str = "") -> GraphInput:
    return GraphInput(of, role, of.name, storage or of.name)


def node(target: str, output: Value, *args: Any, module: str = "") -> Node:
    return Node(target, args, {}, (output,), module)


def _work(call: Node, builder: Builder) -> None:
    inputs = [builder.access(v) for v in call.args if isinstance(v, Value)]
    builder.emit("elementwise", inputs, [builder.new(call.outputs[0])], functions=("work",))


def _overlapping(call: Node, builder: Builder) -> None:
    inputs = [builder.access(v) for v in call.args if isinstance(v, Value)]
    builder.emit("elementwise", inputs, [builder.new(call.outputs[0], overlap=True)])


def _zeros(call: Node, builder: Builder) -> None:
    builder.fold(call.outputs[0], 0.0)


def _table(call: Node, builder: Builder) -> None:
    builder.fold(call.outputs[0])


def _alias(call: Node, builder: Builder) -> None:
    builder.bind(call.outputs[0], builder.access(call.args[0]))


def _update(call: Node, builder: Builder) -> None:
    whole = builder.updatable(call.args[0])
    row = view.select(whole, 0, call.args[2])
    builder.move([builder.access(call.args[1])], row)
    builder.bind(call.outputs[0], whole)


def _reshape(call: Node, builder: Builder) -> None:
    access = view.transpose(builder.access(call.args[0]), 0, 1)
    builder.bind(call.outputs[0], builder.reshape(access, call.outputs[0].shape))


LOWERINGS: Mapping[str, Lowering] = {
    "toy.work": _work,
    "toy.overlap": _overlapping,
    "toy.zeros": _zeros,
    "toy.table": _table,
    "toy.alias": _alias,
    "toy.flatten": _reshape,
    "aten.select_scatter": _update,
}


def built(
    inputs: Sequence[GraphInput],
    nodes: Sequence[Node],
    outputs: Sequence[Any] = (),
    mutations: Sequence[tuple[str, str]] = (),
) -> tuple[Builder, Assembly]:
    """Lowers a hand-written graph with the toy dialect."""
    assembly = Assembly(LOWERINGS)
    graph = Graph(tuple(inputs), tuple(nodes), tuple(outputs), tuple(mutations))
    stored = [Tensor(i.path, i.value.shape, i.value.dtype, i.role).access() for i in inputs]
    builder = Builder(graph, stored, assembly)
    builder.run()
    return builder, assembly
