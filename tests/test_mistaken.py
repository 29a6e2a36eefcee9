"""What stands where a model should: what it seems to be, and which command takes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Codesign

from codesign.annotation_file import read_annotations
from codesign.errors import CodesignError
from codesign.mistaken import other_than
from codesign.models import resolve_model

HARDWARE = Path(__file__).parents[1] / "hardware"
EXAMPLES = Path(__file__).parents[1] / "examples"
SAMPLE = Path(__file__).parents[1] / "traces" / "v1_sample.json"
STUDY = "model: cell_gru\nhardware: edge-npu\nobjectives: [latency_s]\n"


def refused(path: Path | str) -> str:
    with pytest.raises(CodesignError) as caught:
        resolve_model(str(path))
    told = str(caught.value)
    assert "\n" not in told
    assert "known: bert_base" not in told, "a file is no misspelt name"
    assert str(path) in told
    return told


def written(folder: Path, name: str, text: str = "") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_hardware_file_is_told_and_what_takes_it() -> None:
    for path in (HARDWARE / "edge-npu.yaml", HARDWARE / "h100.yaml"):
        assert refused(path) == (
            f"{path} is no model but seems to be a hardware file, which --hardware takes"
        )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (STUDY, "a study, which codesign sweep and codesign search take"),
        ("hardware_space: {npu.rows: [1]}", "a study, which codesign sweep and codesign search"),
        ("'streams':\n  a: {}\n", "a scenario, which codesign scenario takes"),
        ("", "what an option takes; codesign simulate --help lists them"),
        ("encoder.*: {weight_bits: 4}", "what an option takes"),
        ("\x00\x01", "what an option takes"),
    ],
)
def test_a_yaml_file_is_told_by_its_keys(tmp_path: Path, text: str, told: str) -> None:
    for name in ("some.yaml", "some.YML"):
        assert f"seems to be {told}" in refused(written(tmp_path, name, text))


def test_files_that_ship_are_told() -> None:
    told = refused(EXAMPLES / "streaming_recogniser.yaml")
    assert told.endswith("seems to be a scenario, which codesign scenario takes")
    assert "seems to be a DRAM device, which the field device of" in refused(
        HARDWARE / "dram" / "ddr4-3200.yaml"
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("net.onnx", "is a model of another framework; give the PyTorch model"),
        ("net.pth", "seems to hold weights, and no model; give FILE.py:FUNCTION"),
        ("net.SafeTensors", "seems to hold weights, and no model"),
        ("pytorch_model.bin", "seems to hold weights, and no model"),
        ("report.html", "is a page, such as codesign report makes, and no model"),
        ("ops.parquet", "is a table, such as a saved result has, and no model"),
        ("measured.csv", "codesign calibrate takes measurements"),
        ("net.ipynb", "is a notebook; write the function that builds the model into FILE.py"),
        ("notes.txt", "is a file of no kind that holds a model; a model is a zoo name, FILE.py"),
        ("nothing", "is a file of no kind that holds a model"),
    ],
)
def test_a_file_is_told_by_its_name(tmp_path: Path, name: str, told: str) -> None:
    assert told in refused(written(tmp_path, name))


@pytest.mark.parametrize("name", ["net.onnx", "net.yaml", "some/where", "net.pth"])
def test_a_file_that_is_not_there_is_no_misspelt_name(name: str) -> None:
    assert f"{name} does not exist; a model is" in refused(name)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("journal.jsonl", "", "a study, and no model; codesign pareto {0} and codesign report {0}"),
        ("spans.parquet", "", "a saved result, and no model; codesign report {0} and codesign"),
        ("summary.json", "{}", "a saved result, and no model; codesign report {0} and codesign"),
        ("runs.parquet", "", "a saved scenario, and no model; its summary.json has the figures"),
        (
            "config.json",
            '{"model_type": "llama"}',
            "a downloaded model of transformers, and no model; give hf:CONFIGCLASS such as "
            "hf:LlamaConfig",
        ),
        ("config.json", "{}", "is a folder; a model is a zoo name"),
        ("other.json", "{}", "is a folder; a model is a zoo name"),
    ],
)
def test_a_folder_is_told_by_what_it_holds(tmp_path: Path, file: str, text: str, told: str) -> None:
    written(tmp_path, file, text)
    found = refused(tmp_path)
    assert f"{tmp_path} is a folder" in found
    assert told.format(tmp_path) in found


def test_a_folder_of_code_and_a_preset_are_told(tmp_path: Path) -> None:
    written(tmp_path, "__init__.py")
    code = written(tmp_path, "speech.py")
    assert refused(tmp_path).endswith(f"a model is a function in it, such as {code}:FUNCTION")
    assert refused("edge-npu") == (
        "edge-npu is a preset of hardware and no model; give it as hardware"
    )


def test_a_json_file_that_is_no_trace_is_told(tmp_path: Path) -> None:
    config = written(tmp_path, "config.json", json.dumps({"model_type": "gpt_neox"}))
    assert "the configuration of a transformers model; give hf:CONFIGCLASS" in refused(config)
    summary = written(tmp_path, "summary.json", "{}")
    assert "is part of a saved result, and no model; name the model" in refused(summary)
    other = written(tmp_path, "other.json", "{}")
    assert 'it must be an object with "format": "codesign-trace"' in refused(other)
    torn = written(tmp_path, "torn.json", '{"format": "codesign-trace", "model_type": "x"')
    assert "the file ends too early" in refused(torn)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("components: {}", "a hardware file, which --hardware takes"),
        (STUDY, "a study, which codesign sweep and codesign search take"),
        ('{"format": "codesign-trace"}', "a trace, which codesign simulate and codesign trace"),
    ],
)
def test_a_file_in_the_place_of_another_is_told_too(
    codesign: Codesign, tmp_path: Path, text: str, told: str
) -> None:
    path = written(tmp_path, "some.yaml", text)
    run = ("simulate", SAMPLE, "--hardware", "edge-npu")
    for words, rule in (
        (("scenario", path, "--hardware", "edge-npu"), "is no scenario but seems to be"),
        ((*run, "--annotate", path), "has no annotations but seems to be"),
        ((*run, "--mapping", path), "has no mappings but seems to be"),
        (("compare", path, path), "is a file and no folder of a result, and seems to be"),
        (("simulate", SAMPLE, "--hardware", path), "is no hardware file but seems to be"),
        (("sweep", path, "-o", str(tmp_path / "out")), "is no study but seems to be"),
    ):
        if rule.split()[2] in told.split(",")[0]:  # here it is what it should be
            continue
        ran = codesign(*words)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith(f"error: {path} {rule} {told}")


def test_names_that_other_files_begin_with_may_be_those_of_operators(tmp_path: Path) -> None:
    path = written(tmp_path, "some.yaml", "components: {weight_bits: 4}\n")
    (found,) = read_annotations(path)
    assert found.pattern == "components"


def test_the_folder_of_something_else_is_told_by_compare(
    codesign: Codesign, tmp_path: Path
) -> None:
    written(tmp_path, "runs.parquet")
    summary = written(tmp_path, "summary.json", "{}")
    ran = codesign("compare", tmp_path, tmp_path)
    assert f"{tmp_path} is not the folder of a result but of a saved scenario; its" in ran.err
    ran = codesign("compare", summary, tmp_path)
    assert ran.err.endswith(f"give the folder that 'codesign simulate --out' wrote, {tmp_path}\n")


def test_what_a_file_seems_to_be_is_nothing_where_it_is_what_it_should_be(tmp_path: Path) -> None:
    assert other_than(written(tmp_path, "a.yaml", STUDY), "study") == ""
    assert other_than(written(tmp_path, "a.yaml", "streams: {}"), "scenario") == ""
    assert other_than(written(tmp_path, "a.yaml", "components: {}"), "hardware file") == ""
    assert other_than(tmp_path / "none.yaml") == ""
    assert other_than(tmp_path) == ""
    written(tmp_path, "journal.jsonl")
    assert other_than(tmp_path).startswith("a study; codesign pareto")
    assert other_than(tmp_path, "study") == ""


def test_a_study_of_a_file_that_is_no_model_tells_it(codesign: Codesign, tmp_path: Path) -> None:
    scenario = EXAMPLES / "streaming_recogniser.yaml"
    study = written(tmp_path, "study.yaml", STUDY.replace("cell_gru", str(scenario)))
    ran = codesign("sweep", study, "-o", tmp_path / "out")
    assert ran.code == 2
    assert "seems to be a scenario" in ran.err


@pytest.mark.parametrize("option", ["--annotate", "--plugins", "--out", "--mapping"])
def test_a_name_that_no_file_can_have_is_a_mistake(codesign: Codesign, option: str) -> None:
    ran = codesign("simulate", SAMPLE, "--hardware", "edge-npu", option, "x" * 300)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert "name" in ran.err


def test_a_trace_that_cannot_be_written_is_told_before_the_model_is_looked_at(
    codesign: Codesign, tmp_path: Path
) -> None:
    ran = codesign("trace", "no-such-model", "-o", tmp_path / "no" / "t.json")
    assert ran.code == 2
    assert "it must be a file in a folder that can be written" in ran.err


def test_every_command_with_a_model_tells_it_in_one_line(
    codesign: Codesign, tmp_path: Path
) -> None:
    study = written(tmp_path, "study.yaml", STUDY)
    for words in (("simulate", study, "--hardware", "edge-npu"), ("trace", study)):
        ran = codesign(*words)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err == f"error: {refused(study)}\n"


@pytest.mark.parametrize(
    ("option", "meant"),
    [
        ("--frames", "--steps"),
        ("--tokens", "--seq-len"),
        ("--length", "--seq-len or --steps"),
        ("--seq", "--seq-len"),
        ("--batch-size", "--batch"),
    ],
)
def test_an_option_of_another_name_for_a_size_is_told_ours(
    codesign: Codesign, option: str, meant: str
) -> None:
    for words in (("trace", "gpt2"), ("simulate", "gpt2", "--hardware", "edge-npu")):
        ran = codesign(*words, option, "3")
        assert ran.code == 2
        assert f"No such option: {option} (Possible options: {meant})" in ran.err


def test_a_command_without_sizes_is_told_none(codesign: Codesign) -> None:
    assert "Possible options" not in codesign("models", "--frames", "3").err
