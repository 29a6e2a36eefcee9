"""Every door through which a file of a stranger comes in, and what is read behind it."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import fuzz_folders
import fuzz_limits
import fuzz_seeds as seeds
from fuzz_makers import (
    Make,
    csv_of,
    documents,
    gzip_bytes,
    json_bytes,
    lines,
    settings,
    words_of,
    yaml_bytes,
    yaml_of,
)
from hostile_tree import written

from codesign import load_hardware, load_trace, simulate
from codesign.annotation_file import read_annotations
from codesign.calibration.read import read_measurements
from codesign.cli import main
from codesign.cli.options import read_settings
from codesign.energy import read_tables
from codesign.errors import CodesignError, StudyError
from codesign.explore.alike import alike_on_front
from codesign.explore.grammar import Constraint
from codesign.explore.journal import Journal
from codesign.explore.study_file import read_study
from codesign.explore.swept import JOURNAL, Swept
from codesign.hardware.dram_file import load_device_file
from codesign.hardware.machine import Hardware
from codesign.mapping.fixed_file import read_mappings
from codesign.scenario.file import load_scenario
from codesign.scenario.schedule import schedule
from codesign.units import parse_quantity
from codesign.validation import read_table
from codesign.workload.record import Trace
from codesign.workload.supernet_file import load_part


@dataclass(frozen=True)
class Door:
    """A format, and one way in.

    Attributes:
        name: of the format and the way.
        file: name of the input in the folder of the case.
        make: an input.
        read: what a user would call; gets the path.
        share: inputs for each thousand of a campaign.
        names_file: whether an error has to name the file.
    """

    name: str
    file: str
    make: Make
    read: Callable[[Path], object]
    share: int
    names_file: bool = True


def prepare(folder: Path) -> None:
    """Puts the files beside the input that valid documents refer to."""
    (folder / "t.json").write_text(json.dumps(seeds.trace_documents(folder)[0]))
    (folder / "m.yaml").write_text(written(seeds.MACHINE, is_yaml=True))


@cache
def small_machine() -> Hardware:
    """``MACHINE`` as it is read."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        return load_hardware(Path(folder) / "m.yaml")


@cache
def small_trace() -> Trace:
    """What runs on it."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        return load_trace(Path(folder) / "t.json")


def _trace(path: Path) -> None:
    trace = load_trace(path)
    assert float(trace.macs) >= 0
    assert len(trace.digest) == 64


def _hardware(path: Path) -> None:
    assert len(load_hardware(path).digest) == 64


def _scenario(path: Path) -> None:
    schedule(load_scenario(path))


def _pareto(path: Path) -> None:
    found = Swept.read(path.parent)
    assert [row for one in alike_on_front(found) for row in one.rows] == found.pareto()
    found.columns()
    assert len(found.digest) == 64


def _journal(path: Path) -> None:
    with Journal(path, "0" * 64) as journal:
        journal.append({"event": "pruned", "points": 1})


def _constraint(path: Path) -> None:
    found = Constraint.parse(path.read_bytes().decode("utf-8", "surrogatepass"))
    for value in (3.0, "text", 10**400, True):
        with contextlib.suppress(StudyError):
            found.holds(dict.fromkeys(found.names, value))


def _quantity(path: Path) -> None:
    text = path.read_bytes().decode("utf-8", "surrogatepass")
    for unit in ("B", "Hz", "s", "J", "J/B", "W", "1"):
        with contextlib.suppress(CodesignError):
            parse_quantity(text, unit)
    parse_quantity(text, "B/s")


def _setting(path: Path) -> None:
    text = path.read_bytes().decode("utf-8", "surrogatepass")
    machine = small_machine()
    for name, value in read_settings([text]).items():
        machine = machine.with_(name, value)


def command(*words: str) -> Callable[[Path], None]:
    """A command that reads the input, ``FILE``, or its folder, ``DIR``, and raises its error."""

    def read(path: Path) -> None:
        given = [word.replace("FILE", str(path)).replace("DIR", str(path.parent)) for word in words]
        run_command(given)

    return read


def run_command(words: Sequence[str]) -> str:
    """Runs a command in this process and returns what it prints.

    Raises:
        CodesignError: it has ended with 2, in the words of its error.
        AssertionError: it has ended in another way than 0 or 2, or has printed escapes.
    """
    out, err = io.StringIO(), io.StringIO()
    code: object = None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(list(words))
        except SystemExit as ended:
            code = ended.code or 0
    printed = out.getvalue() + err.getvalue()
    assert not set(printed) & {"\x1b", "\x00", "\x07", "\x08"}, (
        f"prints control characters: {words}"
    )
    if code == 2:
        last = err.getvalue().strip().splitlines()[-1]
        assert last.startswith(("error: ", "╰")), err.getvalue()[-500:]
        raise CodesignError(last)
    assert code == 0, f"ended with {code!r}: {err.getvalue()[-500:]}"
    return printed


def _simulated(trace: Path | Trace, machine: Path | Hardware, **options: Any) -> None:
    model = load_trace(trace) if isinstance(trace, Path) else trace
    parts = load_hardware(machine) if isinstance(machine, Path) else machine
    result = simulate(model, parts, most_events=fuzz_limits.MOST_EVENTS, **options)
    json.dumps(result.summary(), allow_nan=False)


_FEW = ("--most-events", str(fuzz_limits.MOST_EVENTS))
_JOURNAL = documents(lambda _: (seeds.journal(),), lines)
DOORS = (
    Door("trace", "case.json", documents(seeds.trace_documents, json_bytes), _trace, 170),
    Door(
        "trace, compressed",
        "case.json.gz",
        documents(seeds.trace_documents, gzip_bytes),
        _trace,
        50,
    ),
    Door(
        "trace, simulated",
        "case.json",
        documents(lambda folder: seeds.trace_documents(folder)[:1], json_bytes),
        lambda path: _simulated(path, small_machine()),
        40,
        names_file=False,
    ),
    Door("hardware", "case.yaml", yaml_of(seeds.MACHINE), _hardware, 100),
    Door(
        "hardware, presets",
        "case.yaml",
        documents(lambda _: seeds.presets(), yaml_bytes),
        _hardware,
        40,
    ),
    Door(
        "hardware, simulated",
        "case.yaml",
        yaml_of(seeds.MACHINE),
        lambda path: _simulated(small_trace(), path),
        25,
        names_file=False,
    ),
    Door("limits, simulated", "case.yaml", fuzz_limits.make, fuzz_limits.run, 8, names_file=False),
    Door(
        "DRAM device",
        "case.yaml",
        documents(lambda _: seeds.devices(), yaml_bytes),
        load_device_file,
        40,
    ),
    Door("study", "case.yaml", yaml_of(seeds.STUDY), read_study, 60),
    Door(
        "study, swept",
        "case.yaml",
        yaml_of(seeds.STUDY),
        command("sweep", "FILE", "-o", "DIR/out"),
        3,
        names_file=False,
    ),
    Door("scenario", "case.yaml", yaml_of(seeds.SCENARIO), _scenario, 80),
    Door(
        "scenario, simulated",
        "case.yaml",
        yaml_of(seeds.SCENARIO),
        command("scenario", "FILE", "--hardware", "DIR/m.yaml", "--json", *_FEW),
        8,
        names_file=False,
    ),
    Door("mapping", "case.yaml", yaml_of(seeds.MAPPING), read_mappings, 60),
    Door(
        "mapping, simulated",
        "case.yaml",
        yaml_of(seeds.MAPPING),
        lambda path: _simulated(small_trace(), small_machine(), mapping=path),
        12,
    ),
    Door("annotations", "case.yaml", yaml_of(seeds.ANNOTATIONS), read_annotations, 60),
    Door(
        "annotations, simulated",
        "case.yaml",
        yaml_of(seeds.ANNOTATIONS),
        lambda path: _simulated(small_trace(), small_machine(), annotations=path),
        12,
        names_file=False,
    ),
    Door("journal, front", JOURNAL, _JOURNAL, _pareto, 60),
    Door("journal, resumed", JOURNAL, _JOURNAL, _journal, 20),
    Door("journal, pareto", JOURNAL, _JOURNAL, command("pareto", "DIR"), 15, names_file=False),
    Door("journal, report", JOURNAL, _JOURNAL, fuzz_folders.read_study, 8, names_file=False),
    Door(
        "result, compare",
        "case.json",
        fuzz_folders.make,
        fuzz_folders.read_compared,
        40,
        names_file=False,
    ),
    Door(
        "result, report",
        "case.json",
        fuzz_folders.make,
        fuzz_folders.read_reported,
        4,  # a page takes a second
        names_file=False,
    ),
    Door("measurements", "case.csv", csv_of(seeds.measurements()), read_measurements, 40),
    Door(
        "energy table",
        "case.csv",
        csv_of(seeds.TABLE.encode()),
        lambda path: read_tables([path]),
        50,
    ),
    Door(
        "validation table",
        "case.csv",
        csv_of(b"a,b\n1,2\n3,x\n"),
        lambda path: read_table(path, ("a",)),
        20,
    ),
    Door(
        "supernet block",
        "case.json.gz",
        documents(lambda _: (seeds.block(),), gzip_bytes),
        lambda path: load_part(path, "it"),
        50,
    ),
    Door("constraint", "case.txt", words_of(seeds.CONSTRAINTS), _constraint, 60, names_file=False),
    Door("quantity", "case.txt", words_of(seeds.QUANTITIES), _quantity, 30, names_file=False),
    Door("setting", "case.txt", settings, _setting, 30, names_file=False),
)
