"""Files of figures: the same table gives the same bytes, and what is refused leaves none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from swept_tables import Point, table

from codesign.errors import CodesignError, StudyError
from codesign.explore.figures import FORMATS, draw
from codesign.explore.swept import Swept

NAMES = ("front", "parallel", "effects", "hypervolume")


def trade(point: Point) -> dict[str, float]:
    """Energy falls and latency rises with the first parameter; the second is waste."""
    return {
        "energy_j": 1e-6 * (8 - point["width"]) + 1e-7 * point["waste"],
        "latency_s": 1e-3 * point["width"] ** 2,
    }


def small(**changes: Any) -> Swept:
    """Twelve points, four of them on the front."""
    return table({"width": [1, 2, 3, 4], "waste": [0, 1, 2]}, trade, **changes)


def test_every_figure_is_written_in_every_format(tmp_path: Path) -> None:
    written = draw(small(), tmp_path / "made" / "here")
    assert [path.name for path in written] == [f"{n}.{form}" for n in NAMES for form in FORMATS]
    assert sorted(tmp_path.rglob("*.*")) == sorted(written)
    heads = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    for path in written:
        assert path.read_bytes().startswith(heads[path.suffix[1:]]), path


def test_the_same_table_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    here = draw(small(), tmp_path / "here")
    program = """
import sys
import matplotlib
from test_figure_files import draw, small
matplotlib.rcParams["font.size"] = 31
draw(small(), sys.argv[1])
assert matplotlib.rcParams["font.size"] == 31
assert "matplotlib.pyplot" not in sys.modules
"""
    paths = os.pathsep.join(str(Path(__file__).parents[n]) for n in (0, 1))
    environment = os.environ | {
        "PYTHONHASHSEED": "17",
        "PYTHONPATH": paths,
        "SOURCE_DATE_EPOCH": "1",
    }
    words = [sys.executable, "-c", program, str(tmp_path / "there")]
    ran = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    for path in here:
        other = tmp_path / "there" / path.name
        assert path.read_bytes() == other.read_bytes(), path.name


def test_files_hold_no_date_and_no_version(tmp_path: Path) -> None:
    for path in draw(small(), tmp_path):
        data = path.read_bytes()
        for word in (b"CreationDate", b"dc:date", matplotlib.__version__.encode(), b"tEXtSoftware"):
            assert word not in data, (path.name, word)


def test_a_hundred_thousand_points_stay_small_in_vector_files(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    swept = table(
        {"a": list(range(1000)), "b": list(range(100))},
        lambda p: {
            "energy_j": float(random.random()) + 1e-4,
            "latency_s": float(random.random()) + 1e-4,
        },
    )
    for path in draw(swept, tmp_path, ["svg", "pdf"]):
        assert path.stat().st_size < 1_000_000, path.name
    front = (tmp_path / "front.svg").read_text()
    assert "<image" in front
    assert front.count("<use") < 2_000


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        (["png", "jpg"], r"written as png, svg, pdf, got 'jpg'; did you mean 'png'\?"),
        ([], "need a format, got none; give some of png, svg, pdf"),
    ],
)
def test_formats_are_checked_before_anything_is_drawn(
    formats: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(StudyError, match=message):
        draw(small(), tmp_path / "out", formats)
    assert not (tmp_path / "out").exists()


def test_what_does_not_fit_the_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="order must name each of the 12 measured points once"):
        draw(small(), tmp_path, order=[0, 1])
    with pytest.raises(StudyError, match=r"bounds must have shape \(points, 2\).*got \(1, 3\)"):
        draw(small(), tmp_path, bounds=[[1, 2, 3]])
    with pytest.raises(StudyError, match="figures need a measured point, got none"):
        draw(small(keep=lambda p: False), tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(CodesignError, match="not a folder that can be written"):
        draw(small(), tmp_path / "file" / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_missing_matplotlib_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in sys.modules if name.startswith("codesign.explore.figures.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        StudyError, match=r"figures need matplotlib.*pip install 'codesign\[plot\]'"
    ):
        draw(small(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_matplotlib_is_imported_by_the_first_figure_only() -> None:
    program = (
        "import sys, codesign.explore.figures, codesign.explore.effects\n"
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
