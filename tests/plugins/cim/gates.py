"""A recurrent cell whose gates are one product, by hand."""

from __future__ import annotations

from codesign.testing.operators import whole
from codesign.workload.nest import matmul_nest
from codesign.workload.record import Access, Carry, Op, Region, Trace


def recurrent(steps: int, *, inner: int = 512, gates: int = 1024, cells: int = 1) -> Trace:
    """``x = f(x W)`` for so many steps, with ``W`` of ``inner`` x ``gates``.

    ``inner`` are input and state behind each other, ``gates`` a multiple of it; with several
    ``cells`` each step goes through as many such layers.
    """
    first = whole("x0", (1, inner), "input")
    state = whole("x", (1, inner))
    body: list[Op] = []
    now = state
    for number in range(cells):
        weight = whole(f"w{number}", (inner, gates), "weight")
        sums, out = whole(f"sums{number}", (1, gates)), whole(f"out{number}", (1, inner))
        nest = matmul_nest(1, 1, gates, inner)
        body.append(Op(f"gates{number}", "contraction", (now, weight), (sums,), nest))
        parts = tuple(
            Access(sums.tensor, (1, inner), (gates, 1), offset=n * inner)
            for n in range(gates // inner)
        )
        body.append(Op(f"cell{number}", "elementwise", parts, (out,), functions=("add", "tanh")))
        now = out
    region = Region("steps", steps, tuple(body), (Carry(state.tensor, now.tensor, first.tensor),))
    last = whole("y", (1, inner), "output")
    keep = Op("keep", "move", (now,), (last,), functions=("move",))
    every = [access for op in (*body, keep) for access in op.operands] + [first]
    tensors = {access.tensor.name: access.tensor for access in every}
    return Trace("recurrent", (region, keep), tuple(tensors.values()))
