"""What the builders of one trace share: counts, notes, names and known constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from codesign.workload.graph import Node
from codesign.workload.lowering import Lowering
from codesign.workload.record import Access, Item


@dataclass
class Assembly:
    """What the builders of one trace, the outer graph and its bodies, have in common.

    Attributes:
        lowerings: graph targets and their lowerings.
        modelled: nodes that became operators.
        views: nodes that were free.
        unsupported: nodes without a lowering, by target.
        notes: assumptions to print with every result, in order.
        fills: value of each constant tensor whose elements are all equal.
        branch_probability: chance of the true side of every ``cond``, 0 to 1; only the
            likelier side is counted and replayed.
        loop_steps: trip count of every ``while_loop``; None to work it out.
    """

    lowerings: Mapping[str, Lowering]
    modelled: int = 0
    views: int = 0
    unsupported: dict[str, list[Node]] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    fills: dict[str, float] = field(default_factory=dict)
    branch_probability: float | None = None
    loop_steps: int | None = None
    _items: dict[str, int] = field(default_factory=dict)
    _tensors: dict[str, int] = field(default_factory=dict)

    def item_name(self, name: str) -> str:
        """A name for an operator, region or branch: ``name`` itself if it is still free."""
        return _unique(name, self._items)

    def tensor_name(self, name: str) -> str:
        """A name for a tensor: ``name`` itself if it is still free."""
        return _unique(name, self._tensors)


def _unique(name: str, taken: dict[str, int]) -> str:
    while name in taken:
        taken[name] += 1
        name = f"{name}_{taken[name]}"
    taken[name] = 0
    return name


@dataclass(frozen=True, slots=True)
class Body:
    """A lowered body of a control-flow operator.

    Attributes:
        items: what one pass through the body does.
        outputs: access of each output in order; None where the body returns no tensor.
    """

    items: tuple[Item, ...]
    outputs: tuple[Access | None, ...]
