"""Layers, engines and plain counts for the tests of the Ethos-U engine."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import Any

from codesign_plugins.ethos_u import EthosU
from codesign_plugins.ethos_u.core import CORES
from hypothesis import strategies as st

from codesign.hardware.plan import Budget, TilePlan
from codesign.testing import convolution, matmul
from codesign.testing.operators import whole
from codesign.workload.nest import Axis, LoopNest
from codesign.workload.record import Op

AMPLE = Budget(1 << 24, 1e15, 1e15)
"""A buffer and a link that never hold anything up."""
THERE = Budget(1 << 24, 1e15, 1e15, resident=(True,) * 6)
"""The same with every operand in the buffer."""
NAMES = tuple(CORES)
LARGE = ("u55-256", "u65-256", "u65-512")


def core(configuration: str = "u55-256", **fields: Any) -> EthosU:
    fields = {"record_latency": 0} | fields
    return EthosU(name="npu", buffer="sram", configuration=configuration, **fields)


def plan(op: Op, configuration: str = "u55-256", budget: Budget = AMPLE, **fields: Any) -> TilePlan:
    found: TilePlan = core(configuration, **fields).plan(op, budget)
    return found


def actions(found: TilePlan) -> Counter[tuple[str, str]]:
    return Counter({(component, action): n for component, action, n in found.actions})


def slots(found: TilePlan) -> Counter[str]:
    return Counter(dict(found.slots))


def pooling(channels: int, size: int, kernel: int, stride: int, function: str = "max") -> Op:
    """A window over an image of int8."""
    pixels = (size - kernel) // stride + 1
    dims = ("c", "oy", "ox", "ky", "kx")
    plain = [Axis(((dim, 1),)) for dim in range(3)]
    window = tuple(Axis(((1 + axis, stride), (3 + axis, 1))) for axis in (0, 1))
    nest = LoopNest(
        dims, (channels, pixels, pixels, kernel, kernel), ((plain[0], *window), (*plain,))
    )
    source = whole("image", (channels, size, size), "input")
    target = whole("y", (channels, pixels, pixels), "output")
    return Op("pool", "reduce", (source,), (target,), nest, (function,))


def scores(batch: int = 2) -> Op:
    """A product of two activations, as attention has."""
    product = matmul(12, 16, 20, batch=batch)
    first, second = whole("q", (batch, 12, 16)), whole("k", (batch, 16, 20))
    return Op("qk", "contraction", (first, second), product.outputs, product.nest)


def between(op: Op) -> Op:
    """The operator with images that others of the NPU make and take."""
    image, *rest = op.inputs
    output = op.outputs[0]
    return Op(
        op.name,
        op.kind,
        (whole("x", image.shape), *rest),
        (whole("y", output.shape),),
        op.nest,
        op.functions,
    )


def batched(op: Op, images: int) -> Op:
    """A convolution of several images, one after the other."""
    nest = op.loops
    image, weight = op.inputs
    first, kernel, last = (
        tuple(replace(axis, terms=tuple((dim + 1, by) for dim, by in axis.terms)) for axis in axes)
        for axes in nest.operands
    )
    batch = Axis(((0, 1),))
    result = op.outputs[0]
    return Op(
        f"{op.name} batch {images}",
        op.kind,
        (whole("images", (images, *image.shape), image.tensor.role), weight),
        (whole("results", (images, *result.shape), result.tensor.role),),
        LoopNest(
            ("n", *nest.dims),
            (images, *nest.extents),
            ((batch, *first), kernel, (batch, *last)),
        ),
        op.functions,
    )


def biased(op: Op, functions: tuple[str, ...] = ("add", "relu")) -> Op:
    """A convolution with a bias and what follows it."""
    nest = op.loops
    plain = tuple(Axis(((dim, 1),)) for dim in (0, 1))
    image, weight = op.inputs
    bias = whole("bias", (*weight.shape[:1], op.outputs[0].shape[1]), "weight", "int80")
    operands = (nest.operands[0], nest.operands[1], plain, nest.operands[2])
    return Op(
        op.name,
        op.kind,
        (image, weight, bias),
        op.outputs,
        LoopNest(nest.dims, nest.extents, operands),
        functions,
    )


def up(value: int, grain: int) -> int:
    return math.ceil(value / grain) * grain


LAYERS = st.one_of(
    st.builds(
        convolution,
        st.integers(1, 70),
        st.integers(1, 70),
        st.integers(7, 24),
        st.sampled_from([1, 3, 5]),
        st.sampled_from([1, 2]),
        st.sampled_from([0, 1]),
    ),
    st.builds(
        lambda channels, size, stride: convolution(
            channels, channels, size, 3, stride, 1, groups=channels
        ),
        st.integers(2, 70),
        st.integers(4, 24),
        st.sampled_from([1, 2]),
    ),
    st.builds(
        lambda channels, filters, size: biased(convolution(channels, filters, size, 3)),
        st.integers(1, 40),
        st.integers(2, 70),
        st.integers(4, 20),
    ),
    st.builds(matmul, st.integers(1, 40), st.integers(1, 300), st.integers(1, 300)),
    st.builds(pooling, st.integers(1, 70), st.integers(6, 24), st.sampled_from([2, 3]), st.just(2)),
)
"""Small layers of every form."""
