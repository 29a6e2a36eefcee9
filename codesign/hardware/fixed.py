"""A mapping that the user has decided: what an engine must keep to and may still search."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FixedMapping:
    """What is decided of the mapping of one operator; an engine searches what is left open.

    It is checked against the operator before an engine sees it: sizes are at least 1 and at most
    the extent of their loop.

    Attributes:
        tile: extent of each loop of the nest in a full tile; None where that is open. An operator
            without products has one loop, over its elements.
        order: loops of the nest by number, from the outermost to the innermost, as far as their
            order over tiles is decided.
        held: numbers of the factors (0, 1) whose tiles stay once loaded; None where that is open.
        place: what errors call it: a file with a line, and the operator. Mappings that differ in
            nothing else are equal.
        unroll: by name of an axis of an array, the loops laid along it with how many of their
            steps; empty where that is open.
        inside: loops of the nest by number, as far as their order inside a tile is decided.
    """

    tile: tuple[int | None, ...] = ()
    order: tuple[int, ...] = ()
    held: frozenset[int] | None = None
    place: str = field(default="fixed mapping", compare=False)
    unroll: tuple[tuple[str, tuple[tuple[int, int], ...]], ...] = ()
    inside: tuple[int, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether nothing is decided."""
        decided = (self.order, self.unroll, self.inside, any(self.tile))
        return self.held is None and not any(decided)
