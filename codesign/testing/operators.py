"""Small operators of every kind, written by hand: what the conformance checks plan."""

from __future__ import annotations

from collections.abc import Sequence

from codesign.workload.dtype import DType
from codesign.workload.nest import Axis, LoopNest, matmul_nest
from codesign.workload.record import Access, Attribute, Op, Role, Tensor


def whole(
    name: str, shape: Sequence[int], role: Role = "activation", dtype: str = "int8"
) -> Access:
    """A tensor of its own, read or written whole.

    Args:
        name: name of the tensor.
        shape: extents.
        role: what it is for.
        dtype: number format, as ``DType.parse`` reads it.
    """
    return Tensor(name, tuple(shape), DType.parse(dtype), role).access()


def matmul(
    m: int,
    k: int,
    n: int,
    batch: int = 1,
    bias: bool = False,
    dtype: str = "int8",
    weight_dtype: str | None = None,
) -> Op:
    """``[batch, m, k] x [batch, k, n]``; the batch axis is there only if ``batch`` is not 1.

    Args:
        m: rows of the activation.
        k: length of the reduction.
        n: columns of the weight.
        batch: independent products.
        bias: adds a third input of ``n`` elements and the fused function ``add``.
        dtype: format of all operands.
        weight_dtype: format of the second factor where it differs.
    """
    lead = (batch,) if batch != 1 else ()
    inputs = [whole("x", (*lead, m, k), "input", dtype)]
    inputs.append(whole("w", (*lead, k, n), "weight", weight_dtype or dtype))
    if bias:
        inputs.append(whole("bias", (n,), "weight", dtype))
    nest = matmul_nest(batch, m, n, k, extra=("n",) if bias else ())
    output = whole("y", (*lead, m, n), "output", dtype)
    functions = ("add",) if bias else ()
    name = f"matmul {batch}x{m}x{k}x{n}"
    return Op(name, "contraction", tuple(inputs), (output,), nest, functions)


def convolution(
    channels: int,
    filters: int,
    size: int,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    groups: int = 1,
    dilation: int = 1,
    dtype: str = "int8",
) -> Op:
    """A square convolution of one image; ``groups == channels`` is a depthwise one.

    Args:
        channels: input channels, a multiple of ``groups``.
        filters: output channels, a multiple of ``groups``.
        size: rows and columns of the image.
        kernel: taps along each axis.
        stride: pixels from one output to the next.
        padding: pixels added on every side.
        groups: groups of channels.
        dilation: pixels from one tap to the next.
        dtype: format of all operands.
    """
    pixels = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    per_group = channels // groups, filters // groups
    dims = ("g", "co", "oy", "ox", "ci", "ky", "kx")
    extents = (groups, per_group[1], pixels, pixels, per_group[0], kernel, kernel)
    plain = [Axis(((dim, 1),)) for dim in range(len(dims))]
    window = [Axis(((o, stride), (t, dilation)), -padding) for o, t in ((2, 5), (3, 6))]
    nest = LoopNest(
        dims,
        extents,
        (
            (plain[0], plain[4], *window),
            (plain[0], plain[1], plain[4], plain[5], plain[6]),
            tuple(plain[:4]),
        ),
    )
    image = whole("image", (groups, per_group[0], size, size), "input", dtype)
    weight = whole("w", (groups, *per_group[::-1], kernel, kernel), "weight", dtype)
    output = whole("y", (groups, per_group[1], pixels, pixels), "output", dtype)
    name = f"conv {channels}x{size}x{size} {filters}x{kernel}x{kernel}/{stride} groups {groups}"
    return Op(name, "contraction", (image, weight), (output,), nest)


def elementwise(
    shape: Sequence[int], functions: Sequence[str] = ("relu",), inputs: int = 1, dtype: str = "int8"
) -> Op:
    """A chain of per-element functions over ``inputs`` tensors of one shape."""
    sources = tuple(whole(f"x{number}", shape, "input", dtype) for number in range(inputs))
    return _simple("elementwise", sources, shape, functions, dtype)


def reduce(rows: int, width: int, function: str = "sum", dtype: str = "int8") -> Op:
    """``[rows, width]`` to ``[rows]``."""
    source = whole("x", (rows, width), "input", dtype)
    nest = LoopNest(
        ("r", "k"), (rows, width), ((Axis(((0, 1),)), Axis(((1, 1),))), (Axis(((0, 1),)),))
    )
    output = whole("y", (rows,), "output", dtype)
    return Op(f"reduce {rows}x{width}", "reduce", (source,), (output,), nest, (function,))


def softmax(rows: int, width: int, dtype: str = "int8") -> Op:
    """Softmax over the last axis of ``[rows, width]``."""
    source = whole("x", (rows, width), "input", dtype)
    return _simple("softmax", (source,), (rows, width), ("softmax",), dtype, width=width)


def normalize(rows: int, width: int, function: str = "layer_norm", dtype: str = "int8") -> Op:
    """A normalisation of ``[rows, width]`` with a scale and a shift of ``width`` elements."""
    vectors = (whole(name, (width,), "weight", dtype) for name in ("scale", "shift"))
    inputs = (whole("x", (rows, width), "input", dtype), *vectors)
    return _simple("normalize", inputs, (rows, width), (function,), dtype, width=width)


def gather(rows: int, lookups: int, width: int, dtype: str = "int8") -> Op:
    """``lookups`` rows of a table of ``rows x width``; only that many are read."""
    table = Tensor("table", (rows, width), DType.parse(dtype), "weight")
    read = Access(table, (min(rows, lookups), width), (width, 1))
    inputs = (read, whole("index", (lookups,), "input", "int32"))
    size = table.dtype.storage_bytes(width)
    return _simple("gather", inputs, (lookups, width), (), dtype, row_bytes=size, rows=lookups)


def move(shape: Sequence[int], dtype: str = "int8") -> Op:
    """A copy."""
    return _simple("move", (whole("x", shape, "input", dtype),), shape, ("move",), dtype)


def _simple(
    kind: str,
    inputs: tuple[Access, ...],
    shape: Sequence[int],
    functions: Sequence[str],
    dtype: str,
    **attributes: Attribute,
) -> Op:
    output = whole("y", shape, "output", dtype)
    name = f"{kind} {'x'.join(map(str, shape))}"
    facts = tuple(sorted(attributes.items()))
    return Op(name, kind, inputs, (output,), None, tuple(functions), facts)


def contractions(dtype: str = "int8") -> tuple[Op, ...]:
    """Products and convolutions that reach the corners: vectors, edges, halos, groups, biases."""
    return (
        matmul(1, 1, 1, dtype=dtype),
        matmul(1, 96, 80, dtype=dtype),
        matmul(80, 96, 1, dtype=dtype),
        matmul(48, 64, 33, bias=True, dtype=dtype),
        matmul(7, 13, 5, batch=3, dtype=dtype),
        convolution(6, 10, 9, 3, padding=1, dtype=dtype),
        convolution(4, 8, 12, 3, stride=2, padding=1, dtype=dtype),
        convolution(4, 4, 9, 1, stride=2, dtype=dtype),
        convolution(3, 5, 11, 3, dilation=2, dtype=dtype),
        convolution(12, 12, 8, 3, padding=1, groups=12, dtype=dtype),
        convolution(8, 16, 6, 3, groups=4, dtype=dtype),
    )


def vector_work(dtype: str = "int8") -> tuple[Op, ...]:
    """Operators that are not matrix work, of every kind that streams."""
    return (
        elementwise((1,), dtype=dtype),
        elementwise((33, 65), ("add", "relu"), inputs=2, dtype=dtype),
        elementwise((24, 512), ("gelu",), dtype=dtype),
        reduce(24, 100, dtype=dtype),
        softmax(12, 200, dtype=dtype),
        normalize(20, 96, dtype=dtype),
        normalize(20, 96, "rms_norm", dtype=dtype),
        gather(500, 40, 32, dtype=dtype),
        move((70, 90), dtype=dtype),
    )


def every_operator(dtype: str = "int8") -> tuple[Op, ...]:
    """All of ``contractions`` and ``vector_work`` in one number format."""
    return (*contractions(dtype), *vector_work(dtype))
