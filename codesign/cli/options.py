"""The options that several commands share, and the reading of ``--set``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from codesign.errors import CodesignError, HardwareError, MappingError
from codesign.mapping.assign.ask import CHOOSING, Engines
from codesign.mapping.residency import POLICIES, Residency

Model: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A zoo name, FILE.py:FUNCTION, package.module:function, hf:CONFIGCLASS, a .pt2 file "
        "or a trace file.",
        show_default=False,
    ),
]
HardwareName: TypeAlias = Annotated[
    str,
    typer.Option("--hardware", help="A preset name or the path of a .yaml file.", metavar="HW"),
]
Settings: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Change a hardware value; may be repeated.",
        metavar="COMPONENT.FIELD=VALUE",
    ),
]
Batch: TypeAlias = Annotated[
    int | None, typer.Option(help="Independent inputs.", metavar="N", show_default=False)
]
SeqLen: TypeAlias = Annotated[
    int | None, typer.Option(help="Tokens.", metavar="L", show_default=False)
]
Steps: TypeAlias = Annotated[
    int | None, typer.Option(help="Time steps.", metavar="T", show_default=False)
]
AllowUnsupported: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--allow-unsupported", help="Report operators without a lowering instead of stopping."
    ),
]
ScanZeros: TypeAlias = Annotated[
    bool,
    typer.Option("--scan-zeros", help="Look for zeros in the values of the weights."),
]
Plugins: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        help="Folder of plugin files, or no:NAME or only:NAME; may be repeated.", metavar="DIR"
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


Policies: TypeAlias = Annotated[
    str,
    typer.Option(
        help="What stays on chip between operators and across steps: "
        f"{', '.join(POLICIES[:-1])} or {POLICIES[-1]}.",
        metavar="POLICY",
    ),
]
Pins: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--pin",
        help="Keep what matches on chip: a tensor name such as 'joiner.*' or role:activation, "
        "with @MEMORY if not in the buffer; may be repeated.",
        metavar="PATTERN",
    ),
]
Partial: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--partial", help="Let part of a weight stay on chip where the whole does not fit."
    ),
]
AcrossRuns: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--across-runs",
        help="Let weights that --residency greedy or optimal chooses, or --pin names, stay from "
        "run to run; a set-up before the first run loads them.",
    ),
]
Format: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Number format of the run, or native for that of the model; "
        "by default the precision of the hardware.",
        metavar="D",
        show_default=False,
    ),
]
EnginePolicy: TypeAlias = Annotated[
    str,
    typer.Option(
        "--engines",
        help="Which engine runs which operator, where several can: "
        f"{', '.join(CHOOSING[:-1])} or {CHOOSING[-1]}.",
        metavar="POLICY",
    ),
]
Rules: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--on",
        help="Run what matches on one engine: an operator name such as 'encoder.*' or "
        "kind:softmax; the first that matches counts; may be repeated.",
        metavar="PATTERN=ENGINE",
    ),
]
Split: TypeAlias = Annotated[
    bool,
    typer.Option("--split", help="Let several engines share the columns of one operator."),
]
Schedule: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="time-major, or layer-major:STEPS for chunks of so many steps; "
        "by default the order of the model.",
        metavar="S",
        show_default=False,
    ),
]
MappingFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--mapping",
        help="A .yaml file with fixed mappings by operator; the rest is searched.",
        metavar="FILE",
        show_default=False,
    ),
]
Annotations: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--annotate",
        help="A .yaml file with bit widths, zeros and codecs by operator.",
        metavar="FILE",
        show_default=False,
    ),
]
Goal: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--objective",
        help="What mappings make small: latency, energy, their product edp, or weights such as "
        "latency^2*energy; by default latency, or what the hardware says of an engine.",
        metavar="TEXT",
        show_default=False,
    ),
]
ExactEvents: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--exact-events", help="Replay every event; slower, and the figures are the same."
    ),
]
PointEvents: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--most-events",
        min=1,
        help="Events that the replay of a point may handle; what the file says if not given.",
        metavar="N",
        show_default=False,
    ),
]
MostEvents: TypeAlias = Annotated[
    int,
    typer.Option(
        "--most-events",
        min=1,
        help="Events that the replay may handle before it gives up; an operator counts as ten.",
        metavar="N",
    ),
]


def model_options(
    batch: int | None, seq_len: int | None, steps: int | None, allow_unsupported: bool
) -> dict[str, Any]:
    """Those options of a model that the user gave."""
    given = {"batch": batch, "seq_len": seq_len, "steps": steps}
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return chosen | ({"allow_unsupported": True} if allow_unsupported else {})


def read_residency(
    policy: str, pins: Sequence[str] | None, *, partial: bool, across_runs: bool
) -> Residency:
    """The residency that the options ask for.

    Raises:
        MappingError: an unknown policy, or one that does not go with the rest.
    """
    # the constructor refuses other words
    kept = tuple(pins or ())
    return Residency(policy, kept, partial=partial, across_runs=across_runs)  # type: ignore[arg-type]


def read_engines(policy: str, rules: Sequence[str] | None, *, split: bool) -> Engines:
    """Which engine runs which operator, as the options ask for it.

    Raises:
        MappingError: an unknown policy, a rule of another form, or one pattern given twice.
    """
    found: dict[str, str] = {}
    for text in rules or ():
        pattern, equals, engine = (part.strip() for part in text.rpartition("="))
        if not pattern or not equals or not engine:
            raise MappingError(
                f"--on takes PATTERN=ENGINE, got {text[:80]!r}; write for example "
                "--on 'kind:softmax=vector'"
            )
        if pattern in found:
            raise MappingError(f"--on gives {pattern!r} twice; keep one")
        found[pattern] = engine
    # the constructor refuses other words
    return Engines(policy, found, split)  # type: ignore[arg-type]


def read_settings(texts: Sequence[str] | None) -> Mapping[str, object]:
    """Reads ``COMPONENT.FIELD=VALUE`` texts; a value in braces is a table.

    Raises:
        HardwareError: a text of another form, or one path set twice.
    """
    settings: dict[str, object] = {}
    for text in texts or ():
        path, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not value or "." not in path:
            raise HardwareError(
                f"--set takes COMPONENT.FIELD=VALUE, got {text[:80]!r}; "
                "write for example --set 'sram.size=256 KiB'"
            )
        if path in settings:
            raise HardwareError(f"--set gives {path!r} twice; keep one")
        settings[path] = _table(path, value) if value.startswith("{") else value
    return settings


def _table(path: str, text: str) -> dict[str, object]:
    from codesign.hardware.yaml_source import parse_yaml

    try:
        found = parse_yaml(text.encode("utf-8", "surrogatepass"), f"--set {path}").plain()
    except HardwareError:
        found = None
    if not isinstance(found, dict):
        raise HardwareError(
            f"--set {path}: a table must have entries by name, got {text[:60]!r}; write for "
            "example {bitmap: 16e9}"
        )
    return found


def read_exports(texts: list[str] | None, plugins: Sequence[Path | str]) -> dict[Path, str]:
    """Reads ``FORMAT=FILE`` texts: formats by file; every format is one that a plugin offers.

    Raises:
        CodesignError: a text of another form, an unknown format, one file given twice, or one that
            cannot be written.
    """
    found: dict[Path, str] = {}
    for text in texts or ():
        from codesign.result.exporters import find_exporter
        from codesign.whole_file import check_file

        name, _, file = (part.strip() for part in text.partition("="))
        path = Path(file)
        if not name or not file:
            raise CodesignError(
                f"--export takes FORMAT=FILE, got {text[:80]!r}; write for example csv=rows.csv"
            )
        find_exporter(name, plugins)
        if path in found:
            raise CodesignError(f"--export gives the file {file[:80]!r} twice; keep one")
        check_file(path)
        found[path] = name
    return found
