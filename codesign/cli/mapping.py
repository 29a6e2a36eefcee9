"""The commands below ``codesign mapping``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codesign.cli.options import (
    AcrossRuns,
    AllowUnsupported,
    Annotations,
    Batch,
    EnginePolicy,
    Format,
    Goal,
    HardwareName,
    Json,
    MappingFile,
    Model,
    Partial,
    Pins,
    Plugins,
    Policies,
    Rules,
    Schedule,
    SeqLen,
    Settings,
    Split,
    Steps,
    model_options,
    read_engines,
    read_residency,
    read_settings,
)
from codesign.cli.output import print_json, print_rich, progress

app = typer.Typer(help="Look at mappings.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def show(
    model: Model,
    hardware: HardwareName,
    op: Annotated[
        str, typer.Option("--op", help="Name of the operator in the trace.", metavar="NAME")
    ],
    mapping: MappingFile = None,
    objective: Goal = None,
    settings: Settings = None,
    batch: Batch = None,
    seq_len: SeqLen = None,
    steps: Steps = None,
    dtype: Format = None,
    residency: Policies = "region",
    pin: Pins = None,
    partial: Partial = False,
    across_runs: AcrossRuns = False,
    engines: EnginePolicy = "earliest",
    on: Rules = None,
    split: Split = False,
    schedule: Schedule = None,
    annotations: Annotations = None,
    plugins: Plugins = None,
    allow_unsupported: AllowUnsupported = False,
    json: Json = False,
) -> None:
    """Explain how one operator runs: loops, what stays where, bytes, cycles by cause, its bound."""
    from codesign.simulation import explain

    folders: tuple[Path, ...] = tuple(plugins or ())
    changes = read_settings(settings)
    options = model_options(batch, seq_len, steps, allow_unsupported)
    stays = read_residency(residency, pin, partial=partial, across_runs=across_runs)
    choosing = read_engines(engines, on, split=split)
    with progress(f"reading and mapping {model}", "", quiet=json):
        found = explain(
            model,
            hardware,
            op,
            settings=changes,
            dtype=dtype,
            residency=stays,
            engines=choosing,
            mapping=mapping,
            objective=objective,
            schedule=schedule,
            annotations=annotations,
            plugins=folders,
            **options,
        )
    if json:
        from codesign.cli.mapping_document import document

        print_json([document(one) for one in found])
    else:
        from codesign.cli.mapping_report import report

        for number, one in enumerate(found):
            print_rich(*[""] * bool(number), *report(one))
