"""Runs a placement element by element: whatever is read must be where it is read from.

Nothing of the planner is used here, only the program: each operator reads and writes elements of
tensors in the memories that its assignment names, and an element is valid where it was written or
moved last.
"""

from __future__ import annotations

import itertools
from collections import defaultdict

from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment, Block, Placement, Step
from codesign.workload.record import Access, Carry, Tensor, all_carries

Elements = frozenset[int]


def elements(access: Access, steps: tuple[int, ...] = ()) -> Elements:
    """Elements of its tensor that an access touches at these steps of the regions around it."""
    offset = access.offset + sum(a * s for a, s in zip(access.advance, steps, strict=False))
    axes = zip(access.shape, access.strides, strict=True)
    reach = [range(0, n * s, s) if s else (0,) for n, s in axes]
    return frozenset(offset + sum(jumps) for jumps in itertools.product(*reach))


class Run:
    """One or several runs of a placement's program.

    Attributes:
        trouble: what was read where it was not, or not written back at the end of a run.
    """

    def __init__(self, placement: Placement, hardware: Hardware, runs: int = 2) -> None:
        self.placement, self.hardware = placement, hardware
        self.trouble: list[str] = []
        self.there: dict[str, dict[str, Elements]] = defaultdict(dict)
        self.defined: dict[str, Elements] = {}
        tensors = {t.name: t for t in placement.trace.tensors}
        for tensor in tensors.values():
            if tensor.role not in ("activation", "output"):
                everything = frozenset(range(tensor.elements))
                self.there[tensor.name] = dict.fromkeys(self.first_homes(tensor), everything)
                self.defined[tensor.name] = everything
        for assignment in placement.setup:
            self.assignment(assignment, ())
        for number in range(runs):
            for tensor in tensors.values():
                if tensor.role == "input":  # new data arrives at home, or where it is pinned
                    everything = frozenset(range(tensor.elements))
                    self.there[tensor.name] = dict.fromkeys(self.first_homes(tensor), everything)
            self.steps(placement.program, ())
            self.ended(number, list(tensors.values()))

    def first_homes(self, tensor: Tensor) -> list[str]:
        """Home, and for what is pinned beside the buffers the place where it is born."""
        used = self.homes_of({tensor.name})
        if not used:  # nobody reads it, but a region begins with it
            carries = all_carries(self.placement.trace.items)
            used = self.homes_of({c.state.name for c in carries if c.initial == tensor})
        buffers = {engine.buffer for engine in self.hardware.engines}
        if tensor.role in ("input", "state") and not used & {self.placement.home, *buffers}:
            return sorted(used) or [self.placement.home]
        return [self.placement.home]

    def homes_of(self, names: set[str]) -> set[str]:
        """Memories in which operators find tensors."""
        return {
            home
            for one, _ in self.placement.assignments()
            for access, home in zip(one.op.operands, one.homes, strict=True)
            if access.tensor.name in names
        }

    def steps(self, steps: tuple[Step, ...], at: tuple[int, ...]) -> None:
        for step in steps:
            if isinstance(step, Assignment):
                self.assignment(step, at)
            else:
                self.block(step, at)

    def block(self, block: Block, at: tuple[int, ...]) -> None:
        carries = block.region.carries
        if block.preload and not block.preload.op.outputs:
            self.assignment(block.preload, at)
        self.begin(carries)
        if block.preload and block.preload.op.outputs:
            self.assignment(block.preload, at)
        for step in range(block.region.steps):
            self.steps(block.body, (*at, step))
            self.hand_on(carries)
        if block.writeback:
            self.assignment(block.writeback, at)

    def begin(self, carries: tuple[Carry, ...]) -> None:
        for carry in carries:
            if carry.initial is None:
                self.there[carry.state.name] = {}
                self.defined[carry.state.name] = frozenset()  # zeros come from nowhere
            else:
                self.there[carry.state.name] = dict(self.there[carry.initial.name])
                self.defined[carry.state.name] = self.defined.get(carry.initial.name, frozenset())

    def hand_on(self, carries: tuple[Carry, ...]) -> None:
        new = [
            (c.state.name, dict(self.there[c.update.name]), self.defined.get(c.update.name))
            for c in carries
        ]
        for name, there, defined in new:
            self.there[name] = there
            self.defined[name] = defined or frozenset()

    def assignment(self, one: Assignment, at: tuple[int, ...]) -> None:
        op, buffer = one.op, self.hardware.engine(one.engine).buffer
        for access, home in zip(op.inputs, one.homes, strict=False):
            name, wanted = access.tensor.name, elements(access, at)
            wanted &= self.defined.get(name, frozenset())
            missing = wanted - self.there[name].get(home, frozenset())
            if missing:
                count = len(missing)
                lost = f"{op.name} at {at} misses {count} elements of {name} in {home}"
                self.trouble.append(lost)
            if op.kind == "move" and not op.outputs:
                kept = self.there[name].get(buffer, frozenset())
                self.there[name][buffer] = kept | wanted
        for access, home in zip(op.outputs, one.homes[len(op.inputs) :], strict=True):
            self.write(access, home, at, is_copy=op.kind == "move" and access in op.inputs)

    def write(self, access: Access, home: str, at: tuple[int, ...], *, is_copy: bool) -> None:
        name, written = access.tensor.name, elements(access, at)
        for memory in () if is_copy else list(self.there[name]):
            self.there[name][memory] -= written
        self.there[name][home] = self.there[name].get(home, frozenset()) | written
        self.defined[name] = self.defined.get(name, frozenset()) | written

    def ended(self, number: int, tensors: list[Tensor]) -> None:
        """Outputs must be at home, and state where the next run finds it."""
        for tensor in tensors:
            homes = self.first_homes(tensor)
            places = [self.there[tensor.name].get(home, frozenset()) for home in homes]
            made = self.defined.get(tensor.name) if tensor.role == "output" else None
            is_home = made is None or any(made <= place for place in places)
            if made and not is_home and not self.is_pinned(tensor):
                self.trouble.append(f"output {tensor.name} is not at home after {number}")

    def is_pinned(self, tensor: Tensor) -> bool:
        """Whether the whole of it is in a memory beside the buffers."""
        buffers = {engine.buffer for engine in self.hardware.engines}
        there = self.there[tensor.name]
        return any(
            self.defined[tensor.name] <= found
            for memory, found in there.items()
            if memory not in buffers
        )


def trouble(placement: Placement, hardware: Hardware) -> list[str]:
    """What goes wrong in two runs of a placement; empty if nothing does."""
    return Run(placement, hardware).trouble
