"""What the constants of an engine were fitted on, and how far it is from that now."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from codesign import Op
from codesign.errors import HardwareError, did_you_mean
from codesign.workload.record import KINDS

if TYPE_CHECKING:
    from codesign.calibration import Fit

    from .engine import Gpu

PRODUCTS = ("contraction", "attention")
"""Kinds of operators with a rate for each pair of formats."""
SIZES = ("m", "k", "n", "bytes")
_WORK = re.compile(r"(?:\d+:\d+ )?(\w+)(?: .+)?")
_ALWAYS = ("units", "clock", "t0", "compute_efficiency", "memory_efficiency")
_LAUNCH = "launch_overhead"
_TABLES = ("macs", "kind_efficiency")


def about(engine: Gpu) -> str:
    """How the constants of an engine came about, and what has changed since."""
    if not engine.calibration:
        shares = (engine.compute_efficiency, engine.memory_efficiency, engine.attention_efficiency)
        given = [share for share in (*shares, *engine.kind_efficiency.values()) if share]
        if min(given) < 1:
            return "uncalibrated: its efficiencies fit no measurement"
        return "uncalibrated, e = 1: every operator runs at the peak of the device"
    doubts = "; ".join(_doubts(engine))
    return f"{doubts}; as it was fitted: {engine.calibration}" if doubts else engine.calibration


def _doubts(engine: Gpu) -> Iterator[str]:
    """Why the error of the fit does not hold for an engine as it is."""
    fitted = engine.calibrated_protocol
    if fitted and engine.protocol != fitted:
        yield f"times are of protocol {engine.protocol}, constants of protocol {fitted}"
    now = constants(engine)
    changed = [
        f"{name} was {before:.6g} and is {now[name]:.6g}" if name in now else f"{name} is gone"
        for name, before in engine.calibrated_constants.items()
        if name not in now or not math.isclose(now[name], before)
    ]
    if changed:
        yield f"changed since the fit: {', '.join(changed)}"


def constants(engine: Gpu) -> dict[str, float]:
    """What the times of an engine follow from, by field; an entry of a table is ``table.key``."""
    names = (*_ALWAYS, _LAUNCH, *engine.further_constants)
    found = {name: float(getattr(engine, name)) for name in names}
    for table in _TABLES:
        found |= {f"{table}.{key}": value for key, value in getattr(engine, table).items()}
    return found


def remembered(engine: Gpu, fit: Fit, works: Sequence[str]) -> Mapping[str, object]:
    """What an engine keeps of a fit to tell later that something has changed.

    Args:
        engine: as it was fitted.
        fit: what came out.
        works: that its constants hold for now, those of earlier fits too.
    """
    host = {_LAUNCH} if fit.fitted.protocol == "host" else set()
    formats = {f"macs.{engine.rated(str(pair))}" for pair in fit.fitted.formats}
    kept = {*_ALWAYS, *host, *formats, *engine.calibrated_constants}
    kept |= {f"kind_efficiency.{kind}" for kind in engine.kind_efficiency}
    if not any(_is_further(work) for work in works):
        kept -= set(engine.further_constants)
    before = {name: value for name, value in constants(engine).items() if name in kept}
    return {
        "calibrated_protocol": fit.fitted.protocol,
        "calibrated_constants": before | dict(fit.constants),
    }


def _is_further(work: str) -> bool:
    """Whether a work has constants of its own kind of engine, as ``2:4 contraction fp16*fp16``."""
    return ":" in work.partition(" ")[0]


def beyond(engine: Gpu, op: Op) -> str:
    """In what an operator lies outside of what the constants were fitted on; "" for nothing."""
    if not engine.calibrated_work:
        return ""
    work = engine.work(op)
    if work not in engine.calibrated_work:
        return f"no {work} was measured"
    places = (*op.distinct_inputs, *range(len(op.inputs), len(op.operands)))
    sizes = {"bytes": sum(op.operands[place].bytes for place in places)}
    if op.kind == "contraction":
        groups, m, k, n = op.gemm
        sizes |= {"m": groups * m, "k": k, "n": n}
    ranges = engine.calibrated_range
    for name, size in sizes.items():
        low, high = ranges.get(f"{work} {name}", ranges.get(name, (0.0, math.inf)))
        if size < low:
            return f"{name} below {low:,.0f}"
        if size > high:
            return f"{name} above {high:,.0f}"
    return ""


def check(engine: Gpu) -> None:
    """Refuses a name that would say nothing.

    Raises:
        HardwareError: an entry of a table of efficiencies, ranges or constants that none asks for.
    """
    kinds = tuple(kind for kind in KINDS if kind != "contraction")
    for kind in engine.kind_efficiency:
        if kind == "contraction":
            raise _refused(engine, "kind_efficiency", kind, "that of products is memory_efficiency")
        if kind not in kinds:
            hint = did_you_mean(kind, kinds)
            raise _refused(engine, "kind_efficiency", kind, f"no kind of operator{hint}")
    for work in engine.calibrated_work:
        match = _WORK.fullmatch(work)
        if not match or match[1] not in KINDS:
            raise _refused(engine, "calibrated_work", work, "write it as 'contraction fp16*fp16'")
    for key in engine.calibrated_range:
        work, _, size = key.rpartition(" ")
        if size not in SIZES or (work and work not in engine.calibrated_work):
            sizes = f"a size ({', '.join(SIZES)}), alone or behind an entry of calibrated_work"
            raise _refused(engine, "calibrated_range", key, f"write {sizes}")
    known = constants(engine)
    for name in engine.calibrated_constants:
        if name not in known and name.partition(".")[0] not in _TABLES:
            hint = did_you_mean(name, known)
            raise _refused(engine, "calibrated_constants", name, f"no constant{hint}")


def _refused(engine: Gpu, field: str, key: str, hint: str) -> HardwareError:
    return HardwareError(f"{engine.name}.{field}[{key!r}] stands for nothing: {hint}")
