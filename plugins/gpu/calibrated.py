"""What of the engine is fitted to measurements, and what a table of operators takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from codesign import Budget
from codesign.calibration import Constant

from .times import Device, Product, Times, streaming_s

if TYPE_CHECKING:
    from codesign.calibration import Fit, Measurements

    from .engine import Gpu

_SHARE = Constant(0.05, 1.0)
_PRODUCT = "contraction"


def constants_of(table: Measurements) -> Mapping[str, Constant]:
    """The start or the launch, and a share for each peak that the points can tell.

    Times of the device alone tell the start of a kernel. Times of the host tell the launch and the
    start only together: the launch is fitted and the start is kept.
    """
    start = "t0" if table.protocol == "kernel" else "launch_overhead"
    found = {start: Constant(0.0, float(table.seconds.min()))}
    kinds = sorted(set(map(str, table.kind)))
    if _PRODUCT in kinds:
        found |= {"compute_efficiency": _SHARE, "memory_efficiency": _SHARE}
    return found | {f"kind_efficiency.{kind}": _SHARE for kind in kinds if kind != _PRODUCT}


def predict_s(engine: Gpu, table: Measurements, budget: Budget) -> Times:
    """Seconds of each operator, as a plan takes for it alone."""
    found = np.zeros(len(table))
    for kind, formats in dict.fromkeys(zip(table.kind, table.formats, strict=True)):
        chosen = np.flatnonzero((table.kind == kind) & (table.formats == formats))
        part = table.where(chosen)
        if kind == _PRODUCT:
            found[chosen] = _products_s(engine, part, str(formats), budget)
        else:
            found[chosen] = _streams_s(engine, part, str(kind), budget)
    return found


def _products_s(engine: Gpu, part: Measurements, formats: str, budget: Budget) -> Times:
    constants = engine.constants(part.protocol)
    product = Product.of(part.batch, part.m, part.k, part.n, *part.element_bytes)
    compute = product.options_s(engine.rates(formats, budget), constants).min(axis=0)
    memory = part.moved_bytes / (budget.load_bytes_per_s * constants.memory)
    time: Times = constants.t0 + constants.launch + np.maximum(compute, memory)
    return time


def _streams_s(engine: Gpu, part: Measurements, kind: str, budget: Budget) -> Times:
    device = Device(engine.units, engine.clock, 0.0, budget.load_bytes_per_s, math.inf)
    return streaming_s(device, engine.constants(part.protocol, kind), part.moved_bytes)


def learned(fit: Fit) -> Mapping[str, object]:
    """The protocol and range of a fit, and a sentence on how good it is."""
    table = fit.fitted
    products = table.kind == _PRODUCT
    sizes = {"bytes": table.moved_bytes}
    if products.any():
        sizes |= {"m": table.rows[products], "k": table.k[products], "n": table.n[products]}
    pairs = set(zip(map(str, table.kind), map(str, table.formats), strict=True))
    work = {f"{kind} {formats}" if kind == _PRODUCT else kind for kind, formats in pairs}
    return {
        "protocol": table.protocol,
        "calibrated_range": {
            name: [int(values.min()), int(values.max())] for name, values in sizes.items()
        },
        "calibrated_work": sorted(work),
        "calibration": _sentence(fit),
    }


def _sentence(fit: Fit) -> str:
    held = fit.held_back_errors
    others = "none held back"
    if held:
        others = f"{held[0].mean:.1%} (bias {held[0].bias:+.1%}) on {held[0].points:,} held back"
    return (
        f"constants fitted to {fit.fitted.protocol} times: mean error {fit.fit_errors[0].mean:.1%} "
        f"on the {len(fit.fitted):,} points of the fit, {others}; digest {fit.digest[:12]}"
    )
