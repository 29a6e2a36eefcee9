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
            help="Hardware file to write, with the constants and where they come from.",
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
    constants = [
        (f"{found.engine}.{name}", f"{value:.4g}") for name, value in fit.constants.items()
    ]
    errors = [
        *(("fit", *_cells(one)) for one in fit.fit_errors),
        *(("held back", *_cells(one)) for one in fit.held_back_errors),
    ]
    heads = ("=points", "=rows", ">number", ">mean error", ">bias", ">within 10 %")
    return [
        table("", ("=constant", ">value"), constants),
        "",
        table("", heads, errors),
        f"protocol {fit.fitted.protocol}; sources: {', '.join(fit.fitted.sources)}; "
        f"digest {fit.digest[:12]}",
    ]


def _cells(one: Errors) -> tuple[str, ...]:
    band = one.band.removeprefix("rows ")
    return band, f"{one.points:,}", f"{one.mean:.1%}", f"{one.bias:+.1%}", f"{one.within:.0%}"


def _document(found: Calibration) -> dict[str, Any]:
    fit = found.fit
    return {
        "engine": found.engine,
        "hardware": found.hardware.name,
        "constants": dict(fit.constants),
        "changes": dict(found.changes),
        "fit": [asdict(one) for one in fit.fit_errors],
        "held_back": [asdict(one) for one in fit.held_back_errors],
        "protocol": fit.fitted.protocol,
        "sources": list(fit.fitted.sources),
        "seed": fit.seed,
        "digest": fit.digest,
    }
