"""``codesign calibrate``: the constants of an engine fitted to measured operators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codesign.cli.options import Json, Plugins
from codesign.cli.output import print_json, print_note, print_rich, progress, table

if TYPE_CHECKING:
    from codesign.calibration import Calibration, Errors

_PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"))


def calibrate(
    measurements: Annotated[
        Path,
        typer.Argument(
            help="CSV file with the columns kind, dims, dtype, latency_us, protocol and source.",
            metavar="MEASUREMENTS",
            show_default=False,
        ),
    ],
    hardware: Annotated[
        str,
        typer.Option(help="A preset name or the path of a .yaml file.", metavar="HW"),
    ],
    engine: Annotated[
        str | None,
        typer.Option(
            help="The engine; by default the only one that can be calibrated.",
            metavar="E",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Hardware file to write, a new one: constants and where they come from.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draw of the points to fit.", min=0)] = 0,
    plugins: Plugins = None,
    json: Json = False,
) -> None:
    """Fit the constants of an engine to measured operators."""
    from codesign.calibration import calibrate as run
    from codesign.calibration import read_measurements
    from codesign.calibration.write import check_target, write_hardware
    from codesign.hardware.spec import load_hardware

    folders = tuple(plugins or ())
    machine = load_hardware(hardware, plugins=folders)
    source = _file(hardware, folders) if output is not None else None
    if source is not None and output is not None:
        check_target(source, output)
    points = read_measurements(measurements)
    with progress(f"fitting {len(points):,} points", "", quiet=json):
        found = run(points, machine, engine, seed=seed)
    if source is not None and output is not None:
        write_hardware(found, source, output)
        if not json:
            print_note(f"wrote {output}")
    if json:
        print_json(_document(found))
    else:
        print_rich(*_report(found))


def _file(hardware: str, plugins: Sequence[Path]) -> Path:
    """The file of a hardware that has been loaded."""
    from codesign.hardware.spec import list_hardware

    presets = {one.name: one.path for one in list_hardware(plugins)}
    return presets.get(hardware, Path(hardware))


def _report(found: Calibration) -> list[Any]:
    fit = found.fit
    errors = [
        *(("fit", *_cells(one)) for one in fit.fit_errors),
        *(("held back", *_cells(one)) for one in fit.held_back_errors),
    ]
    heads = ("=points", "=kind", "=rows", ">number", ">mean error", ">bias", ">within 10 %")
    told = (
        f"protocol {fit.fitted.protocol}; sources: {', '.join(fit.fitted.sources)}; "
        f"digest {fit.digest[:12]}"
    )
    left = fit.fitted.left_out
    dropped = f"left out, at the resolution of the clock: {left:,} points"
    return [
        table("", ("=constant", ">value", "note"), _constants(found)),
        "",
        table("", heads, errors),
        told,
        *([dropped] if left else []),
    ]


def _constants(found: Calibration) -> list[tuple[str, str, str]]:
    fit, rows = found.fit, list[tuple[str, str, str]]()
    for name, one in fit.sought.items():
        note = "at its limit: check the measurements" if name in fit.at_limit else ""
        value = "as it was"
        if name in fit.constants:
            value = _quantity(fit.constants[name], one.unit)
        else:
            note = "the points do not tell it"
        rows.append((f"{found.engine}.{name}", value, note))
    return rows


def _quantity(value: float, unit: str) -> str:
    """A value with four digits and its unit, times with the prefix that suits them."""
    if unit != "s":
        return f"{value:.4g} {unit}".rstrip()
    factor, prefix = next((pair for pair in _PREFIXES if value >= pair[0]), _PREFIXES[-1])
    return f"{value / factor:.4g} {prefix}s"


def _cells(one: Errors) -> tuple[str, ...]:
    band = one.band.removeprefix("rows ")
    numbers = f"{one.points:,}", f"{one.mean:.1%}", f"{one.bias:+.1%}", f"{one.within:.0%}"
    return one.work or "all", band, *numbers


def _document(found: Calibration) -> dict[str, Any]:
    fit = found.fit
    return {
        "engine": found.engine,
        "hardware": found.hardware.name,
        "constants": dict(fit.constants),
        "units": {name: one.unit for name, one in fit.sought.items()},
        "untold": list(fit.untold),
        "at_limit": list(fit.at_limit),
        "changes": dict(found.changes),
        "fit": [asdict(one) for one in fit.fit_errors],
        "held_back": [asdict(one) for one in fit.held_back_errors],
        "protocol": fit.fitted.protocol,
        "sources": list(fit.fitted.sources),
        "left_out": fit.fitted.left_out,
        "seed": fit.seed,
        "digest": fit.digest,
    }
