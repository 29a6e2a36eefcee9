"""Small traces that use every field, and a hypothesis strategy that mixes them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import strategies as st

from codesign.testing import matmul
from codesign.workload.dtype import DType
from codesign.workload.nest import Axis, LoopNest, matmul_nest
from codesign.workload.record import (
    Access,
    Attribute,
    Branch,
    Carry,
    Coverage,
    Item,
    Op,
    Region,
    Role,
    Tensor,
    Trace,
)
from codesign.workload.retensor import with_tensors
from codesign.workload.sparsity import Sparsity
from codesign.workload.stored import Stored

INT8 = DType.parse("int8")
STEPS = 5


def tensor(name: str, shape: tuple[int, ...], role: Role, dtype: str = "int8") -> Tensor:
    return Tensor(name, shape, DType.parse(dtype), role)


def elementwise(name: str, source: Tensor, target: Tensor) -> Op:
    return Op(name, "elementwise", (source.access(),), (target.access(),), functions=("relu",))


def chain(*names: str) -> Trace:
    """``x`` through one elementwise operator a name, each writing ``<name>.out``."""
    tensors = [tensor("x", (4,), "input")]
    ops = []
    for name in names:
        tensors.append(tensor(f"{name}.out", (4,), "activation"))
        ops.append(elementwise(name, tensors[-2], tensors[-1]))
    return Trace("chain", tuple(ops), tuple(tensors))


def everything() -> Trace:
    """A trace in which every field of every record differs from its default."""
    x = tensor("x", (STEPS, 8), "input", "fp16")
    w = tensor("w", (16, 8), "weight", "fp4[16x8]")
    bias = tensor("bias", (16,), "constant", "fp32")
    h0, h = tensor("h0", (16,), "input"), tensor("h", (16,), "activation")
    h_next = tensor("h.next", (16,), "activation")
    cache = tensor("cache", (2, 1, 4, 8), "state", "bf16")
    query = tensor("query", (1, 1, 4, 8), "input", "bf16")
    y, z = tensor("y", (1, 16), "activation", "int32"), tensor("z", (1, 16), "output", "int32")
    heads = tensor("heads", (1, 1, 4, 8), "output", "bf16")
    row = Access(x, (1, 8), (8, 1), advance=(8,))
    turned = Access(w, (8, 16), (1, 8))
    cell = Op(
        "cell",
        "contraction",
        (row, turned, Access(bias, (1, 16), (0, 1)), Access(h, (1, 16), (0, 1))),
        (Access(h_next, (1, 16), (16, 1)),),
        LoopNest(
            ("m", "n", "k"),
            (1, 16, 8),
            tuple(
                tuple(Axis(((dim, 1),)) for dim in dims)
                for dims in ((0, 2), (2, 1), (0, 1), (0, 1), (0, 1))
            ),
        ),
        ("add", "tanh"),
        (
            ("alpha", 0.5),
            ("causal", True),
            ("dims", (1, 2)),
            ("mode", "fast"),
            ("names", ("a", "b")),
        ),
        "model.rnn",
        "aten.rnn_tanh.input",
    )
    region = Region("rnn", STEPS, (cell,), (Carry(h, h_next, h0),), "model.rnn")
    keys, values = (Access(cache, (1, 1, 4, 8), (0, 32, 8, 1), offset) for offset in (0, 32))
    attend = Op("attend", "attention", (query.access(), keys, values), (heads.access(),))
    copy = Op("y", "move", (Access(h_next, (1, 16), (16, 1)),), (y.access(),))
    branch = Branch("skip", 0.25, (elementwise("yes", y, z),), (elementwise("no", y, z),))
    return Trace(
        "everything",
        (region, copy, attend, branch),
        (x, w, bias, h0, h, h_next, cache, query, y, z, heads),
        Coverage(4, 3, (("aten.mystery.default", 2),)),
        ("a note", "another"),
    )


def packed() -> Trace:
    """A product whose weights have zeros and a codec."""
    op = matmul(4, 8, 16)
    stored = Stored("2:4", Fraction(4), Fraction(3, 2))
    zeros = Sparsity.parse("2:4 axis 0").on((8, 16), "w")
    weight = replace(op.inputs[1].tensor, sparsity=zeros, stored=stored)
    trace = Trace("packed", (op,), tuple(access.tensor for access in op.operands))
    return with_tensors(trace, {weight.name: weight})


def convolution() -> Trace:
    """A padded, strided, dilated convolution: offsets and coefficients in its nest."""
    image, kernel = tensor("image", (1, 3, 9, 9), "input"), tensor("kernel", (4, 3, 3, 3), "weight")
    out = tensor("out", (1, 4, 4, 4), "output")
    dims = ("b", "co", "oy", "ox", "ci", "ky", "kx")
    window = tuple(Axis(((o, 2), (k, 1)), -1) for o, k in ((2, 5), (3, 6)))
    plain = [Axis(((dim, 1),)) for dim in range(len(dims))]
    nest = LoopNest(
        dims,
        (1, 4, 4, 4, 3, 3, 3),
        (
            (plain[0], plain[4], *window),
            (plain[1], plain[4], plain[5], plain[6]),
            (plain[0], plain[1], plain[2], plain[3]),
        ),
    )
    op = Op("conv", "contraction", (image.access(), kernel.access()), (out.access(),), nest)
    return Trace("convolution", (op,), (image, kernel, out))


WORDS = st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=8)
NUMBERS = st.integers(-(2**63) + 1, 2**63 - 1)
FORMATS = st.sampled_from(["int8", "uint4", "bf16", "fp32", "bool", "fp4[16x8]", "fp8[32x8]"])
ATTRIBUTES: st.SearchStrategy[Attribute] = st.one_of(
    st.booleans(),
    NUMBERS,
    st.floats(allow_nan=False),
    st.text(st.characters(categories=("L", "N", "P", "S")), max_size=8),
    st.lists(NUMBERS, max_size=3).map(tuple),
    st.lists(WORDS, max_size=3).map(tuple),
)


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    """Matrix products and elementwise operators in a row, some inside nested regions."""
    width = draw(st.integers(1, 64))
    dtype = DType.parse(draw(FORMATS))
    tensors = [Tensor("x", (width, width), dtype, "input")]
    items: list[Item] = []
    for index in range(draw(st.integers(1, 6))):
        out = Tensor(f"t{index}", (width, width), dtype, "activation")
        item: Item = draw(_operators(f"op{index}", tensors, out))
        for level in range(draw(st.integers(0, 2))):
            item = Region(f"region{index}.{level}", draw(st.integers(1, 2**20)), (item,))
        items.append(item)
        tensors.append(out)
    return Trace(draw(WORDS), tuple(items), tuple(tensors), notes=tuple(draw(st.lists(WORDS))))


@st.composite
def _operators(draw: st.DrawFn, name: str, tensors: list[Tensor], out: Tensor) -> Op:
    first, second = (draw(st.sampled_from(tensors)) for _ in range(2))
    names = draw(st.lists(WORDS, max_size=3, unique=True))
    attributes = tuple((key, draw(ATTRIBUTES)) for key in sorted(names))
    functions, module = tuple(draw(st.lists(WORDS, max_size=2))), draw(WORDS)
    width = out.shape[0]
    if draw(st.booleans()):
        nest = matmul_nest(1, width, width, width)
        turned = Access(second, second.shape, (1, width))
        inputs: tuple[Access, ...] = (first.access(), turned)
        return Op(name, "contraction", inputs, (out.access(),), nest, functions, attributes, module)
    inputs = (first.access(), Access(second, (width, width), (0, 1)))
    return Op(name, "elementwise", inputs, (out.access(),), None, functions, attributes, module)
