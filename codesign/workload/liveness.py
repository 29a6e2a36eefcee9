"""Who still needs a value: what decides whether an update may be made in place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from codesign.workload.graph import Graph, Node, Value

SCATTERS = frozenset(
    f"aten.{name}"
    for name in (
        "slice_scatter",
        "select_scatter",
        "diagonal_scatter",
        "as_strided_scatter",
        "index_put",
        "_unsafe_index_put",
        "index_copy",
        "index_add",
        "index_fill",
        "scatter",
        "scatter_add",
        "scatter_reduce",
        "masked_scatter",
    )
)
"""Functional updates: the first argument is the tensor of which some elements are replaced."""

_REARRANGED = frozenset(
    f"aten.{name}"
    for name in ("alias", "permute", "squeeze", "t", "transpose", "unsqueeze", "view")
)

_ALIASES = _REARRANGED | {
    f"aten.{name}" for name in ("copy", "expand", "select", "slice", "split", "unbind", "clone")
}


def base_name(target: str) -> str:
    """The target without its overload: ``aten.add.Tensor`` gives ``aten.add``."""
    parts = target.split(".")
    return ".".join(parts[:2]) if len(parts) > 2 else target


def short_name(target: str) -> str:
    """The bare name of a target: ``aten.add_.Tensor`` gives ``add``."""
    return base_name(target).rpartition(".")[2].strip("_") or "call"


def values_in(argument: Any) -> Iterator[Value]:
    """Every value in a nested argument, in order."""
    if isinstance(argument, Value):
        yield argument
    elif isinstance(argument, (list, tuple)):
        for part in argument:
            yield from values_in(part)


def operands(node: Node) -> tuple[Value, ...]:
    """Every value that a node takes, positional arguments first."""
    return tuple(values_in([*node.args, *node.kwargs.values()]))


class Liveness:
    """Uses of each value of one graph by position; the graph's outputs come after all nodes."""

    def __init__(self, graph: Graph) -> None:
        self._uses: dict[str, list[int]] = {}
        self._nodes = graph.nodes
        self._producers = {v.name: node for node in graph.nodes for v in node.outputs}
        self._positions = {v.name: i for i, node in enumerate(graph.nodes) for v in node.outputs}
        for index, node in enumerate(graph.nodes):
            # a functional copy overwrites its first argument without reading it
            read = node.args[1:] if base_name(node.target) == "aten.copy" else node.args
            for value in values_in([*read, *node.kwargs.values()]):
                self._uses.setdefault(value.name, []).append(index)
        ends = [v.name for v in values_in(graph.outputs)] + [out for out, _ in graph.mutations]
        for name in ends:
            self._uses.setdefault(name, []).append(len(graph.nodes))

    def is_used(self, value: Value) -> bool:
        """Whether anything reads the value."""
        return value.name in self._uses

    def users(self, value: Value) -> tuple[Node | None, ...]:
        """The nodes that read the value, in order; None stands for the end of the graph."""
        found = self._uses.get(value.name, [])
        return tuple(self._nodes[i] if i < len(self._nodes) else None for i in found)

    def producer(self, name: str) -> Node | None:
        """The node that made a value, or None for an input."""
        return self._producers.get(name)

    def last_use(self, value: Value) -> int:
        """Position of the last use of a value or of a view of it, -1 if there is none."""
        last = -1
        for use in self._uses.get(value.name, []):
            last = max(last, use)
            if use < len(self._nodes) and base_name(self._nodes[use].target) in _ALIASES:
                last = max([last, *map(self.last_use, self._nodes[use].outputs)])
        return last

    def updates(self, name: str) -> list[int]:
        """Positions of the nodes that turn an input, update by update, into the value ``name``."""
        found = []
        while name in self._producers:
            node = self._producers[name]
            found.append(self._positions[name])
            source = node.args[0] if node.args else None
            is_step = base_name(node.target) in SCATTERS | _REARRANGED
            if not is_step or not isinstance(source, Value):
                break
            name = source.name
        return found

    def needed_after(self, names: Sequence[str], index: int) -> bool:
        """Whether a value among ``names`` is read after node ``index`` updated its storage.

        A later update that only folds the result of this one into a larger tensor, such as
        ``select_scatter(cache, slice_scatter(select(cache, 0), ...), 0)``, does not read it.
        """
        folding = self._enclosing_updates(index)
        return any(
            use > index and use not in folding for name in names for use in self._uses.get(name, [])
        )

    def _enclosing_updates(self, index: int) -> set[int]:
        found: set[int] = set()
        pending = [index]
        while pending:
            for output in self._nodes[pending.pop()].outputs:
                for use in self._uses.get(output.name, []):
                    if use not in found and self._folds(use, output.name):
                        found.add(use)
                        pending.append(use)
        return {use for use in found if base_name(self._nodes[use].target) in SCATTERS}

    def _folds(self, index: int, name: str) -> bool:
        if index >= len(self._nodes):
            return False
        node = self._nodes[index]
        base = base_name(node.target)
        if base in _REARRANGED:
            return True
        source = node.args[1] if len(node.args) > 1 else None
        return base in SCATTERS and isinstance(source, Value) and source.name == name
