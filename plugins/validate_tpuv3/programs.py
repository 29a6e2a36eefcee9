"""What a TPU v3 runs for a few functions: loops that read and write memory, as XLA fuses them.

XLA turns a function into fusions that follow one another; each reads its operands from off-chip
memory and writes its results there. Elementwise work joins the loop that reads it, or the product
before or after it; a reduction ends a loop, since what follows needs all of it. Tensors are
single precision, which the matrix units round to bf16 on the way in and sum in single precision.
"""

from __future__ import annotations

from collections.abc import Sequence

from codesign import Access, DType, Op, Tensor, Trace
from codesign.workload.nest import Axis, LoopNest, matmul_nest
from codesign.workload.tensor import Role

FORMAT = DType.parse("fp32")
"""Format of tensors in memory: scripts of the reference make them without naming one."""


class Program:
    """Operators in the order in which they run, each one fusion.

    Attributes:
        name: of the whole.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._ops: list[Op] = []
        self._tensors: list[Tensor] = []

    def trace(self) -> Trace:
        """The operators so far."""
        return Trace(self.name, tuple(self._ops), tuple(self._tensors))

    def tensor(self, *shape: int, role: Role = "input") -> Tensor:
        """Data that is there before the program starts, or that an operator is to write."""
        made = Tensor(f"t{len(self._tensors)}", shape, FORMAT, role)
        self._tensors.append(made)
        return made

    def product(
        self,
        first: Access,
        second: Access,
        functions: Sequence[str] = (),
        beside: Sequence[tuple[Access, str]] = (),
    ) -> Tensor:
        """A matrix product ``[.., m, k] x [.., k, n]``.

        Args:
            first: the operand that streams.
            second: the operand that stays in the array.
            functions: elementwise work fused with it.
            beside: what this work reads too, with the dimensions that it has: ``n`` a bias,
                ``mn`` another summand.
        """
        *lead, m, k = first.shape
        n = second.shape[-1]
        result = self.tensor(*lead, m, n, role="activation")
        more = [names for _, names in beside]
        nest = matmul_nest(lead[0] if lead else 1, m, n, k, extra=more)
        inputs = (first, second, *(access for access, _ in beside))
        self._add("contraction", inputs, result, nest, functions)
        return result

    def convolution(self, images: int, channels: int, filters: int, size: int) -> Tensor:
        """A convolution of square images by kernels of 3 x 3, of which one pixel is padding."""
        dims = ("image", "co", "oy", "ox", "ci", "ky", "kx")
        extents = (images, filters, size, size, channels, 3, 3)
        plain = [Axis(((dim, 1),)) for dim in range(len(dims))]
        window = [Axis(((pixel, 1), (tap, 1)), -1) for pixel, tap in ((2, 5), (3, 6))]
        read = (plain[0], *window, plain[4])
        taps = (plain[5], plain[6], plain[4], plain[1])
        written = (plain[0], plain[2], plain[3], plain[1])
        nest = LoopNest(dims, extents, (read, taps, written))
        image = self.tensor(images, size, size, channels)
        weight = self.tensor(3, 3, channels, filters, role="weight")
        result = self.tensor(images, size, size, filters, role="activation")
        self._add("contraction", (image.access(), weight.access()), result, nest)
        return result

    def reduce(self, data: Tensor, functions: Sequence[str], *beside: Tensor) -> Tensor:
        """A loop over rows that ends in one value for each.

        Args:
            data: what is reduced along its last axis.
            functions: work on every element, the reduction last.
            beside: one value for each row, read too.
        """
        result = self.tensor(*data.shape[:-1], role="activation")
        self._add("reduce", [one.access() for one in (data, *beside)], result, None, functions)
        return result

    def loop(self, functions: Sequence[str], data: Tensor, *beside: Tensor) -> Tensor:
        """A loop over all elements of ``data`` that reads ``beside`` too."""
        result = self.tensor(*data.shape, role="activation")
        self._add("elementwise", [one.access() for one in (data, *beside)], result, None, functions)
        return result

    def _add(
        self,
        kind: str,
        inputs: Sequence[Access],
        result: Tensor,
        nest: LoopNest | None,
        functions: Sequence[str] = (),
    ) -> None:
        name = f"{len(self._ops)} {kind}"
        op = Op(name, kind, tuple(inputs), (result.access(),), nest, tuple(functions))
        self._ops.append(op)


def gemm(m: int, k: int, n: int) -> Trace:
    """A matrix product."""
    program = Program(f"gemm {m}x{k}x{n}")
    program.product(program.tensor(m, k).access(), program.tensor(k, n).access())
    return program.trace()


def convolution(images: int, size: int, channels: int, filters: int) -> Trace:
    """A convolution of 3 x 3 with one pixel of padding, stride 1."""
    program = Program(f"conv {images}x{size}x{size}x{channels} {filters}x3x3")
    program.convolution(images, channels, filters, size)
    return program.trace()


def softmax(rows: int, width: int) -> Trace:
    """Softmax over rows: maxima; sums of exponentials; exponentials over sums."""
    program = Program(f"softmax {rows}x{width}")
    data = program.tensor(rows, width)
    largest = program.reduce(data, ("max",))
    total = program.reduce(data, ("sub", "exp", "sum"), largest)
    program.loop(("sub", "exp", "div"), data, largest, total)
    return program.trace()


def layer_norm(rows: int, width: int) -> Trace:
    """Layer normalisation."""
    program = Program(f"layer norm {rows}x{width}")
    normalise(program, program.tensor(rows, width))
    return program.trace()


def normalise(program: Program, data: Tensor) -> Tensor:
    """Means; variances; the normalised rows; their scale and shift.

    PyTorch/XLA builds layer normalisation from a batch normalisation, with the scale and shift of
    the layer as further work on what that writes. That they are a loop of their own is chosen
    from a measurement: memory would be passed four times with them and is passed six times.
    """
    mean = program.reduce(data, ("sum",))
    variance = program.reduce(data, ("sub", "mul", "sum"), mean)
    rows = program.loop(("sub", "rsqrt", "mul"), data, mean, variance)
    scale, shift = (program.tensor(data.shape[-1], role="weight") for _ in range(2))
    return program.loop(("mul", "add"), rows, scale, shift)


def attention(heads: int, length: int, width: int) -> Trace:
    """Attention of one sequence."""
    program = Program(f"attention {heads}x{length}x{width}")
    query, key, value = (program.tensor(heads, length, width).access() for _ in range(3))
    attend(program, query, key, value)
    return program.trace()


def attend(program: Program, query: Access, key: Access, value: Access) -> Tensor:
    """Scores with their maxima; sums of exponentials; the product with the values.

    The scale and the maxima are work on the result of the first product, exponentials over sums
    work on an operand of the second one. That both are fused is chosen from a measurement: scores
    would pass memory six times without and do so three times. The maxima, one a row, are left out.
    """
    head, row, column = key.strides
    heads, length, width = key.shape
    turned = Access(key.tensor, (heads, width, length), (head, column, row))
    scores = program.product(query, turned, ("mul", "max"))
    total = program.reduce(scores, ("sub", "exp", "sum"))
    weights = ("sub", "exp", "div")
    return program.product(scores.access(), value, weights, [(total.access(), "bm")])


def encoder(length: int, width: int, heads: int) -> Trace:
    """A transformer encoder block as the reference builds it, four times as wide inside."""
    program = Program(f"encoder {length}x{width}, {heads} heads")
    data = program.tensor(length, width)
    projected = [_linear(program, data.access(), width, ("add",)) for _ in range(3)]
    attended = attend(program, *(_split(one, heads) for one in projected))
    joined = Access(attended, (length, width), (width, 1))
    first = normalise(program, _linear(program, joined, width, ("add", "add"), data))
    inner = _linear(program, first.access(), 4 * width, ("add", "relu"))
    normalise(program, _linear(program, inner.access(), width, ("add", "add"), first))
    return program.trace()


def _linear(
    program: Program,
    data: Access,
    width: int,
    functions: Sequence[str],
    summand: Tensor | None = None,
) -> Tensor:
    """A layer with bias, and a residual where there is a summand."""
    weight = program.tensor(data.shape[-1], width, role="weight")
    beside = [(program.tensor(width, role="weight").access(), "n")]
    if summand is not None:
        beside.append((summand.access(), "mn"))
    return program.product(data, weight.access(), functions, beside)


def _split(data: Tensor, heads: int) -> Access:
    """``[length, width]`` as ``[heads, length, width / heads]``."""
    length, width = data.shape
    return Access(data, (heads, length, width // heads), (width // heads, width, 1))
