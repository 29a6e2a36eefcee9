"""Hoisting: products of a region that do not wait for its state become one product before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from codesign.workload import view
from codesign.workload.record import (
    Access,
    Carry,
    Item,
    Op,
    Region,
    Tensor,
    Trace,
    contiguous_strides,
)
from codesign.workload.rewrite import redirect
from codesign.workload.schedule_access import Names, shared
from codesign.workload.schedule_departures import departures
from codesign.workload.schedule_epilogue import behind, split
from codesign.workload.schedule_flow import Dataflow
from codesign.workload.schedule_widen import widened


def hoisted(trace: Trace, names: Names, *, outermost: int = 0) -> Trace:
    """The trace with the projections of every innermost region taken out of it.

    Args:
        trace: the trace.
        names: free names; it keeps the tensors made here.
        outermost: least depth of the regions that they are taken out of, 0 for all.
    """
    blocks = _Blocks(names, shared(trace), outermost)
    return trace.replace(items=blocks.hoisted(trace.items, 0))


@dataclass(frozen=True, slots=True)
class _Blocks:
    """A walk through nested regions; ``needed`` tells what of a region others touch."""

    names: Names
    needed: Callable[[Region], frozenset[str]]
    outermost: int

    def hoisted(self, items: Iterable[Item], level: int) -> tuple[Item, ...]:
        found: list[Item] = []
        for item in items:
            if not isinstance(item, Region):
                found.append(item)
            elif level < self.outermost or any(isinstance(part, Region) for part in item.body):
                found.append(replace(item, body=self.hoisted(item.body, level + 1)))
            else:
                found += _Hoist(Dataflow(item, level), self.needed(item), self.names).run()
        return tuple(found)


@dataclass
class _Hoist:
    """One region and what leaves it.

    Attributes:
        flow: the region and who makes what in it.
        needed: names of its tensors that something outside touches.
        names: free names.
        leaving: operators that leave, by position in the body.
        staying: what stays where something left, by position; None for nothing.
        homes: for each value of a step that needs room for all steps, its place at a step.
    """

    flow: Dataflow
    needed: frozenset[str]
    names: Names
    leaving: dict[int, Op] = field(default_factory=dict)
    staying: dict[int, Op | None] = field(default_factory=dict)
    homes: dict[Tensor, Access] = field(default_factory=dict)

    def run(self) -> list[Item]:
        """What stands in the place of the region."""
        region, found = self.flow.region, departures(self.flow)
        if not found:
            return [region]
        whole = {position for position, functions in found.items() if functions is None}
        handed = [c for c in region.carries if whole.intersection(self.flow.writers(c.update.name))]
        for position, op in self.flow.ops():
            functions = found.get(position, -1)
            if functions is None:
                self._leave(position, op, handed)
            elif functions >= 0:
                self._part(position, op, functions)
        first = [self._first(carry) for carry in handed]
        last = [self._last(tensor) for tensor in self.homes if tensor.name in self.needed]
        # what a state hands on was made by an operator that may stand further down
        ranks = sorted((self.flow.free.get(n, len(region.body)), n) for n in self.leaving)
        leaving = self._redirected(self.leaving[position] for _, position in ranks)
        wide = [widened(op, region.steps, self.flow.level) for op in leaving if isinstance(op, Op)]
        return [*first, *wide, *self._rest(handed), *last]

    def _leave(self, position: int, op: Op, handed: Sequence[Carry]) -> None:
        """A whole operator: what it makes for a step gets room for all steps."""
        self.leaving[position], self.staying[position] = op, None
        for tensor in (output.tensor for output in op.outputs if not any(output.advance)):
            carry = next((carry for carry in handed if carry.update == tensor), None)
            home = self._room(tensor.access(), f"{tensor.name}.steps", 1 if carry else 0)
            self.homes[tensor] = replace(home, offset=tensor.elements) if carry else home
            if carry:
                # the state is one step behind its update
                self.homes[carry.state] = home

    def _part(self, position: int, op: Op, functions: int) -> None:
        """A product that leaves the rest of its functions behind."""
        product = self._room(op.outputs[0], f"{op.name}.product", 0)
        parts = split(op, functions, product, self.names.item(f"{op.name}.epilogue"))
        if parts:
            self.leaving[position], rest = parts
            self.staying[position] = rest
            self._join(position, rest)

    def _join(self, position: int, rest: Op) -> None:
        """Lets a product inside the step take over the rest of one that left."""
        term = rest.inputs[1] if len(rest.inputs) > 1 else rest.inputs[0]
        place, product = self.flow.private_product(term, position) or (position, None)
        if product is not None and term.tensor.name not in self.needed:
            joined = behind(product, rest)
            if joined is not None:
                self.staying[place], self.staying[position] = None, joined

    def _room(self, value: Access, name: str, more: int) -> Access:
        """Where a value of a step is written: a new tensor for all steps, and ``more``."""
        shape = (self.flow.region.steps + more, *value.shape)
        tensor = self.names.tensor(value.tensor, name, shape=shape, role="activation")
        strides = contiguous_strides(shape)
        advance = (*(0,) * self.flow.level, strides[0])
        return Access(tensor, value.shape, strides[1:], 0, advance)

    def _redirected(self, items: Iterable[Item]) -> tuple[Item, ...]:
        found = tuple(items)
        for tensor, home in self.homes.items():
            found = redirect(found, tensor, home)
        return found

    def _first(self, carry: Carry) -> Op:
        """Before the first step the state is its initial value, or zeros."""
        target = replace(self.homes[carry.state], advance=())
        source = view.reshape(carry.initial.access(), target.shape) if carry.initial else None
        name, inputs = self.names.item(f"{carry.state.name}.first"), (source,) if source else ()
        return Op(name, "move", inputs, (target,), module=self.flow.region.module)

    def _last(self, tensor: Tensor) -> Op:
        """After the last step the value is where others look for it."""
        home = self.homes[tensor]
        offset = home.offset + (self.flow.region.steps - 1) * home.advance[-1]
        source = replace(home, offset=offset, advance=())
        name = self.names.item(f"{tensor.name}.last")
        return Op(name, "move", (source,), (tensor.access(),), module=self.flow.region.module)

    def _rest(self, handed: Sequence[Carry]) -> tuple[Item, ...]:
        """The region without what left; nothing if nothing stayed."""
        region = self.flow.region
        body = (self.staying.get(position, item) for position, item in enumerate(region.body))
        kept = self._redirected(item for item in body if item)
        carries = tuple(carry for carry in region.carries if carry not in handed)
        return (replace(region, body=kept, carries=carries),) if kept or carries else ()
