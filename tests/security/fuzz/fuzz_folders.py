"""Folders of results as strangers may hand them over: one input is all files of one folder."""

from __future__ import annotations

import json
import random
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import fuzz_seeds as seeds
import matplotlib.figure  # noqa: F401  # it makes a folder of its own at its first import
import pyarrow
import pyarrow.parquet
from fuzz_makers import json_bytes
from hostile_tree import changed, torn

from codesign import load_hardware, load_trace, simulate
from codesign.report import write_report
from codesign.result.compare import compare_results
from codesign.result.saved import load_saved

Files: TypeAlias = "dict[str, Any]"
"""JSON files as their text, tables as their columns."""
_UNREAD = ("timeline.json",)


@cache
def saved_files() -> Files:
    """What ``Result.save`` writes of a small run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "m.yaml").write_text(json.dumps(seeds.MACHINE))
        (folder / "t.json").write_text(json.dumps(seeds.trace_documents(folder)[0]))
        result = simulate(load_trace(folder / "t.json"), load_hardware(folder / "m.yaml"))
        result.save(folder / "saved")
        found: Files = {}
        for path in sorted((folder / "saved").iterdir()):
            if path.suffix == ".parquet":
                found[path.name] = pyarrow.parquet.read_table(path).to_pydict()
            elif path.name not in _UNREAD:
                found[path.name] = path.read_text()
        return found


def make(draw: random.Random | None, folder: Path) -> bytes:
    """A folder with one to two files changed, torn, or gone; as one JSON document."""
    files = json.loads(json.dumps(saved_files()))
    spoilt = set[str]()  # what is torn is no document any more
    for _ in range(0 if draw is None else draw.choice((1, 1, 2))):
        assert draw is not None
        name = draw.choice(list(files))
        how = draw.random()
        if how < 0.02:
            del files[name]
        elif name.endswith(".parquet"):
            _change_column(files[name], draw)
        elif how < 0.85 and name not in spoilt:
            files[name] = json_bytes(changed(json.loads(files[name]), draw)).decode("latin-1")
        else:
            files[name] = torn(files[name].encode(), draw).decode("latin-1")
        spoilt.add(name)
    return json.dumps(files).encode()


def _change_column(columns: dict[str, list[Any]], draw: random.Random) -> None:
    """Another value in one place or in all of a column; or the column is gone, or has a twin."""
    name = draw.choice(list(columns))
    how = draw.random()
    if how < 0.05:
        del columns[name]
        return
    other = columns[draw.choice(list(columns))]
    odd = (0, -1, 1, 2**31, 2**62, 2**63 - 1, 0.5, 1e-300, 1e60, 1e308, float("nan"))
    texts = (None, "", "x", "h" * 5000, "\x00\x1b[31m\u202e", "$a\\frac{$", "<script>", [1], True)
    value = draw.choice((*odd, *texts, draw.choice(other) if other else None))
    if how < 0.5 and columns[name]:
        columns[name][draw.randrange(len(columns[name]))] = value
    else:
        columns[name] = [value] * len(columns[name])


def unpack(path: Path) -> Path:
    """The folder that an input describes."""
    folder = path.parent / "out"
    folder.mkdir(exist_ok=True)
    for name, content in json.loads(path.read_bytes()).items():
        if isinstance(content, str):
            (folder / name).write_bytes(content.encode("latin-1", "replace"))
            continue
        try:
            table = pyarrow.table(content)
        except (pyarrow.ArrowException, OverflowError):  # no table holds it: its kin do
            table = pyarrow.table({key: list(map(str, row)) for key, row in content.items()})
        pyarrow.parquet.write_table(table, folder / name)
    return folder


def read_compared(path: Path) -> None:
    """What ``codesign compare`` does with the folder on both sides."""
    saved = load_saved(unpack(path))
    found = compare_results(saved, saved)
    json.dumps(found.as_json(), allow_nan=False)
    assert found.latency.change == found.energy.change == 0


def read_reported(path: Path) -> None:
    """What ``codesign report`` does with a folder of a result."""
    folder = unpack(path)
    write_report(folder, folder / "page.html")


def read_study(path: Path) -> None:
    """What ``codesign report`` does with a folder of a study."""
    (path.parent / "out").mkdir(exist_ok=True)
    write_report(path.parent, path.parent / "out" / "page.html")
