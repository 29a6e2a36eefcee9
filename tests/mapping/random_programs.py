"""Small random programs in which residency has something to decide."""

from __future__ import annotations

import random
from dataclasses import replace

from strategies import Sketch, matmul_op
from toy_machine import Priced, machine, priced

from codesign.hardware.spec import Hardware
from codesign.workload.nest import matmul_nest
from codesign.workload.record import Access, Branch, Carry, Item, Op, Region, Role, Tensor, Trace


class Program(Sketch):
    """A sketch with what residency is about: shared weights, loops in loops, kept state."""

    def __init__(self, seed: int) -> None:
        super().__init__(f"program{seed}")
        self.random = random.Random(seed)
        self.width = self.random.choice([8, 16, 24])
        self.shared = [self.weight(f"shared{n}", self.width, self.width) for n in range(2)]
        self.live = [self.input("x", self.random.randint(1, 8), self.width)]

    def grow(self, items: int) -> Trace:
        """Appends items of random kinds; some results become outputs."""
        for number in range(items):
            kind = self.random.choice(
                ["matmul", "shared", "shared", "add", "relu", "loop", "cell", "nested", "cache"]
            )
            self.live.append(self.item(kind, f"{kind}{number}"))
        return self.finished()

    def item(self, kind: str, name: str) -> Tensor:
        x = self.random.choice(self.live)
        if kind == "matmul":
            return self.matmul(name, x, self.width)
        if kind == "shared":
            return self.matmul(name, x, self.width, self.random.choice(self.shared))
        if kind == "add":
            alike = [t for t in self.live if t.shape == x.shape]
            return self.pointwise(name, x, self.random.choice(alike), function="add")
        if kind == "relu":
            return self.pointwise(name, x)
        if kind == "cache":
            return self.cache(name, x)
        return self.recurrent(name, x, self.width, repeats=2 if kind == "nested" else 0)

    def cell(self, name: str, x: Tensor) -> Tensor:
        """``h = f(h, x_t) U`` that begins and ends in many ways; sometimes a loop of loops.

        It begins with zeros, with what came before or with what the model keeps, and its last state
        is read by others, kept, or forgotten.
        """
        width, steps = self.width, x.shape[0]
        weight = self.weight(f"{name}.u", width, width)
        kept = self.random.choice(["zeros", "given", "kept"])
        first = None
        if kept == "given":
            first = self.matmul(f"{name}.first", self.row(x), width)
        if kept == "kept":
            first = self.tensor(f"{name}.state", (1, width), "state")
        role: Role = self.random.choice(["activation", "state"])
        state = self.tensor(f"{name}.h", (1, width), role)
        in_place = self.random.random() < 0.3
        update = state if in_place else self.tensor(f"{name}.next", (1, width), "activation")
        mixed = self.tensor(f"{name}.mixed", (1, width), "activation")
        depth = self.random.choice([1, 1, 2])
        row = Access(x, (1, width), (width, 1), advance=(width,) if depth == 1 else (0, width))
        body: tuple[Item, ...] = (
            Op(f"{name}.mix", "elementwise", (state.access(), row), (mixed.access(),)),
            matmul_op(f"{name}.step", mixed.access(), weight.access(), update.access()),
        )
        carry = Carry(state, update, first)
        if depth == 1:
            self.items.append(Region(name, steps, body, (carry,)))
        else:
            outer = self.tensor(f"{name}.outer_h", (1, width), "activation")
            inner = Region(f"{name}.inner", steps, body, (Carry(state, update, outer),))
            self.items.append(Region(name, 2, (inner,), (Carry(outer, update, first),)))
        if kept == "kept" and first is not None:
            keep = Op(f"{name}.keep", "move", (update.access(),), (first.access(),))
            self.items.append(keep)
        if self.random.random() < 0.5:
            self.live.append(update)
        return self.matmul(f"{name}.after", update, width, weight)

    def row(self, x: Tensor) -> Tensor:
        """The first row of a tensor, as one of its own."""
        out = self.tensor(f"{x.name}.row{len(self.tensors)}", (1, x.shape[1]), "activation")
        view = Access(x, out.shape, (x.shape[1], 1))
        self.items.append(Op(f"{out.name}.take", "move", (view,), (out.access(),)))
        return out

    def cache(self, name: str, x: Tensor) -> Tensor:
        """Each step appends a row to a cache that the model keeps, and reads all of it."""
        steps, width = x.shape
        cache = self.tensor(f"{name}.cache", (steps, width), "state")
        mixed = self.tensor(f"{name}.mixed", (1, steps), "activation")
        out = self.tensor(f"{name}.out", (steps, width), "activation")
        row = Access(x, (1, width), (width, 1), advance=(width,))
        slot = Access(cache, (1, width), (width, 1), advance=(width,))
        kept = Access(out, (1, width), (width, 1), advance=(width,))
        across = Access(cache, (width, steps), (1, width))
        nest = matmul_nest(1, 1, steps, width)
        back = matmul_nest(1, 1, width, steps)
        body = (
            Op(f"{name}.append", "move", (row,), (slot,), functions=("move",)),
            Op(f"{name}.scores", "contraction", (row, across), (mixed.access(),), nest),
            Op(f"{name}.mix", "contraction", (mixed.access(), cache.access()), (kept,), back),
        )
        self.items.append(Region(name, steps, body))
        return out

    def finished(self) -> Trace:
        """Sometimes half of it in a branch; tensors that nobody reads are outputs."""
        trace = self.trace()
        read = {a.tensor.name for op, _ in trace.ops() for a in op.inputs}
        made = {a.tensor.name for op, _ in trace.ops() for a in op.outputs}
        carried = {c.update.name for c in _carries(trace.items)}
        ends = {
            t.name: replace(t, role="output")
            for t in self.tensors
            if t.name in made - read - carried and t.role == "activation"
        }
        items = tuple(_with(item, ends) for item in trace.items)
        if self.random.random() < 0.3:
            half = len(items) // 2
            items = (*items[:half], Branch("rest", 0.7, items[half:], ()))
        return Trace(trace.name, items, tuple(ends.get(t.name, t) for t in self.tensors))


def _carries(items: tuple[Item, ...]) -> list[Carry]:
    found = []
    for item in items:
        if isinstance(item, Region):
            found += [*item.carries, *_carries(item.body)]
    return found


def _with(item: Item, ends: dict[str, Tensor]) -> Item:
    def moved(access: Access) -> Access:
        return replace(access, tensor=ends.get(access.tensor.name, access.tensor))

    if isinstance(item, Op):
        return replace(
            item,
            inputs=tuple(map(moved, item.inputs)),
            outputs=tuple(map(moved, item.outputs)),
        )
    assert isinstance(item, Region)
    return replace(item, body=tuple(_with(inner, ends) for inner in item.body))


def program(seed: int, items: int = 6) -> Trace:
    """The random program of a seed."""
    return Program(seed).grow(items)


def engine(name: str = "cpu", tile: int = 1) -> Priced:
    """An engine that takes all kinds of these programs and loads every operand once."""
    return priced(name, tile, contraction=5, elementwise=3, move=1, softmax=3)


def computer(buffer: int, tile: int = 1) -> Hardware:
    """One such engine before a large memory."""
    return machine(engine(tile=tile), buffer=buffer, home=1 << 24)


def case(seed: int) -> tuple[Trace, Hardware]:
    """A program of 4 to 9 items before a buffer that holds some of what it could keep."""
    sizes = random.Random(seed)
    return program(seed, sizes.randint(4, 9)), computer(sizes.randint(300, 1200))
