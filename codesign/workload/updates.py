"""Which storage a node may overwrite: mutated inputs and activations that nobody needs any more.

Functionalisation turns ``cache[:, i] = x`` into a copy of the whole cache. Lowered as an update in
place it writes one row, as the model meant it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codesign.workload.graph import Graph, Node, Value
from codesign.workload.liveness import Liveness, base_name, operands
from codesign.workload.record import Access


class Updates:
    """In-place decisions for one graph.

    Args:
        graph: the graph.
        live: uses of its values.
        env: access of every value bound so far; the builder's own, so that it grows with it.
    """

    def __init__(self, graph: Graph, live: Liveness, env: Mapping[str, Access]) -> None:
        self._live = live
        self._env = env
        inputs = [env[placeholder.value.name] for placeholder in graph.inputs]
        self._foreign = {access.tensor.name for access in inputs}
        self._states = {env[name].tensor.name for _, name in graph.mutations}
        self._homes = {_source(live, out): env[name] for out, name in graph.mutations}
        self._changes = {env[name].tensor.name: live.updates(out) for out, name in graph.mutations}

    def home(self, value: Value, node: Node, overlap: bool) -> Access | None:
        """The mutated input that a value is the next content of.

        Args:
            value: the value.
            node: the node that makes it.
            overlap: whether that node may overwrite what it reads.
        """
        home = self._homes.get(value.name)
        if home is None or home.shape != value.shape or home.tensor.dtype != value.dtype:
            return None
        read = {self._env[operand.name].tensor.name for operand in operands(node)}
        return None if home.tensor.name in read and not overlap else home

    def may_overwrite(self, access: Access, index: int, holders: Sequence[str]) -> bool:
        """Whether node ``index`` may write into an access that the ``holders`` are stored in."""
        tensor = access.tensor
        if tensor.name not in self._states:
            owned = tensor.role == "activation" and tensor.name not in self._foreign
            if not owned or 0 in access.strides:
                return False
        return not self._live.needed_after(holders, index)

    def changes_during(self, tensor: str, index: int, copy: Value) -> bool:
        """Whether a mutated input changes after node ``index`` while ``copy`` is still needed."""
        last = self._live.last_use(copy)
        return any(index < change < last for change in self._changes.get(tensor, []))


def _source(live: Liveness, name: str) -> str:
    """The value that a mutated input ends as, seen through functional copies."""
    node = live.producer(name)
    while node is not None and base_name(node.target) == "aten.copy":
        source = node.args[1]
        if not isinstance(source, Value) or source.shape != node.outputs[0].shape:
            break
        name, node = source.name, live.producer(source.name)
    return name
