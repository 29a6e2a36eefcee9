"""A family of reference figures: vectors times matrices, which the memory bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import codesign
from codesign import hookimpl
from codesign.testing import matmul
from codesign.validation import Case, Validation

BANDWIDTH = 8.532e9 * 0.949
"""Bytes per second of the memory of the preset ``edge-npu``."""


def compare(size: int) -> Iterator[Case]:
    """One case: our latency, and that of the bytes alone."""
    op = matmul(1, size, size)
    trace = codesign.Trace("product", (op,), tuple(access.tensor for access in op.operands))
    ours = codesign.simulate(trace, "edge-npu").latency_s
    theirs = (size * size + 2 * size) / BANDWIDTH
    yield Case(name=f"{size} x {size}", quantity="latency", unit="s", ours=ours, theirs=theirs)


@hookimpl
def codesign_validations() -> Mapping[str, Validation[Any]]:
    """The family ``my_plugin``."""
    family = Validation(
        title="vectors times matrices, which memory bounds",
        source="bytes of all operands over the rate of the memory",
        rows=lambda _: [256, 1024],
        compare=compare,
        note="nothing is fitted",
    )
    return {"my_plugin": family}
