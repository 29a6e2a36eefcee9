"""What a region computes from its inputs alone, whatever its state: what could run beforehand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from codesign.workload.affine import covers, traversal
from codesign.workload.record import Access, Carry, Op, Region
from codesign.workload.schedule_access import Touch, touches
from codesign.workload.schedule_widen import can_widen


class Dataflow:
    """Who makes what in the body of a region, and what of it does not depend on the state.

    Attributes:
        region: the region; no region stands inside it.
        level: its depth, 0 the outermost.
        free: positions in the body of operators that depend, at every step, only on what comes
            from outside, and on something new of it; with a rank above that of all they read from.
    """

    def __init__(self, region: Region, level: int) -> None:
        self.region, self.level = region, level
        self.free: dict[int, int] = {}
        self._uses: dict[str, list[tuple[int, Touch]]] = {}
        self._carries = {carry.state.name: carry for carry in region.carries}
        self._handed = Counter(carry.update.name for carry in region.carries)
        around = (1,) * level + (region.steps,)
        for position, item in enumerate(region.body):
            for touch in touches((item,), around):
                self._uses.setdefault(touch.name, []).append((position, touch))
        while self._grow():
            pass

    def ops(self) -> Iterator[tuple[int, Op]]:
        """The operators of the body with their positions."""
        for position, item in enumerate(self.region.body):
            if isinstance(item, Op):
                yield position, item

    def uses(self, name: str) -> list[tuple[int, Touch]]:
        """What the body does with a tensor, in order, with positions."""
        return self._uses.get(name, [])

    def writers(self, name: str) -> list[int]:
        """Positions of what writes a tensor."""
        return [position for position, touch in self.uses(name) if touch.writes]

    def maker(self, access: Access) -> int | None:
        """Position of what makes a value that the body reads; at the step before, for a state."""
        carry = self._carries.get(access.tensor.name)
        name = carry.update.name if carry else access.tensor.name
        return next(iter(self.writers(name)), None)

    def leaves(self, access: Access, position: int) -> bool:
        """Whether what is read at a position is known, for all steps, before the first one."""
        name = access.tensor.name
        if name in self._carries:
            return self._is_free_state(self._carries[name])
        writers = self.writers(name)
        return not writers or (
            len(writers) == 1 and writers[0] < position and writers[0] in self.free
        )

    def moves(self, access: Access) -> bool:
        """Whether a view is something else at each step."""
        return self._advance(access) != 0 or self.maker(access) is not None

    def is_passing(self, access: Access) -> bool:
        """Whether a step makes this for its own use alone, and hands it to no other step."""
        return self.is_private(access) and not self._handed[access.tensor.name]

    def is_projection(self, op: Op) -> bool:
        """Whether an operator multiplies something new of each step by what all steps share."""
        if op.kind != "contraction" or len(op.outputs) != 1:
            return False
        return sorted(map(self.moves, op.inputs[:2])) == [False, True]

    def recurrences(self) -> list[range]:
        """Stretches of the body, in order, that have to stay together from step to step."""
        found: list[range] = []
        for low, high in sorted(filter(None, map(self._stretch, self._uses))):
            if found and low < found[-1].stop:
                low, high = found[-1].start, max(high, found.pop().stop - 1)
            found.append(range(low, high + 1))
        return found

    def _stretch(self, name: str) -> tuple[int, int] | None:
        """From the first to the last operator that a tensor ties together; None if it does not."""
        places = [position for position, _ in self.uses(name)]
        made = self.writers(name)
        carry = self._carries.get(name)
        if carry and carry.update.name == name:
            # what reads the state behind its update reads a value of the same step
            places = [position for position in places if position <= max(made, default=-1)]
        elif carry:
            places += self.writers(carry.update.name)
        elif not made or any(
            touch.writes and self.is_private(touch.access) for _, touch in self.uses(name)
        ):
            return None
        return (min(places), max(places)) if places else None

    def private_product(self, access: Access, reader: int) -> tuple[int, Op] | None:
        """The contraction whose result one reader alone needs, if it could run as late as that."""
        name = access.tensor.name
        readers = {position for position, touch in self.uses(name) if not touch.writes}
        place = next(iter(self.writers(name)), reader)
        op = self.region.body[place]
        if readers != {reader} or self._handed[name] or not isinstance(op, Op):
            return None
        if op.kind != "contraction" or len(op.outputs) != 1 or not self.is_private(op.outputs[0]):
            return None
        between = range(place + 1, reader)
        written = {at for source in op.inputs for at in self.writers(source.tensor.name)}
        return None if written.intersection(between) else (place, op)

    def _grow(self) -> bool:
        found = [n for n, op in self.ops() if n not in self.free and self._is_free(op, n)]
        self.free |= dict.fromkeys(found, len(self.free))
        return bool(found)

    def _is_free(self, op: Op, position: int) -> bool:
        return (
            can_widen(op)
            and all(self.leaves(access, position) for access in op.inputs)
            and any(self.moves(access) for access in op.inputs)
            and all(self.is_private(access) for access in op.outputs)
        )

    def is_private(self, access: Access) -> bool:
        """Whether one operator makes this anew at each step, before anything reads it."""
        name = access.tensor.name
        uses = self.uses(name)
        first = uses[0][0]
        if name in self._carries or len(self.writers(name)) != 1 or not self._is_alone(name):
            return False
        if any(position == first and not touch.writes for position, touch in uses):
            return False
        if any(access.advance):
            places = {traversal(touch.access) for _, touch in uses}
            return self._advance(access) != 0 and len(places) == 1
        return covers(access) and access.tensor.role == "activation"

    def _advance(self, access: Access) -> int:
        return access.advance[self.level] if len(access.advance) > self.level else 0

    def _is_alone(self, name: str) -> bool:
        """Whether at most one state becomes a tensor, and no other state becomes that state."""
        owners = [carry for carry in self.region.carries if carry.update.name == name]
        return len(owners) < 2 and not any(self._handed[carry.state.name] for carry in owners)

    def _is_free_state(self, carry: Carry) -> bool:
        """Whether a state is one that a free operator made at the step before."""
        made = self.writers(carry.update.name)
        alone = self._is_alone(carry.update.name) and not self.writers(carry.state.name)
        return alone and len(made) == 1 and made[0] in self.free
