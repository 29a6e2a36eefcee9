"""The commands ``simulate``, ``trace`` and ``models``, and the program itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from errno import ENAMETOOLONG
from pathlib import Path
from typing import Annotated

import typer

from codesign import __version__
from codesign.cli import (
    calibrate,
    compare,
    energy,
    hardware,
    mapping,
    memory,
    plugins,
    report_page,
    scenario,
    search,
    sweep,
    validate,
    why,
)
from codesign.cli.interrupt import INTERRUPTED, Program, tell
from codesign.cli.options import (
    AcrossRuns,
    AllowUnsupported,
    Annotations,
    Batch,
    EnginePolicy,
    ExactEvents,
    Format,
    Goal,
    HardwareName,
    Json,
    MappingFile,
    Model,
    MostEvents,
    Partial,
    Pins,
    Plugins,
    Policies,
    Rules,
    ScanZeros,
    Schedule,
    SeqLen,
    Settings,
    Split,
    Steps,
    model_options,
    read_engines,
    read_exports,
    read_residency,
    read_settings,
)
from codesign.cli.output import (
    announce,
    plugin_notes,
    print_error,
    print_json,
    print_rich,
    progress,
    table,
)
from codesign.errors import CodesignError, TraceError
from codesign.replay.budget import MOST_EVENTS

_TOO_LONG = "no file can have so long a name; give a shorter one"
app = typer.Typer(
    cls=Program,
    help="What a PyTorch model costs on hardware that may not exist yet.",
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(energy.app, name="energy")
app.add_typer(hardware.app, name="hardware")
app.add_typer(mapping.app, name="mapping")
app.add_typer(memory.app, name="memory")
app.add_typer(plugins.app, name="plugins")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and ends the process.

    Exit code 0 is success, 2 a mistake of the user told in one line on standard error, 130 an
    interrupt, told likewise.

    Args:
        arguments: words after the program name; those of the process by default.
    """
    try:
        with plugin_notes():
            app(args=arguments, prog_name="codesign")
    except CodesignError as error:
        print_error(error)
        raise SystemExit(2) from None
    except KeyboardInterrupt as error:  # before or behind the command
        tell(error)
        raise SystemExit(INTERRUPTED) from None
    except OSError as error:  # a full disk or a closed pipe behind what we print
        if error.errno == ENAMETOOLONG:  # the user's, wherever a path is looked at
            print_error(CodesignError(f"{str(error.filename)[:60]}...: {_TOO_LONG}"))
            raise SystemExit(2) from None
        print_error(error)
        raise SystemExit(1) from None


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"codesign {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What a PyTorch model costs on hardware that may not exist yet."""


@app.command()
def simulate(
    model: Model,
    hardware: HardwareName,
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
    mapping: MappingFile = None,
    objective: Goal = None,
    schedule: Schedule = None,
    annotations: Annotations = None,
    exact_events: ExactEvents = False,
    most_events: MostEvents = MOST_EVENTS,
    plugins: Plugins = None,
    allow_unsupported: AllowUnsupported = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="Folder for the summary, hardware values, ledger, operators and timeline.",
            metavar="DIR",
            show_default=False,
        ),
    ] = None,
    export: Annotated[
        list[str] | None,
        typer.Option(
            help="Write the result in a further format, such as csv=rows.csv; may be repeated.",
            metavar="FORMAT=FILE",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Report what one run of a model costs on a piece of hardware."""
    from codesign.hardware.spec import load_hardware
    from codesign.simulation import simulate as run
    from codesign.whole_file import check_folder

    changes = read_settings(settings)
    options = model_options(batch, seq_len, steps, allow_unsupported)
    stays = read_residency(residency, pin, partial=partial, across_runs=across_runs)
    choosing = read_engines(engines, on, split=split)
    if out is not None:
        check_folder(out, "journal.jsonl")
    exports = read_exports(export, tuple(plugins or ()))
    machine = load_hardware(hardware, plugins=tuple(plugins or ()))
    announce(machine)
    with progress(f"reading and mapping {model}", f"replaying {model}", quiet=json) as watch:
        result = run(
            model,
            machine,
            settings=changes,
            dtype=dtype,
            residency=stays,
            engines=choosing,
            mapping=mapping,
            objective=objective,
            schedule=schedule,
            annotations=annotations,
            exact_events=exact_events,
            most_events=most_events,
            plugins=tuple(plugins or ()),
            watch=watch,
            **options,
        )
        if out is not None:
            result.save(out)
        for path, name in exports.items():
            result.export(path, name, plugins=tuple(plugins or ()))
    if json:
        print_json(result.summary())
    else:
        from codesign.cli.report import report

        print_rich(*report(result))


app.command()(why.why)
app.command()(compare.compare)
app.command()(scenario.scenario)
app.command()(validate.validate)
app.command()(calibrate.calibrate)
app.command()(sweep.sweep)
app.command()(search.search)
app.command()(sweep.pareto)
app.command()(report_page.report)


@app.command()
def trace(
    model: Model,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Where to write it; .json or .json.gz. Without it the operators are listed.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    grep: Annotated[
        str,
        typer.Option(
            help="List what this matches: part of a name or module, or a pattern such as "
            "'encoder.*', kind:softmax or role:weight.",
            metavar="PATTERN",
            show_default=False,
        ),
    ] = "",
    tensors: Annotated[
        bool, typer.Option("--tensors", help="List tensors, which --pin names.")
    ] = False,
    tree: Annotated[bool, typer.Option("--tree", help="List modules with their sums.")] = False,
    every: Annotated[bool, typer.Option("--all", help="List all rows.")] = False,
    json: Json = False,
    batch: Batch = None,
    seq_len: SeqLen = None,
    steps: Steps = None,
    plugins: Plugins = None,
    allow_unsupported: AllowUnsupported = False,
    scan_zeros: ScanZeros = False,
    annotations: Annotations = None,
) -> None:
    """List the operators of a model, or write its operator trace to a file."""
    from codesign.annotation_file import read_annotations
    from codesign.cli.quantities import count, quantity
    from codesign.models import resolve_model
    from codesign.whole_file import check_file
    from codesign.workload.annotate import with_annotations
    from codesign.workload.file import save_trace

    if output is not None:
        check_file(output)
    _check_listing(output, {"--grep": grep, "--tensors": tensors, "--tree": tree, "--all": every})
    options = model_options(batch, seq_len, steps, allow_unsupported)
    said = () if annotations is None else read_annotations(annotations)
    with progress(f"capturing {model}", "", quiet=json):
        folders = tuple(plugins or ())
        captured = resolve_model(model, plugins=folders, scan_zeros=scan_zeros, **options)
        captured = with_annotations(captured, said, folders)
        if output is not None:
            save_trace(captured, output)
    if output is None:
        from codesign.cli.trace_report import Granularity, print_trace

        granularity: Granularity = "tensors" if tensors else "modules" if tree else "operators"
        print_trace(captured, granularity, grep, every=every, json=json)
        return
    operators, form = sum(1 for _ in captured.ops()), "as annotated" if said else "as captured"
    if json:
        print_json({"file": str(output), "operators": operators, "digest": captured.digest})
        return
    typer.echo(
        f"{output}: {count(operators)} operators, {quantity(captured.macs, 'MAC')}, "
        f"{count(captured.parameters)} parameters, coverage {captured.coverage.share:.0%}, "
        f"digest {captured.digest[:12]} {form}, before any hardware"
    )


def _check_listing(output: Path | None, listing: Mapping[str, object]) -> None:
    """Checks that options of a list and a file do not meet, and what the file is called.

    Raises:
        TraceError: they do, or it is no name of a trace file.
    """
    asked = [option for option, given in listing.items() if given]
    if output is not None and not output.name.endswith((".json", ".json.gz")):
        raise TraceError(f"a trace file is called *.json or *.json.gz, got {output}; rename it")
    if output is not None and asked:
        raise TraceError(f"{asked[0]} lists a trace, got -o {output} beside it; drop one of them")
    if listing["--tensors"] and listing["--tree"]:
        raise TraceError("--tree sums operators by module, got --tensors beside it; drop one")


@app.command()
def models(plugins: Plugins = None, json: Json = False) -> None:
    """List the models that can be named."""
    from codesign.models import list_models

    known = list_models(tuple(plugins or ()))
    if json:
        rows = [
            {"name": name, "description": entry.description, "options": dict(entry.options)}
            for name, entry in known.items()
        ]
        print_json(rows)
        return
    lines = [
        (
            name,
            ", ".join(f"{key} {value}" for key, value in entry.options.items()),
            entry.description,
        )
        for name, entry in known.items()
    ]
    print_rich(table("", ("=model", "=options and defaults", "what it is"), lines))
