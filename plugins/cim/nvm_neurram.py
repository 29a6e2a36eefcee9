"""Validation: the ten published precisions of NeuRRAM, an RRAM chip of 48 cores."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from codesign.errors import ValidationError, one_line
from codesign.validation import Case, TableRow, Validation, parse_table, read_table

from .figures import peak
from .nvm_designs import NEURRAM_CORES, NEURRAM_OPS_PER_PRODUCT, neurram_core
from .nvm_phases import PhaseArray

FILE, SPLITS = "cim/cim_silicon_reference.csv", "cim/cim_silicon_curves.json"
COLUMNS = ("chip", "metric", "condition", "published_value", "unit")
CHIP = "NeuRRAM"
TYPED = """\
chip,metric,condition,published_value,unit
NeuRRAM,throughput,1b in 3b out one-phase,2.122,TOPS
NeuRRAM,efficiency,1b in 3b out one-phase,43.08,TOPS/W
NeuRRAM,throughput,5b in 7b out two-phase,0.525,TOPS
NeuRRAM,efficiency,5b in 7b out two-phase,11.03,TOPS/W
NeuRRAM,throughput,8b in 10b out two-phase,0.264,TOPS
NeuRRAM,efficiency,8b in 10b out two-phase,6.44,TOPS/W
"""
"""Some of the points, for those who do not have the files."""
TYPED_SPLITS = {"3,1": (8.99, 10.62, 3.45), "10,8": (50.52, 75.86, 27.51)}
WEIGHT_BITS = 4
OPS_PER_MAC = 2
PARTS: Mapping[str, tuple[str, ...]] = {
    "word lines": ("word line", "word line set-up"),
    "neurons": ("neuron integration", "conversion step"),
    "input pulses": ("input pulse",),
}
"""Our actions by the published part of the energy, in the order of a split."""
_POINT = re.compile(r"(?P<input>\d+)b in (?P<output>\d+)b out (?P<phases>one|two)-phase$")
SPLIT_KEY = "neurram_fj_per_mac_"
_FIT = 4
"""Points that are needed to predict another one from."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """A published precision.

    Attributes:
        name: of inputs, outputs and phases.
        bits: of an input, with its sign.
        phases: of its bit planes.
        ops_per_s: of the chip.
        ops_per_joule: of the chip.
        split_j: joules of an operation by part, as ``PARTS`` has them; empty where it is not known.
        others: the other points, to predict this one from; empty where they are too few.
    """

    name: str
    bits: int
    phases: Literal[1, 2]
    ops_per_s: float
    ops_per_joule: float
    split_j: tuple[float, ...] = ()
    others: tuple[Point, ...] = ()

    @property
    def product_s(self) -> float:
        """Seconds of a product of a core."""
        return NEURRAM_CORES * NEURRAM_OPS_PER_PRODUCT / self.ops_per_s

    @property
    def core(self) -> PhaseArray:
        """A core that reads in these phases."""
        return neurram_core(self.phases)


def rows(data: Path | None) -> Sequence[Point]:
    """The points of the files, or the typed ones.

    Raises:
        ValidationError: a file that cannot be read, or rows of one that do not fit together.
    """
    name = str(data / FILE) if data else "typed rows"
    found = read_table(data / FILE, COLUMNS) if data else parse_table(TYPED, COLUMNS, name)
    splits = _splits(data / SPLITS) if data else TYPED_SPLITS
    figures: dict[str, dict[str, float]] = {}
    for row in found:
        if row.text("chip").startswith(CHIP) and not row.text("metric").startswith("area"):
            figures.setdefault(row.text("condition"), {})[row.text("metric")] = _figure(row)
    points = [_point(condition, figures[condition], name) for condition in figures]
    whole = [replace(point, split_j=_split(point, points, splits)) for point in points]
    return [
        replace(point, others=others)
        for point in whole
        if len(others := tuple(one for one in whole if one is not point)) >= _FIT
    ] or whole


def compare(point: Point) -> Iterator[Case]:
    """Throughput, efficiency and parts of the energy of full cores."""
    core = point.core
    found = peak(core, point.bits, WEIGHT_BITS, macros=NEURRAM_CORES, ops_per_mac=OPS_PER_MAC)
    note = f"{found.boundary}, of 128 x 256 weights in pairs of cells, {NEURRAM_CORES} cores"
    yield _case(point, "throughput", "op/s", float(found.ops_per_s), point.ops_per_s, True, note)
    if point.others:
        predicted = NEURRAM_CORES * NEURRAM_OPS_PER_PRODUCT / left_out_s(point)
        quantity = "throughput, predicted from the others"
        yield _case(point, quantity, "op/s", predicted, point.ops_per_s, False, note)
    is_fitted = bool(point.split_j)
    ours = float(found.ops_per_joule)
    yield _case(point, "efficiency", "op/J", ours, point.ops_per_joule, is_fitted, note)
    counts = core.counts(core.rows, core.columns, point.bits, WEIGHT_BITS)
    prices = core.prices()
    for (part, actions), joules in zip(PARTS.items(), point.split_j, strict=False):
        spent = sum(counts[action] * prices[action] for action in actions)
        ours = float(spent / NEURRAM_OPS_PER_PRODUCT)
        yield _case(point, f"energy of {part} per operation", "J", ours, joules, True)


def left_out_s(point: Point) -> float:
    """Seconds of a product by constants that are fitted to the other points alone.

    The fit is that of the shipped constants: least squares of relative errors of the time, linear
    in pulses, conversion steps and phases.
    """
    known = np.array([_parts(one) for one in point.others])
    seconds = np.array([one.product_s for one in point.others])
    constants, *_ = np.linalg.lstsq(known / seconds[:, None], np.ones(len(seconds)), rcond=None)
    return float(np.dot(_parts(point), constants))


def _parts(point: Point) -> tuple[float, float, float]:
    """Pulses, conversion steps and phases of a product."""
    core = point.core
    return float(core.pulses(point.bits)), float(core.steps(point.bits)), float(point.phases)


def _case(
    point: Point,
    quantity: str,
    unit: str,
    ours: float,
    theirs: float,
    calibrated: bool,
    note: str = "",
) -> Case:
    return Case(
        name=point.name,
        quantity=quantity,
        unit=unit,
        ours=ours,
        theirs=theirs,
        calibrated=calibrated,
        note=note,
    )


def _figure(row: TableRow) -> float:
    unit = {"throughput": "TOPS", "efficiency": "TOPS/W"}.get(row.text("metric"))
    if unit is None:
        raise row.fault("metric", "throughput or efficiency")
    if row.text("unit") != unit:
        raise row.fault("unit", unit)
    return 1e12 * row.number("published_value")


def _point(condition: str, figures: Mapping[str, float], name: str) -> Point:
    match = _POINT.match(condition)
    if match is None or set(figures) != {"throughput", "efficiency"}:
        raise ValidationError(
            f"{name}: condition {condition[:60]!r} must be like '1b in 3b out one-phase' and have "
            "a throughput and an efficiency; correct it or take it out"
        )
    bits, outputs = int(match["input"]), int(match["output"])
    phases: Literal[1, 2] = 1 if match["phases"] == "one" else 2
    if outputs != bits + neurram_core().output_bits_beside:
        raise ValidationError(
            f"{name}: condition {condition!r} must have outputs of two bits more than inputs, "
            f"got {outputs} for {bits}; take it out"
        )
    return Point(
        name=condition,
        bits=bits,
        phases=phases,
        ops_per_s=figures["throughput"],
        ops_per_joule=figures["efficiency"],
    )


def _splits(path: Path) -> dict[str, tuple[float, ...]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        (splits,) = [value for key, value in found.items() if key.startswith(SPLIT_KEY)]
        return {bits: tuple(map(float, parts)) for bits, parts in splits.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ValidationError(
            f"{path} does not hold the energy split of NeuRRAM: {one_line(error)}; replace it"
        ) from error


def _split(
    point: Point, points: Sequence[Point], splits: Mapping[str, tuple[float, ...]]
) -> tuple[float, ...]:
    """The split of a point: a split does not say its phases, so its sum tells whose it is."""
    split = splits.get(f"{point.bits + int(point.core.output_bits_beside)},{point.bits}", ())
    total = 1e-15 * sum(split)
    alike = [one for one in points if one.bits == point.bits]
    nearest = min(alike, key=lambda one: abs(1 / one.ops_per_joule - total))
    return tuple(1e-15 * part for part in split) if nearest is point else ()


NEURRAM = Validation(
    title="throughput, efficiency and energy split of an RRAM chip with analog neurons",
    source="Wan et al., Nature 608 (2022), as digitised in the tests of CiMLoop (d6e1390, MIT)",
    note="times are fitted to all ten throughputs, so that each is also predicted from the nine "
    "others; energies to the five splits, so that five efficiencies are predictions. An efficiency "
    "counts word lines, input pulses and neurons, which make up all of the published energy; a MAC "
    "is two operations and a weight two cells, so that it is one operation for each cell",
    rows=rows,
    compare=compare,
    files=(FILE, SPLITS),
)
"""The family ``cim-nvm-neurram``."""
