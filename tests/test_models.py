"""What the user may call a model, and one line for everything else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign import simulate
from codesign.errors import CodesignError, ModelError
from codesign.models import list_models, resolve_model
from codesign.workload.dtype import DType
from codesign.workload.file import save_trace
from codesign.workload.record import Op, Tensor, Trace

FACTORIES = """
import torch

def net(batch=2, steps=3):
    return torch.nn.Linear(steps, 4), (torch.empty(batch, steps),)

def fixed():
    return torch.nn.Linear(3, 4), (torch.empty(5, 3),), {}

def anything(**options):
    return net(**options)

def needs(batch):
    return net(batch)

def broken(batch=1):
    raise RuntimeError("cannot read\\nthe weights")

def wrong():
    return torch.nn.Linear(3, 4)

def late():
    import neighbour
    return neighbour.net()

number = 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The current folder holds a module of factories; returns the module's name."""
    name = f"factories_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(FACTORIES)
    (tmp_path / "neighbour.py").write_text(FACTORIES)
    monkeypatch.chdir(tmp_path)
    return name


@pytest.fixture
def trace_file(tmp_path: Path) -> Path:
    x = Tensor("x", (4,), DType.parse("int8"), "input")
    y = Tensor("y", (4,), DType.parse("int8"), "output")
    relu = Op("relu", "elementwise", (x.access(),), (y.access(),), functions=("relu",))
    path = tmp_path / "tiny.json"
    save_trace(Trace("tiny", (relu,), (x, y)), path)
    return path


def refused(spec: str, **options: int) -> str:
    """The message with which a model is refused: always one line."""
    with pytest.raises(CodesignError) as caught:
        resolve_model(spec, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- names ---


def test_a_zoo_name_becomes_a_trace_of_that_name() -> None:
    trace = resolve_model("rnnt_8x640_joiner")
    assert trace.name == "rnnt_8x640_joiner"
    assert trace.macs == 1_942_528
    assert trace.parameters == 1_944_553


def test_options_reach_the_model() -> None:
    assert resolve_model("rnnt_8x640_joiner", batch=3).macs == 3 * 1_942_528


def test_a_misspelt_name_gets_a_suggestion() -> None:
    assert "did you mean 'resnet50'?" in refused("resnet5")


def test_an_option_that_the_model_does_not_take_names_those_it_takes() -> None:
    assert refused("gpt2", steps=4) == (
        "gpt2 takes batch and seq_len, not steps (got 4); its length is seq_len"
    )
    assert refused("resnet50", steps=4).endswith("takes batch, not steps (got 4); drop steps")
    assert refused("lstm_lm", seq_len=4).endswith("its length is steps")


@pytest.mark.parametrize("option", ["batch", "seq_len"])
def test_an_option_of_zero_is_refused(option: str) -> None:
    assert refused("gpt2", **{option: 0}) == f"{option} of gpt2 must be at least 1, got 0"


@settings(max_examples=50)
@given(st.text(st.characters(codec="ascii", exclude_characters=":/"), max_size=20))
def test_a_name_of_nothing_is_refused_in_one_line(word: str) -> None:
    if word not in list_models():
        message = refused(word.replace("\n", " "))
        known = ("unknown model", "does not exist", "is a folder")
        assert any(told in message for told in known)


def test_models_are_listed_in_order_with_what_they_take() -> None:
    models = list_models()
    assert list(models) == sorted(models)
    assert dict(models["gpt2"].options) == {"batch": 1, "seq_len": 128}
    assert all(entry.description for entry in models.values())


def test_a_plugin_folder_adds_models(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import codesign\n"
        "from codesign.zoo import ModelEntry\n"
        "@codesign.hookimpl\n"
        "def codesign_models():\n"
        "    return {'copy_of_joiner': ModelEntry('codesign.zoo.rnnt:joiner', 'the same')}\n"
    )
    assert "copy_of_joiner" in list_models([tmp_path])
    assert resolve_model("copy_of_joiner", plugins=[tmp_path]).macs == 1_942_528


# --- factories ---


def test_a_factory_is_found_in_the_current_folder(folder: str) -> None:
    trace = resolve_model(f"{folder}:net")
    assert trace.name == f"{folder}:net"
    assert trace.macs == 2 * 3 * 4


def test_a_factory_is_called_with_the_options_of_its_signature(folder: str) -> None:
    assert resolve_model(f"{folder}:net", batch=5, steps=7).macs == 5 * 7 * 4
    assert resolve_model(f"{folder}:anything", batch=5).macs == 5 * 3 * 4


def test_a_factory_may_import_its_neighbours_when_called(folder: str) -> None:
    assert resolve_model(f"{folder}:late").macs == 2 * 3 * 4


def test_the_import_path_is_left_as_it_was(folder: str) -> None:
    before = list(sys.path)
    resolve_model(f"{folder}:fixed")
    refused(f"{folder}:broken")
    assert sys.path == before


@pytest.mark.parametrize(
    ("factory", "options", "message"),
    [
        (
            "net",
            {"seq_len": 4},
            "has no parameter seq_len (got 4); it takes batch and steps: give batch or",
        ),
        (
            "fixed",
            {"batch": 4},
            "has no parameter batch (got 4), as it takes nothing; write def fixed(batch=...)",
        ),
        ("net", {"batch": 0}, "batch of"),
        ("needs", {}, "needs needs a value for batch; set batch"),
        ("broken", {}, "failed to build: RuntimeError: cannot read"),
        ("wrong", {}, "must return (module, args) or (module, args, kwargs), got (Linear)"),
        ("nets", {}, "has no function 'nets'; did you mean 'net'?"),
        ("number", {}, "number is of type int, no function; name one that builds the model"),
        ("", {}, "has no function ''"),
    ],
)
def test_a_bad_factory_or_option_is_refused_in_one_line(
    folder: str, factory: str, options: dict[str, int], message: str
) -> None:
    assert message in refused(f"{folder}:{factory}", **options)


@pytest.mark.parametrize("spec", ["no_such_package.part:net", ":net", "..up:net", "a b:net"])
def test_a_module_that_cannot_be_imported_is_refused(spec: str) -> None:
    assert "importing" in refused(spec)


def test_an_error_while_importing_names_what_was_raised(folder: str) -> None:
    Path("fails.py").write_text("raise OSError('disk on fire\\nreally')")
    message = refused("fails:net")
    assert "importing 'fails' failed: OSError: disk on fire" in message


@pytest.mark.parametrize("value", ["x", 1.5, True, None.__class__])
def test_a_size_that_is_no_whole_number_is_refused(folder: str, value: Any) -> None:
    for spec in ("gpt2", f"{folder}:net"):
        assert f"batch of {spec} must be a whole number, got " in refused(spec, batch=value)


# --- files ---


def test_a_path_is_a_model_in_python_too(trace_file: Path) -> None:
    found = simulate(trace_file, "edge-npu").digest
    assert found == simulate(str(trace_file), "edge-npu").digest
    with pytest.raises(ModelError, match="is a folder; a model is a zoo name"):
        simulate(trace_file.parent / ".." / trace_file.parent.name, "edge-npu")


def test_a_trace_file_is_read_as_it_is(trace_file: Path) -> None:
    assert resolve_model(str(trace_file)).name == "tiny"


def test_reading_a_trace_file_does_not_import_torch(trace_file: Path) -> None:
    code = (
        "import sys; from codesign.models import list_models, resolve_model\n"
        "resolve_model(sys.argv[1]); list_models(); sys.exit('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(trace_file)]
    assert subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize("option", ["batch", "seq_len", "steps"])
def test_a_trace_file_takes_no_options(trace_file: Path, option: str) -> None:
    message = refused(str(trace_file), **{option: 2})
    assert f"has fixed shapes, so it does not take {option}" in message


def test_a_trace_file_has_no_values_to_scan(trace_file: Path) -> None:
    message = refused(str(trace_file), scan_zeros=True)
    assert "holds no values to scan for zeros" in message


def test_the_weights_of_a_program_are_scanned_if_asked(tmp_path: Path) -> None:
    path, layer = tmp_path / "net.pt2", torch.nn.Linear(4, 4)
    with torch.no_grad():
        layer.weight.mul_(torch.eye(4))
    torch.export.save(torch.export.export(layer, (torch.empty(2, 4),), strict=False), path)
    (weight,) = [t for t in resolve_model(str(path), scan_zeros=True).tensors if t.sparsity]
    assert (weight.name, weight.sparsity and weight.sparsity.share) == ("weight", 0.25)
    assert not any(t.sparsity for t in resolve_model(str(path)).tensors)


@pytest.mark.parametrize("name", ["missing.json", "missing.json.gz", "missing.pt2"])
def test_a_file_that_is_not_there_is_refused(name: str) -> None:
    assert f"{name} does not exist" in refused(name)


@pytest.mark.parametrize("name", ["nets", "nets.json", "nets.json.gz", "nets.pt2", "nets.yaml"])
def test_a_folder_in_the_place_of_a_model_is_said_to_be_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert refused(name).startswith(f"{name} is a folder; a model is a zoo name, ")
    assert refused(str(tmp_path / name)).startswith(f"{tmp_path / name} is a folder; ")


def test_a_model_keeps_its_name_beside_a_folder_that_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cell_gru").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve_model("cell_gru").name == "cell_gru"


def test_an_exported_program_is_traced(tmp_path: Path) -> None:
    path = tmp_path / "net.pt2"
    program = torch.export.export(torch.nn.Linear(3, 4), (torch.empty(2, 3),), strict=False)
    torch.export.save(program, path)
    trace = resolve_model(str(path))
    assert trace.name == str(path)
    assert trace.macs == 2 * 3 * 4


def test_a_file_that_is_no_exported_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pt2"
    path.write_bytes(b"nothing of the kind")
    assert "cannot be read as an exported program" in refused(str(path))


@pytest.mark.usefixtures("captures_anew")
def test_the_same_spec_gives_the_same_digest() -> None:
    first, second = (resolve_model("rnnt_8x640_prediction").digest for _ in range(2))
    assert first == second


def test_model_errors_are_codesign_errors() -> None:
    assert issubclass(ModelError, CodesignError)
