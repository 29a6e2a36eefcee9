"""Loop orders the slow way: every step of every loop, one after the other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from codesign.mapping.hierarchy.spec import (
    ACTIVATION,
    COLUMNS,
    GROUPS,
    INNER,
    RESULT,
    ROWS,
    USES,
    WEIGHT,
    Array,
    Axis,
    Stage,
    Store,
)
from codesign.testing import convolution, matmul

OPS = st.one_of(
    st.builds(
        matmul, st.integers(1, 12), st.integers(1, 40), st.integers(1, 20), st.integers(1, 3)
    ),
    st.builds(
        convolution,
        st.sampled_from([1, 4, 6]),
        st.sampled_from([2, 8]),
        st.integers(3, 9),
        st.sampled_from([1, 3]),
        st.integers(1, 2),
        st.integers(0, 1),
    ),
    st.builds(
        lambda c, size: convolution(c, c, size, 3, 1, 1, groups=c),
        st.sampled_from([4, 6]),
        st.integers(3, 8),
    ),
)


def fills(steps: Sequence[int], loops: Sequence[int], operand: int, place: int) -> tuple[int, int]:
    """How often what lies below a place comes, and how many different ones do, step by step."""
    above = list(zip(steps[place:], loops[place:], strict=True))
    seen: list[tuple[int, ...]] = []
    for index in itertools.product(*(range(count) for count, _ in reversed(above))):
        outward = list(reversed(index))
        key = tuple(
            i for i, (_, number) in zip(outward, above, strict=True) if number in USES[operand]
        )
        if not seen or seen[-1] != key:
            seen.append(key)
    return len(seen), len(set(seen))


def array(**changes: Any) -> Array:
    """4 x 4 cells with a store for sums and one for weights, and a buffer for everything."""
    fields: dict[str, Any] = {
        "axes": (Axis("x", 4, (COLUMNS, GROUPS)), Axis("y", 4, (INNER,))),
        "stores": (
            Store("sums", RESULT, 16, 1e-14, 2e-14, 16, (1,)),
            Store("near", WEIGHT, 64, 3e-14, 4e-14, 8, ()),
        ),
        "stages": (Stage((ACTIVATION, WEIGHT, RESULT), 8 * 600, 1e-13, 2e-13, 32),),
        "sum_bits": 16,
        "mac_j": 5e-14,
        "home_read_j": 1e-11,
        "home_write_j": 2e-11,
    }
    return Array(**{**fields, **changes})


CLASSES = (ROWS, INNER, COLUMNS, GROUPS)
