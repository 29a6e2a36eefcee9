"""What of the engine is fitted to measurements, and what a table of operators takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from codesign import Budget
from codesign.calibration import Constant
from codesign.errors import CalibrationError

from .times import Product, Times

if TYPE_CHECKING:
    from codesign.calibration import Errors, Fit, Measurements

    from .engine import Gpu

_SHARE = Constant(0.05, 1.0)
_PRODUCT = "contraction"
_NOISE = 2.0
"""Times of the shortest operator that its start may take: a time may be measured too short."""
_SIZES = ("bytes", "m", "k", "n")


def constants_of(engine: Gpu, table: Measurements) -> Mapping[str, Constant]:
    """The start or the launch, and a share of each peak that such kinds are bound by.

    Times of the device alone tell the start of a kernel. Times of the host tell the launch and the
    start only together: the launch is fitted and the start is kept. Both are kept where an earlier
    fit set them for works that are not measured now.

    Raises:
        CalibrationError: an earlier fit has constants that cannot be fitted beside it.
    """
    kept = _kept(engine, table)
    kinds = sorted(set(map(str, table.kind)))
    found: dict[str, Constant] = {}
    if not kept:
        found[_start(table.protocol)] = Constant(
            0.0, min(1.0, _NOISE * float(table.seconds.min())), "s"
        )
    if _PRODUCT in kinds:
        found |= {"compute_efficiency": _SHARE, "memory_efficiency": _SHARE}
    return found | {f"kind_efficiency.{kind}": _SHARE for kind in kinds if kind != _PRODUCT}


def _start(protocol: str) -> str:
    return "t0" if protocol == "kernel" else "launch_overhead"


def predict_s(engine: Gpu, table: Measurements, budget: Budget) -> Times:
    """Seconds of each operator, as a plan takes for it alone."""
    found = np.zeros(len(table))
    for work in np.unique(table.work):
        chosen = np.flatnonzero(table.work == work)
        part = table.where(chosen)
        kind, formats = str(part.kind[0]), str(part.formats[0])
        constants = engine.constants(part.protocol, kind)
        memory = part.loaded_bytes / budget.load_bytes_per_s
        memory = (memory + part.stored_bytes / budget.store_bytes_per_s) / constants.memory
        if kind == _PRODUCT:
            product = Product.of(part.batch, part.m, part.k, part.n, *part.element_bytes)
            device = engine.rates(formats, budget)
            units = product.options_s(device, constants).min(axis=0)
        else:
            units = part.moved_bytes / budget.port_bytes_per_s
        found[chosen] = constants.t0 + constants.launch + np.maximum(units, memory)
    return found


def learned(engine: Gpu, fit: Fit) -> Mapping[str, object]:
    """The protocol and range of a fit, and a sentence on how good it is.

    What an earlier fit has said of works that are not measured now stays beside it.
    """
    kept, new = _kept(engine, fit.fitted), _works(engine, fit.fitted)
    before = engine.calibrated_range
    ranges = {
        f"{work} {size}": list(before.get(f"{work} {size}", before.get(size, ())))
        for work in kept
        for size in _SIZES
        if f"{work} {size}" in before or size in before
    }
    for work, points in new.items():
        ranges |= _range(work, points)
    earlier = f"{engine.calibration}; beside them, {_start(fit.fitted.protocol)} held: "
    return {
        "protocol": fit.fitted.protocol,
        "calibrated_range": ranges,
        "calibrated_work": sorted({*kept, *new}),
        "calibration": f"{earlier if kept else ''}{_sentence(fit)}",
    }


def _works(engine: Gpu, table: Measurements) -> Mapping[str, Measurements]:
    """Points of each work, as ``calibrated_work`` names it: of a product its formats count too."""
    names = [
        f"{kind} {engine.rated(formats)}" if kind == _PRODUCT else kind
        for kind, formats in zip(table.kind.tolist(), table.formats.tolist(), strict=True)
    ]
    column = np.array(names, np.str_)
    return {str(name): table.where(column == name) for name in np.unique(column)}


def _kept(engine: Gpu, table: Measurements) -> tuple[str, ...]:
    """Works that were fitted before and go on to hold beside a new fit.

    Sparse products are not measured by a table: they go with the dense ones whose constants they
    were fitted with.

    Raises:
        CalibrationError: the two have works, a protocol or constants that they cannot share.
    """
    new, has_products = _works(engine, table), _PRODUCT in table.kind
    old = [work for work in engine.calibrated_work if not (has_products and _is_sparse(work))]
    kept = tuple(work for work in old if work not in new)
    clash = _clash(engine, kept, table.protocol, new, again=len(kept) < len(old))
    if kept and clash:
        raise CalibrationError(
            f"{engine.name}: {clash}; measure all of them into one file, or calibrate the hardware "
            "file from before that fit"
        )
    return kept


def _clash(
    engine: Gpu, kept: Sequence[str], protocol: str, new: Collection[str], *, again: bool
) -> str:
    """Why works that were fitted before cannot stand beside new ones; "" if they can."""
    before = engine.calibrated_protocol or engine.protocol
    shown, first = ", ".join(kept), ", ".join(new)
    if again:
        return f"{shown} was fitted together with works of {first}"
    if before != protocol:
        return f"{shown} was fitted to times of protocol {before}, {first} has {protocol}"
    if any(_PRODUCT in work for work in kept) and any(_PRODUCT in work for work in new):
        return f"{shown} was fitted before and shares its constants with {first}"
    return ""


def _is_sparse(work: str) -> bool:
    """Whether a work is of a sparse kernel, as ``2:4 contraction fp16*fp16``."""
    return ":" in work.partition(" ")[0]


def _range(work: str, points: Measurements) -> dict[str, list[float]]:
    """The smallest and the largest sizes of the points of a work."""
    sizes = {"bytes": points.moved_bytes}
    if work.startswith(_PRODUCT):
        sizes |= {"m": points.rows, "k": points.k, "n": points.n}
    return {f"{work} {size}": [int(v.min()), int(v.max())] for size, v in sizes.items()}


def _sentence(fit: Fit) -> str:
    held = {one.work: one for one in fit.held_back_errors if one.band == "all"}
    works = [one for one in fit.fit_errors if one.band == "all"]
    clauses = "; ".join(_clause(one, held.get(one.work)) for one in works[len(works) > 1 :])
    doubts = {"not told by them": fit.untold, "at its limit": fit.at_limit}
    told = "".join(f"; {doubt}: {', '.join(names)}" for doubt, names in doubts.items() if names)
    head = f"constants fitted to {fit.fitted.protocol} times"
    return f"{head}: {clauses}{told}; digest {fit.digest[:12]}"


def _clause(one: Errors, held: Errors | None) -> str:
    others = "none held back"
    if held:
        others = f"{held.mean:.1%} (bias {held.bias:+.1%}) on {held.points:,} held back"
    work = f"{one.work}: " if one.work else ""
    return f"{work}mean error {one.mean:.1%} on the {one.points:,} points of the fit, {others}"
