"""What the command line does not import, measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = str(Path(__file__).parents[2] / "traces" / "v1_sample.json")
PROBE = """
import sys
from codesign.cli import main
try:
    main(sys.argv[2:])
except SystemExit as ended:
    code = ended.code
found = sorted(set(sys.argv[1].split(",")) & set(sys.modules))
sys.exit(f"exit code {code}, imported {found}" if code or found else 0)
"""
HEAVY = ("torch", "numpy", "pydantic", "networkx", "simpy", "yaml", "pyarrow", "transformers")


def _imports_none_of(names: tuple[str, ...], words: tuple[str, ...]) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, ",".join(names), *words], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("words", [("--help",), ("--version",)])
def test_help_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    _imports_none_of(HEAVY, words)


def test_help_of_a_command_imports_nothing_of_the_simulator() -> None:
    # typer itself looks at pydantic when it reads the types of options
    _imports_none_of(tuple(set(HEAVY) - {"pydantic"}), ("simulate", "--help"))


@pytest.mark.parametrize(
    "words",
    [
        ("hardware", "list"),
        ("hardware", "show", "edge-npu"),
        ("plugins", "list"),
        ("plugins", "show", "systolic"),
        ("models",),
        ("simulate", SAMPLE, "--hardware", "edge-npu"),
        ("simulate", SAMPLE, "--hardware", "edge-npu", "--json", "--dtype", "int8"),
    ],
)
def test_what_needs_no_model_needs_no_torch(words: tuple[str, ...]) -> None:
    _imports_none_of(("torch", "transformers"), words)


@pytest.mark.parametrize("words", [(), ("--json",), ("--export", "perfetto=line.json")])
def test_a_trace_file_is_simulated_without_what_only_files_and_models_need(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    unused: tuple[str, ...] = (
        "torch",
        "transformers",
        "pyarrow",
        "numba",
        "scipy",
        "optuna",
        "dask",
        "matplotlib",
    )
    unused += () if "--export" in words else ("codesign.result.timeline",)
    _imports_none_of(unused, ("simulate", SAMPLE, "--hardware", "tpu-like", *words))


def test_saving_a_result_and_a_trace_needs_no_torch(tmp_path: Path) -> None:
    hardware = ("--hardware", "edge-npu", "--out", str(tmp_path / "run"))
    _imports_none_of(("torch",), ("simulate", SAMPLE, *hardware))
    _imports_none_of(("torch",), ("trace", SAMPLE, "-o", str(tmp_path / "t.json.gz")))


def test_import_codesign_is_light() -> None:
    code = f"import sys, codesign; found = set({HEAVY!r}) & set(sys.modules); sys.exit(len(found))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_standard_output_holds_json_only_even_in_a_terminal_of_colours() -> None:
    import json
    import os

    words = ["simulate", SAMPLE, "--hardware", "edge-npu", "--json"]
    ran = subprocess.run(
        [sys.executable, "-c", "from codesign.cli import main; main()", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "FORCE_COLOR": "1"},
    )
    assert json.loads(ran.stdout)["model"] == "v1-sample"
    assert ran.stderr == ""


@pytest.mark.parametrize(
    "words",
    [
        ("plugins", "list"),
        ("plugins", "check", "link"),
        ("plugins", "check", "exporters"),
        ("plugins", "check", "fusion_conv"),
    ],
    ids=" ".join,
)
def test_plugins_are_listed_and_checked_without_torch(words: tuple[str, ...]) -> None:
    _imports_none_of(("torch", "transformers"), words)


def test_a_plugin_is_begun_without_torch(tmp_path: Path) -> None:
    _imports_none_of(("torch",), ("plugins", "new", "model", "our_net", "-o", str(tmp_path / "a")))
