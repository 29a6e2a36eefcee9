"""Validation: an AlexNet on the default RRAM chip of MNSIM 2.0, beside what the tool printed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codesign import Op
from codesign.errors import ValidationError, one_line
from codesign.validation import Case, NotRun, Validation

from .layout import lay
from .nvm_alexnet import ACTIVATION_BITS, LAYERS, WEIGHT_BITS, alexnet
from .nvm_counting import TILES, Counted, pooling
from .nvm_designs import MNSIM_BUFFERS, mnsim_rram
from .nvm_physics import NvmArray

FILE = "cim/mnsim_alexnet.json"
MAX_BYTES = 1 << 20
TYPED = """
{"area_um2": {"crossbar": 332788695.04, "DAC": 9094.144, "ADC": 90393600.0},
 "energy_nj": {"Hardware": 365333.125244, "crossbar": 1694.355731, "DAC": 346.556621,
 "ADC": 288367.672320, "Buffer": 74516.029663, "read buffer": 37174.120287,
 "write buffer": 37341.909376, "Pooling": 39.449600, "output-shift-reg": 46.344804,
 "joint_module": 320.325740},
 "layer_energy_nj": [11648.265928, 195.297434, 66999.510121, 146.473075, 104040.634502,
 104040.634502, 74314.738930, 48.824358, 3833.132819, 65.613577]}
"""
"""Some of the figures, for those who do not have the file."""

PARTS: Mapping[str, tuple[str, ...]] = {
    "crossbar": ("cell read",),
    "DAC": ("dac",),
    "ADC": ("adc",),
    "read buffer": ("buffer read",),
    "write buffer": ("buffer write",),
    "Pooling": ("pooling",),
    "output-shift-reg": ("shift adder",),
    "joint_module": ("slice adder",),
}
"""Our actions by the tool's name of a part; registers and multiplexers, 2.4 nJ, are left out."""
AREAS: Mapping[str, tuple[str, ...]] = {
    "crossbar": ("cells", "row drivers"),
    "DAC": ("dac",),
    "ADC": ("adc",),
}
"""Our components by the tool's name of a part."""
_BUFFERS = ("buffer read", "buffer write")
_CLOCKED = {"DAC": "dac_s", "xbar": "read_s", "ADC": "adc_s"}
"""Parts of a step by the tool's name of their time."""
AS_THEY = ", counted as the tool does"
_OWN_NOTE = (
    "our layout: a prediction; unused rows and columns are not converted, as they are in the "
    "tool, which counts every tile as the fullest of its layer"
)


@dataclass(frozen=True, kw_only=True)
class Printed:
    """What the tool printed of the network, or of one layer.

    Attributes:
        place: in ``LAYERS``; -1 for the network.
        joules: by part; of a layer of all together, under ``Hardware``.
        seconds: by part, of a layer.
        areas_m2: by part, of the network.
    """

    place: int
    joules: Mapping[str, float]
    seconds: Mapping[str, float]
    areas_m2: Mapping[str, float]


def rows(data: Path | None) -> Sequence[Printed]:
    """The network and its layers, from the file or as typed.

    Raises:
        ValidationError: a file that cannot be read or is another one.
    """
    name = str(data / FILE) if data else "typed figures"
    try:
        text = _text(data / FILE) if data else TYPED
        found = json.loads(text)
        energies = {part: found["energy_nj"][part] for part in (*PARTS, "Hardware", "Buffer")}
        layers = found["layer_energy_nj"]
        times = found.get("layers_latency_ns", [{}] * len(layers))
        areas = _scaled({part: found["area_um2"][part] for part in AREAS}, 1e-12)
        whole = Printed(place=-1, joules=_scaled(energies), seconds={}, areas_m2=areas)
        each = [
            Printed(
                place=place,
                joules=_scaled({"Hardware": energy}),
                seconds=_scaled(time),
                areas_m2={},
            )
            for place, (energy, time) in enumerate(zip(layers, times, strict=True))
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValidationError(
            f"{name} does not hold the printed figures of MNSIM: {one_line(error)}; replace it"
        ) from error
    if len(each) != len(LAYERS):
        raise ValidationError(
            f"{name}: layer_energy_nj must have {len(LAYERS)} layers, got {len(each)}; replace it"
        )
    return [whole, *each]


def compare(printed: Printed) -> Iterator[Case | NotRun]:
    """Energies by both countings, and the times of the steps of a layer."""
    array = mnsim_rram()
    if printed.place < 0:
        yield from _network(printed, array)
    else:
        yield from _layer(printed, array)


def spent(array: NvmArray, place: int) -> dict[str, float]:
    """Joules of a layer by action, laid out as the engine does; a layer of windows has none.

    Args:
        array: a macro.
        place: in ``LAYERS``.
    """
    op = alexnet().items[place]
    if not isinstance(op, Op) or LAYERS[place].kind == "pool":
        return {}
    layout = lay(op, int(array.rows), int(array.columns))
    prices = array.prices()
    return _sum(
        {
            action: float(layout.pixels * tiles.count * count * prices[action])
            for action, count in array.counts(
                tiles.rows, tiles.columns, ACTIVATION_BITS, WEIGHT_BITS
            ).items()
        }
        for tiles in layout.tiles
    )


def counted(array: NvmArray, place: int) -> dict[str, float]:
    """Joules of a layer by action, counted as the tool does.

    Args:
        array: a macro.
        place: in ``LAYERS``.
    """
    layer = LAYERS[place]
    if layer.kind == "pool":
        return pooling(layer, MNSIM_BUFFERS)
    return Counted(layer, array, MNSIM_BUFFERS).joules()


def _network(printed: Printed, array: NvmArray) -> Iterator[Case]:
    places = range(len(LAYERS))
    ours = _sum(spent(array, place) for place in places)
    theirs = _sum(counted(array, place) for place in places)
    given = printed.joules
    whole = given["Hardware"]
    for suffix, joules, note in (("", ours, _OWN_NOTE), (AS_THEY, theirs, "")):
        total = sum(joules.values())
        held = sum(joules[action] for action in _BUFFERS)
        shares = {
            "ADC share": (joules["adc"] / total, given["ADC"] / whole),
            "buffer share": (held / total, given["Buffer"] / whole),
        }
        yield _case("network", f"energy{suffix}", "J", total, whole, note)
        for name, (share, theirs_share) in shares.items():
            yield _case("network", f"{name}{suffix}", "", share, theirs_share, note)
    for part, actions in PARTS.items():
        joules_of = sum(theirs[action] for action in actions)
        yield _case(part, f"energy{AS_THEY}", "J", joules_of, given[part])
    # a layer of windows has one of the two tiles of a macro
    macros = sum(
        1 / TILES if layer.kind == "pool" else Counted(layer, array, MNSIM_BUFFERS).macros
        for layer in LAYERS
    )
    area = array.area()
    for part, components in AREAS.items():
        taken = macros * sum(float(area[component]) for component in components)
        yield _case(part, f"area{AS_THEY}", "m2", taken, printed.areas_m2[part])


def _layer(printed: Printed, array: NvmArray) -> Iterator[Case | NotRun]:
    place, energy = printed.place, printed.joules["Hardware"]
    layer, title = LAYERS[place], f"layer {place}"
    theirs = sum(counted(array, place).values())
    yield _case(title, f"energy{AS_THEY}", "J", theirs, energy)
    if layer.kind == "pool":
        yield NotRun(name=f"{title}, our layout", reason="windows do not run on arrays of cells")
        return
    own = sum(spent(array, place).values())
    yield _case(title, "energy of a layer", "J", own, energy, _OWN_NOTE)
    steps = layer.pixels * Counted(layer, array, MNSIM_BUFFERS).steps
    for part, field in _CLOCKED.items():
        if part in printed.seconds:
            seconds = float(steps * getattr(array.step, field))
            yield _case(f"{title} {part}", "time of steps", "s", seconds, printed.seconds[part])


def _case(name: str, quantity: str, unit: str, ours: float, theirs: float, note: str = "") -> Case:
    return Case(name=name, quantity=quantity, unit=unit, ours=ours, theirs=theirs, note=note)


def _sum(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: defaultdict[str, float] = defaultdict(float)
    for part in parts:
        for action, joules in part.items():
            total[action] += joules
    return dict(total)


def _text(path: Path) -> str:
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"longer than {MAX_BYTES >> 20} MiB")
    return path.read_text(encoding="utf-8")


def _scaled(figures: Mapping[str, float], unit: float = 1e-9) -> dict[str, float]:
    return {part: unit * float(value) for part, value in figures.items()}


MNSIM = Validation(
    title="energy, step times and area of an AlexNet on an RRAM chip, by our layout and as counted",
    source="own run of MNSIM 2.0 (ca39ccb), its default configuration, NoC off; no silicon",
    note="nothing is fitted: prices are those of the tool's configuration. Counted as the tool "
    "does, all is equal; by our layout half-empty tiles convert less, and 64 columns pay for all "
    "their conversions, of which the tool charges half. All buffers of a macro pay while one moves "
    "a word, as in the tool. Writing the cells is left out here, for the tool charges nothing",
    rows=rows,
    compare=compare,
    files=(FILE,),
)
"""The family ``cim-nvm-mnsim``."""
