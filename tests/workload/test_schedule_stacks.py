"""Stacks of recurrent layers at falling rates, built by hand: what schedules are tried on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from codesign.workload import view
from codesign.workload.check import check_trace
from codesign.workload.contraction import labelled_nest
from codesign.workload.dtype import DType
from codesign.workload.record import Access, Carry, Item, Op, Region, Role, Tensor, Trace

INT8 = DType.parse("int8")
KINDS = ("plain", "fused", "gated", "standing", "lagged", "normed", "double", "triple")
BETWEEN = ("nothing", "linear", "norm", "relu", "residual", "windows")


@dataclass(frozen=True)
class Layer:
    """A recurrent layer: how its body is written, what leads to it, how much slower it is."""

    kind: str
    stride: int = 1
    before: str = "nothing"
    starts_at_zero: bool = False
    keeps_state: bool = False


@dataclass
class Stack:
    """A trace under construction; a sequence is a view [steps, batch, width], however stored."""

    batch: int = 1
    is_batch_first: bool = False
    width: int = 4
    items: list[Item] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)

    def tensor(self, name: str, shape: Sequence[int], role: Role = "activation") -> Access:
        self.tensors.append(Tensor(name, tuple(shape), INT8, role))
        return self.tensors[-1].access()

    def sequence(self, name: str, steps: int, width: int, role: Role = "activation") -> Access:
        if self.is_batch_first:
            return view.transpose(self.tensor(name, (self.batch, steps, width), role), 0, 1)
        return self.tensor(name, (steps, self.batch, width), role)

    def at(self, sequence: Access) -> Access:
        """What a step sees of a sequence."""
        return replace(view.select(sequence, 0, 0), advance=(sequence.strides[0],))

    def product(
        self,
        name: str,
        x: Access,
        columns: int,
        out: Access | None = None,
        extra: Sequence[Access] = (),
        functions: Sequence[str] = (),
    ) -> tuple[Op, Access]:
        """``x w`` over the last axis, with sums and functions behind it."""
        rows = [f"m{axis}" for axis in range(len(x.shape) - 1)]
        weight = self.tensor(f"{name}.w", (columns, x.shape[-1]), "weight")
        if out is None:
            out = self.tensor(f"{name}.out", (*x.shape[:-1], columns))
        extents = dict(zip(rows, x.shape, strict=False)) | {"n": columns, "k": x.shape[-1]}
        labels = [*rows, "n"]
        more = [(a, labels[len(labels) - len(a.shape) :]) for a in extra]
        accesses, nest = labelled_nest(
            [(x, [*rows, "k"]), (weight, ["n", "k"]), *more, (out, labels)], extents
        )
        op = Op(name, "contraction", accesses[:-1], accesses[-1:], nest, tuple(functions))
        return op, out

    def reduced(self, name: str, x: Access, stride: int) -> Access:
        """Groups of neighbours in time side by side: free where they lie so, else a copy."""
        steps, batch, width = x.shape
        pairs = view.split_axis(x, 0, steps // stride)
        pairs = view.transpose(pairs, 1, 2)
        shape = (steps // stride, batch, stride * width)
        found = view.reshape(pairs, shape)
        if found is None:
            copy = self.tensor(name, pairs.shape)
            self.items.append(Op(name, "move", (pairs,), (copy,)))
            found = view.reshape(copy, shape)
        assert found is not None
        return found

    def lead(self, name: str, x: Access, what: str) -> Access:
        """An operator over a whole sequence."""
        if what == "nothing":
            return x
        if what == "windows":
            return self.windows(name, x)
        out = self.sequence(f"{name}.out", x.shape[0], x.shape[2])
        if what == "linear":
            bias = self.tensor(f"{name}.b", (x.shape[2],), "weight")
            self.items.append(self.product(name, x, x.shape[2], out, [bias], ("add", "relu"))[0])
        elif what == "norm":
            gain = self.tensor(f"{name}.g", (x.shape[2],), "weight")
            width = (("width", x.shape[2]),)
            op = Op(name, "normalize", (x, gain), (out,), None, ("layer_norm",), width)
            self.items.append(op)
        elif what == "residual":
            inner = self.lead(f"{name}.inner", x, "linear")
            self.items.append(Op(name, "elementwise", (x, inner), (out,), functions=("add",)))
        else:
            self.items.append(Op(name, "elementwise", (x,), (out,), functions=("relu",)))
        return out

    def windows(self, name: str, x: Access) -> Access:
        """Each step with the one before it: a causal convolution, whose past outlives the run."""
        steps, batch, width = x.shape
        past = self.tensor(f"{name}.past", (1, batch, width), "state")
        padded = self.tensor(f"{name}.padded", (steps + 1, batch, width))
        self.items.append(Op(f"{name}.cat", "move", (past, x), (padded,)))
        last = view.slice_axis(padded, 0, steps, steps + 1, 1)
        self.items.append(Op(f"{name}.remember", "move", (last,), (past,)))
        found = self.sequence(f"{name}.sum", steps, width)
        pair = (view.slice_axis(padded, 0, n, steps + n, 1) for n in (0, 1))
        self.items.append(
            Op(f"{name}.join", "elementwise", tuple(pair), (found,), functions=("add",))
        )
        return found

    def layer(self, name: str, x: Access, layer: Layer, role: Role = "activation") -> Access:
        """A layer over a sequence, and the sequence of its results."""
        if layer.stride > 1:
            x = self.reduced(f"{name}.pairs", x, layer.stride)
        x = self.lead(f"{name}.lead", x, layer.before)
        out = self.sequence(f"{name}.y", x.shape[0], self.width, role)
        driven = x
        if layer.kind == "standing":
            driven = self.sequence(f"{name}.driven", x.shape[0], self.width)
            self.items.append(self.product(f"{name}.input", x, self.width, driven)[0])
        body = _Body(self, name, layer)
        body.write(self.at(driven), self.at(out))
        self.items.append(Region(name, x.shape[0], tuple(body.ops), tuple(body.carries)))
        for number, carry in enumerate(body.carries if layer.keeps_state else ()):
            kept = self.tensor(f"{name}.kept{number}", carry.update.shape, "output")
            source = (carry.update.access(),)
            self.items.append(Op(f"{name}.keep{number}", "move", source, (kept,)))
            if carry.initial:
                first = (carry.initial.access(),)
                self.items.append(Op(f"{name}.back{number}", "move", (kept,), first))
        return out


class _Body:
    """One step of a layer."""

    def __init__(self, stack: Stack, name: str, layer: Layer) -> None:
        self.stack, self.name, self.layer = stack, name, layer
        self.ops: list[Op] = []
        self.carries: list[Carry] = []

    def write(self, x: Access, out: Access) -> None:
        getattr(self, f"_{self.layer.kind}")(x, out)

    def state(self, what: str, width: int, *, in_place: bool = False) -> tuple[Access, Access]:
        """A state and where its next value goes."""
        shape, name = (self.stack.batch, width), f"{self.name}.{what}"
        state = self.stack.tensor(name, shape, "state")
        update = state if in_place else self.stack.tensor(f"{name}.next", shape)
        first = None
        if not self.layer.starts_at_zero:
            first = self.stack.tensor(f"{name}.first", shape, "state").tensor
        self.carries.append(Carry(state.tensor, update.tensor, first))
        return state, update

    def value(self, what: str, width: int = 0) -> Access:
        shape = (self.stack.batch, width or self.stack.width)
        return self.stack.tensor(f"{self.name}.{what}", shape)

    def vector(self, what: str) -> Access:
        return self.stack.tensor(f"{self.name}.{what}", (self.stack.width,), "weight")

    def product(
        self,
        what: str,
        x: Access,
        extra: Sequence[Access] = (),
        functions: Sequence[str] = (),
        out: Access | None = None,
    ) -> Access:
        title = f"{self.name}.{what}"
        out = out or self.value(f"{what}.out")
        self.ops.append(self.stack.product(title, x, self.stack.width, out, extra, functions)[0])
        return out

    def each(
        self, what: str, inputs: Sequence[Access], outputs: Sequence[Access], *functions: str
    ) -> None:
        title = f"{self.name}.{what}"
        kind = "elementwise" if functions else "move"
        self.ops.append(Op(title, kind, tuple(inputs), tuple(outputs), functions=functions))

    def _plain(self, x: Access, out: Access) -> None:
        h, after = self.state("h", self.stack.width)
        gate = self.product("gate", x)
        self.product("cell", h, [gate], ("add", "tanh"), after)
        self.each("collect", [after], [out])

    def _fused(self, x: Access, out: Access) -> None:
        h, after = self.state("h", self.stack.width)
        recurrent = self.product("recurrent", h)
        gates = self.product("input", x, [recurrent, self.vector("bias")], ("add", "add"))
        self.each("update", [gates], [after], "tanh")
        self.each("collect", [after], [out])

    def _gated(self, x: Access, out: Access) -> None:
        h, after = self.state("h", self.stack.width)
        gate = self.product("gate", x, [self.vector("bias")], ("add", "sigmoid"))
        self.each("update", [h, gate], [after], "mul", "tanh")
        self.each("collect", [after], [out])

    def _standing(self, driven: Access, out: Access) -> None:
        h, _ = self.state("h", self.stack.width, in_place=True)
        c, _ = self.state("c", self.stack.width, in_place=True)
        recurrent = self.product("recurrent", h)
        inputs = [driven, recurrent, self.vector("bias"), c]
        self.each("update", inputs, [h, c, out], "add", "add", "sigmoid", "mul")

    def _lagged(self, x: Access, out: Access) -> None:
        h, after = self.state("h", self.stack.width)
        past, present = self.state("past", x.shape[-1])
        new = self.product("new", x)
        both = self.product("old", past, [new], ("add",))
        self.each("shift", [x], [present])
        self.each("update", [h, both], [after], "mul", "tanh")
        self.each("collect", [after], [out])

    def _normed(self, x: Access, out: Access) -> None:
        h, after = self.state("h", self.stack.width)
        rows = self.value("rows", x.shape[-1])
        self.each("scale", [x], [rows], "tanh")
        driven = self.product("input", rows, functions=("tanh",))
        self.product("cell", h, [driven], ("add",), after)
        self.each("collect", [after], [out])

    def _triple(self, x: Access, out: Access) -> None:
        h, _ = self.state("h", self.stack.width, in_place=True)
        c, _ = self.state("c", self.stack.width, in_place=True)
        gates = self.product("input", x, [self.product("recurrent", h)], ("add",))
        self.each("update", [gates, c], [h, c], "mul", "tanh")
        g, after = self.state("g", self.stack.width)
        inner = self.product("inner", h, [c], ("add",))
        self.product("top", g, [inner], ("add", "tanh"), after)
        k, last = self.state("k", self.stack.width)
        skipped = self.product("skipped", h)
        deep = self.product("deep", after)
        self.each("join", [skipped, deep, k, c], [last], "add", "mul", "add")
        self.each("collect", [last], [out])

    def _double(self, x: Access, out: Access) -> None:
        first, after = self.state("h", self.stack.width)
        gate = self.product("gate", x)
        self.product("cell", first, [gate], ("add", "tanh"), after)
        second, last = self.state("g", self.stack.width)
        inner = self.product("inner", after, [self.vector("bias")], ("add",))
        self.product("top", second, [inner], ("add",), last)
        scaled = self.value("scaled")
        self.each("scale", [last, self.vector("gain")], [scaled], "mul")
        self.product("head", scaled, functions=("relu",), out=out)


def stack(
    layers: Sequence[Layer],
    steps: int,
    *,
    batch: int = 1,
    is_batch_first: bool = False,
    features: int = 3,
) -> Trace:
    """Layers one above the other; each runs over all that the one below made."""
    under = Stack(batch, is_batch_first)
    x = under.sequence("x", steps, features, "input")
    for number, layer in enumerate(layers):
        role: Role = "output" if number == len(layers) - 1 else "activation"
        x = under.layer(f"l{number}", x, layer, role)
    trace = Trace("stack", tuple(under.items), tuple(under.tensors))
    check_trace(trace)
    return trace


@st.composite
def stacks(draw: st.DrawFn) -> tuple[Trace, int]:
    """A stack, and the largest number of chunks that all its layers have steps for."""
    strides = draw(st.lists(st.sampled_from([1, 1, 2, 3]), min_size=1, max_size=4))
    layers = [
        Layer(
            draw(st.sampled_from(KINDS)),
            stride,
            draw(st.sampled_from(BETWEEN)),
            draw(st.booleans()),
            draw(st.booleans()),
        )
        for stride in strides
    ]
    slowest = draw(st.sampled_from([1, 2, 4, 6]))
    steps = slowest
    for stride in strides:
        steps *= stride
    batch = draw(st.sampled_from([1, 2]))
    trace = stack(layers, steps, batch=batch, is_batch_first=draw(st.booleans()))
    return trace, slowest
