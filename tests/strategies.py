"""Small traces, machines and tile plans, hand-built and random, for the laws of the simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hypothesis import strategies as st

from codesign.hardware.component import Component
from codesign.hardware.plan import Loop, Move, Tile, TilePlan
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment, Placement
from codesign.plugins import registry
from codesign.replay.run import Replay, replay
from codesign.workload.dtype import DType
from codesign.workload.nest import Axis, LoopNest, matmul_nest
from codesign.workload.record import Access, Carry, Item, Op, Region, Role, Tensor, Trace

KIB = 1024
AMPLE = 1e14
"""A rate (B/s) that never limits anything here."""


def part(kind: str, name: str, **values: Any) -> Component:
    """A component of a shipped kind."""
    return registry().components()[kind](name=name, **values)


@dataclass
class Sketch:
    """A trace under construction; every method appends one item and returns what it writes."""

    name: str = "sketch"
    dtype: DType = field(default_factory=lambda: DType.parse("int8"))
    items: list[Item] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)

    def tensor(self, name: str, shape: tuple[int, ...], role: Role) -> Tensor:
        found = Tensor(name, shape, self.dtype, role)
        self.tensors.append(found)
        return found

    def input(self, name: str, *shape: int) -> Tensor:
        return self.tensor(name, shape, "input")

    def weight(self, name: str, *shape: int) -> Tensor:
        return self.tensor(name, shape, "weight")

    def matmul(self, name: str, x: Tensor, columns: int, weight: Tensor | None = None) -> Tensor:
        m, k = x.shape
        weight = weight or self.weight(f"{name}.weight", k, columns)
        out = self.tensor(f"{name}.out", (m, columns), "activation")
        self.items.append(matmul_op(name, x.access(), weight.access(), out.access()))
        return out

    def pointwise(self, name: str, *sources: Tensor, function: str = "relu") -> Tensor:
        out = self.tensor(f"{name}.out", sources[0].shape, "activation")
        inputs = tuple(source.access() for source in sources)
        self.items.append(Op(name, "elementwise", inputs, (out.access(),), functions=(function,)))
        return out

    def softmax(self, name: str, x: Tensor) -> Tensor:
        out = self.tensor(f"{name}.out", x.shape, "activation")
        self.items.append(Op(name, "softmax", (x.access(),), (out.access(),)))
        return out

    def conv(self, name: str, x: Tensor, channels: int, kernel: int) -> Tensor:
        """A square convolution without padding: ``[ci, h, w] -> [co, h', w']``."""
        depth, height, width = x.shape
        rows, cols = height - kernel + 1, width - kernel + 1
        weight = self.weight(f"{name}.weight", channels, depth, kernel, kernel)
        out = self.tensor(f"{name}.out", (channels, rows, cols), "activation")
        one = [Axis(((dim, 1),)) for dim in range(6)]
        nest = LoopNest(
            ("co", "oy", "ox", "ci", "ky", "kx"),
            (channels, rows, cols, depth, kernel, kernel),
            (
                (one[3], Axis(((1, 1), (4, 1))), Axis(((2, 1), (5, 1)))),
                (one[0], one[3], one[4], one[5]),
                (one[0], one[1], one[2]),
            ),
        )
        inputs = (x.access(), weight.access())
        self.items.append(Op(name, "contraction", inputs, (out.access(),), nest))
        return out

    def recurrent(self, name: str, x: Tensor, width: int, repeats: int = 0) -> Tensor:
        """``h = tanh(x_t W + h U)`` for each row of x; every h is kept in the output.

        With ``repeats`` the whole loop stands in an outer region and starts anew each time.
        """
        outer = (0,) if repeats else ()
        steps, depth = x.shape
        w, u = self.weight(f"{name}.w", depth, width), self.weight(f"{name}.u", width, width)
        first = self.tensor(f"{name}.h0", (1, width), "input")
        gate = self.tensor(f"{name}.gate", (1, width), "activation")
        state = self.tensor(f"{name}.h", (1, width), "activation")
        update = self.tensor(f"{name}.next", (1, width), "activation")
        out = self.tensor(f"{name}.out", (steps, width), "activation")
        row = Access(x, (1, depth), (depth, 1), advance=(*outer, depth))
        kept = Access(out, (1, width), (width, 1), advance=(*outer, width))
        added = matmul_op(f"{name}.gate", row, w.access(), gate.access())
        nest = matmul_nest(1, 1, width, width, ["mn"])
        inputs = (state.access(), u.access(), gate.access())
        functions = ("add", "tanh")
        cell = Op(f"{name}.cell", "contraction", inputs, (update.access(),), nest, functions)
        keep = Op(f"{name}.keep", "move", (update.access(),), (kept,), functions=("move",))
        carries = (Carry(state, update, first),)
        region = Region(name, steps, (added, cell, keep), carries)
        self.items.append(Region(f"{name}.outer", repeats, (region,)) if repeats else region)
        return out

    def trace(self) -> Trace:
        """The finished trace: tensors that nobody reads are its outputs."""
        return Trace(self.name, tuple(self.items), tuple(self.tensors))


def matmul_op(name: str, x: Access, weight: Access, out: Access) -> Op:
    (m, k), columns = x.shape, weight.shape[1]
    return Op(name, "contraction", (x, weight), (out,), matmul_nest(1, m, columns, k))


def machine(
    *,
    systolics: int = 1,
    buffers: int = 1,
    links: int = 1,
    rows: int = 16,
    clock: float = 1e9,
    bandwidth: float = 16e9,
    duplex: Literal["half", "full"] = "half",
    setup: float = 0.0,
    size: int = 64 * KIB,
    memory_rate: float = AMPLE,
    formats: Sequence[str] = ("int8", "int8"),
    leakage: float = 0.0,
) -> Hardware:
    """Systolic arrays and a vector unit before one DRAM.

    The first array and, where there are two buffers, nothing else uses ``sram0``; the last array
    and the vector unit use the last buffer. With two links each buffer has its own.
    """
    last = f"sram{buffers - 1}"
    parts: list[Component] = []
    for number, form in zip(range(systolics), formats, strict=False):
        pair = f"{form}*{form}"
        buffer = "sram0" if number == 0 else last
        costs = {"macs_per_cell": {pair: 1.0}, "mac_energy": {pair: 0.3e-12}, "leakage": leakage}
        array = {"buffer": buffer, "rows": rows, "cols": rows, "clock": clock}
        parts.append(part("systolic", f"npu{number}", **array, **costs))
    parts.append(part("vector", "vector", buffer=last, clock=clock, lanes=rows, start=0))
    names = [f"sram{number}" for number in range(buffers)]
    parts += [part("sram", name, size=size, bandwidth=memory_rate) for name in names]
    ends = [names] if links == 1 else [[name] for name in names]
    wire = {"bandwidth": bandwidth, "duplex": duplex, "setup": setup, "energy": 1e-12}
    parts += [
        part("link", f"bus{number}", connects=("dram", *end), **wire)
        for number, end in enumerate(ends)
    ]
    parts.append(
        part("flat_dram", "dram", device="test", size=2**30, bandwidth=memory_rate, efficiency=1)
    )
    return Hardware("machine", "", None, {one.name: one for one in parts})


@st.composite
def machines(draw: st.DrawFn) -> Hardware:
    """One or two arrays, buffers, links; shared or separate channels; with and without set-up."""
    buffers = draw(st.integers(1, 2))
    return machine(
        systolics=draw(st.integers(1, 2)),
        buffers=buffers,
        links=draw(st.integers(1, buffers)),
        rows=draw(st.sampled_from([4, 16])),
        clock=draw(st.sampled_from([1e9, 9.4e8])),
        bandwidth=draw(st.sampled_from([1e9, 16e9, 3.7e9])),
        duplex=draw(st.sampled_from(["half", "full"])),
        setup=draw(st.sampled_from([0.0, 32e-9])),
        size=draw(st.sampled_from([4, 64])) * KIB,
        memory_rate=draw(st.sampled_from([AMPLE, 5e9])),
    )


@st.composite
def traces(draw: st.DrawFn, *, regions: bool = True) -> Trace:
    """Chains, diamonds, residual additions, recurrent regions, and independent halves."""
    sketch = Sketch("random")
    width = draw(st.sampled_from([8, 24, 40]))
    live = [sketch.input("x", draw(st.integers(1, 24)), width)]
    kinds = ["matmul", "pointwise", "add", "softmax", "half"] + ["region", "nested"] * regions
    for number, kind in enumerate(draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=5))):
        x = draw(st.sampled_from(live))
        live.append(_item(sketch, f"{kind}{number}", kind, x, live))
    return sketch.trace()


def _item(sketch: Sketch, name: str, kind: str, x: Tensor, live: list[Tensor]) -> Tensor:
    if kind == "matmul":
        return sketch.matmul(name, x, x.shape[1])
    if kind == "pointwise":
        return sketch.pointwise(name, x)
    if kind == "add":
        return sketch.pointwise(name, x, live[-1], function="add")
    if kind == "softmax":
        return sketch.softmax(name, x)
    if kind == "region":
        return sketch.recurrent(name, x, x.shape[1])
    if kind == "nested":
        return sketch.recurrent(name, x, x.shape[1], repeats=3)
    return sketch.matmul(name, sketch.input(f"{name}.x", *x.shape), x.shape[1])


# -- plans without a mapper ----------------------------------------------------------------------

LOADED, LATE, STORED = range(3)
"""Operands of a planned operator: a weight, an activation, and what it writes."""


def assignment(
    name: str,
    plan: TilePlan,
    *,
    engine: str = "npu0",
    reads: Tensor | None = None,
    budget: int = 2**40,
) -> Assignment:
    """An operator with a given plan; it depends on the writer of ``reads``."""
    shape, byte = (1,), DType.parse("int8")
    weight = Tensor(f"{name}.weight", shape, byte, "weight")
    late = reads or Tensor(f"{name}.late", shape, byte, "activation")
    out = Tensor(f"{name}.out", shape, byte, "activation")
    op = Op(name, "move", (weight.access(), late.access()), (out.access(),))
    return Assignment(op, engine, plan, ("dram",) * 3, budget)


def output(placed: Assignment) -> Tensor:
    """What an operator of ``assignment`` writes."""
    return placed.op.outputs[0].tensor


def play(hardware: Hardware, *placed: Assignment) -> Replay:
    """Replays assignments in this order."""
    ops = tuple(one.op for one in placed)
    tensors = {a.tensor.name: a.tensor for op in ops for a in op.operands}
    trace = Trace("planned", ops, tuple(tensors.values()))
    home = hardware.home(hardware.engines[0].name).name
    return replay(Placement(trace, placed, home), hardware)


def uniform(
    tiles: int, load: int, cycles: int, store: int, *, clock: float = 1e9, operand: int = LOADED
) -> TilePlan:
    """Equal tiles: bytes loaded, cycles, bytes stored."""
    tile = Tile(
        cycles,
        (Move(operand, load),) if load else (),
        (Move(STORED, store),) if store else (),
    )
    return TilePlan(Loop((tile,), tiles), clock, slot_in_bytes=load, slot_out_bytes=store)


@st.composite
def plans(
    draw: st.DrawFn, *, mixed: bool = True, clock: float = 1e9, largest: int = 2000
) -> TilePlan:
    """Random loops of tiles; ``mixed`` tiles may load at-rest and late operands together."""
    bytes_ = st.integers(1, largest)
    operands = [(), (LOADED,), (LATE,)] + [(LOADED, LATE)] * mixed
    if not mixed:
        operands = draw(st.sampled_from([[(), (LOADED,)], [(), (LATE,)]]))
    tiles = st.builds(
        lambda cycles, loads, sizes, store: Tile(
            cycles,
            tuple(Move(operand, size) for operand, size in zip(loads, sizes, strict=False)),
            (Move(STORED, store),) if store else (),
        ),
        st.integers(0, 500),
        st.sampled_from(operands),
        st.tuples(bytes_, bytes_),
        st.one_of(st.just(0), bytes_),
    )
    loops = st.builds(
        lambda body, repeats: Loop(tuple(body), repeats),
        st.lists(tiles, min_size=1, max_size=3),
        st.integers(1, 4),
    )
    body = tuple(draw(st.lists(st.one_of(tiles, loops), min_size=1, max_size=3)))
    loop = Loop(body, draw(st.integers(1, 3)))
    every = [tile for tile, _ in TilePlan(loop, clock).counts]
    return TilePlan(
        loop,
        clock,
        held_bytes=draw(st.integers(0, 300)),
        slot_in_bytes=max(sum(m.bytes for m in tile.loads) for tile in every),
        slot_out_bytes=max(sum(m.bytes for m in tile.stores) for tile in every),
        slots_in=draw(st.integers(1, 3)),
        slots_out=draw(st.integers(1, 2)),
    )
