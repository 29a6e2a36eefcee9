"""What the output stage can do to a result, and how long it takes."""

from __future__ import annotations

from collections.abc import Sequence

from .core import Core

CLAMPS = ("relu", "relu6", "clamp", "hardtanh")
"""Limits, behind any operator."""
_TABLES = (
    "tanh sigmoid log_sigmoid gelu silu mish elu selu celu exp log sqrt rsqrt reciprocal sin cos "
    "erf abs neg leaky_relu hardswish hardsigmoid softplus softsign"
)
TABLES = tuple(_TABLES.split())
"""Functions of one number, which are a table of 256 entries for int8."""
SUMS = ("add", "sub", "minimum", "maximum")
PRODUCTS = ("mul",)
FREE = ("cast",)
"""The output stage scales and rounds every result anyway."""
WINDOWS = ("max", "mean", "sum")
"""Reductions over a window."""
KNOWN = (*CLAMPS, *TABLES, *SUMS, *PRODUCTS, *FREE)


def per_result(core: Core, first: Sequence[float], functions: Sequence[str]) -> float:
    """Cycles of the output stage for each result.

    A limit or a table follows what is before it at no cost of its own unless it is the slower. A
    sum or a product of two images is a pass of its own.

    Args:
        core: the configuration.
        first: cycles of what comes before the functions; empty if they come first.
        functions: their names, all of ``KNOWN``.
    """
    passes = list(first)
    for name in functions:
        if name in SUMS or name in PRODUCTS:
            passes.append(core.output["add" if name in SUMS else "mul"])
        elif name not in FREE:
            behind = core.activation["clamp" if name in CLAMPS else "table"]
            last = passes.pop() if passes else core.output["other"]
            passes.append(max(last, behind))
    return sum(passes) or core.output["other"]
