"""Scenario files: what they say arrives, and every mistake names its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign.errors import ScenarioError
from codesign.mapping.residency import Residency
from codesign.scenario.arrival import After, Periodic, Rate
from codesign.scenario.file import load_scenario
from codesign.scenario.spec import Scenario
from codesign.workload.annotation import Annotation

FULL = """\
name: recogniser
duration: 2 s
silence: 18 s
utterances: 3
outputs: [tokens]
streams:
  encoder:
    model: rnnt_8x640_encoder
    steps: 8
    arrival: {kind: periodic, period: 80 ms, first: 0.04}
    dtype: int8
    residency: none
  prediction:
    model: rnnt_8x640_prediction
    arrival:
      kind: rate
      rate: 4 /s
      within: encoder
    beam: 2
    residency:
      policy: pinned
      pins: [join.*, "role:state"]
      limits: {sram: 512 KiB}
      across_runs: true
  tokens:
    model: joiner.json.gz
    arrival: {kind: after, streams: [encoder, prediction], times: 2}
  camera:
    model: mobilenet_v2
    batch: 1
    arrival: {kind: rate, rate: 30, seed: 7}
    background: true
"""


def read(text: str, folder: Path) -> object:
    path = folder / "case.yaml"
    path.write_text(text)
    return load_scenario(path)


def test_a_file_says_what_the_classes_say(tmp_path: Path) -> None:
    path = tmp_path / "full.yaml"
    path.write_text(FULL)
    found = load_scenario(path)
    assert (found.name, found.duration_s, found.silence_s, found.utterances) == (
        "recogniser",
        2.0,
        18.0,
        3,
    )
    assert found.outputs == ("tokens",)
    encoder, prediction, tokens, camera = found.streams
    assert encoder.arrival == Periodic(0.08, first_s=0.04)
    assert (encoder.model, dict(encoder.options)) == ("rnnt_8x640_encoder", {"steps": 8})
    assert (encoder.dtype, encoder.beam) == ("int8", 1)
    assert encoder.residency == Residency("none")
    assert prediction.arrival == Rate(4, within="encoder")
    assert (prediction.beam, prediction.dtype) == (2, None)
    assert prediction.residency == Residency(
        "pinned", pins=("join.*", "role:state"), limits={"sram": 2**19}, across_runs=True
    )
    assert tokens.residency == Residency("region")
    assert tokens.arrival == After(("encoder", "prediction"), times=2)
    assert camera.arrival == Rate(30, seed=7)
    assert camera.background
    assert not tokens.background
    assert dict(camera.options) == {"batch": 1}


def test_a_stream_may_be_called_like_a_key(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(
        "name: odd\nduration: 1\nstreams:\n"
        "  streams: {model: m, arrival: {kind: periodic, period: 1}}\n"
    )
    assert [stream.name for stream in load_scenario(path).streams] == ["streams"]


CHANGES = {
    "unknown key": ("silence: 18 s", "silense: 18 s", ":3: unknown key 'silense' of a scenario; "
                    "did you mean 'silence'?"),
    "unknown stream key": ("    dtype: int8", "    dtpye: int8", ":11: unknown key 'dtpye' of "
                           "stream encoder; did you mean 'dtype'?"),
    "unknown arrival key": ("within: encoder", "witin: encoder", ":18: unknown key 'witin' of "
                            "arrival of prediction (rate); did you mean 'within'?"),
    "unknown kind": ("kind: periodic", "kind: perodic", ":10: arrival of encoder: unknown kind "
                     "'perodic'; did you mean 'periodic'? known: after, periodic, rate"),
    "no kind": ("kind: periodic, ", "", ":10: arrival of encoder needs a kind: after, periodic, "
                "rate"),
    "no period": ("period: 80 ms, ", "", ":10: arrival of encoder (periodic) needs the key "
                  "'period'; add it"),
    "no name": ("name: recogniser\n", "", ":1: a scenario needs the key 'name'; add it"),
    "no duration": ("duration: 2 s\n", "", "a scenario needs the key 'duration'; add it"),
    "no model": ("    model: mobilenet_v2\n", "", ":28: stream camera needs the key 'model'"),
    "zero duration": ("duration: 2 s", "duration: 0 s", "duration must be > 0, got 0 s"),
    "wrong unit": ("period: 80 ms", "period: 80 MB", ":10: period: expected a unit of s, got "
                   "'80 MB'"),
    "no unit of rate": ("rate: 4 /s", "rate: 4 s", ":17: rate: expected a unit of /s, got '4 s'; "
                        "write for example '4 /s'"),
    "zero period": ("period: 80 ms", "period: 0 ms", ":10: period must be > 0, got 0 s"),
    "negative period": ("period: 80 ms", "period: -80 ms", ":10: period must be > 0, got -0.08 s"),
    "negative rate": ("rate: 30, ", "rate: -30, ", ":31: rate must be > 0, got -30 /s"),
    "no times": ("times: 2", "times: 0", ":27: times must be a whole number >= 1, got 0"),
    "half times": ("times: 2", "times: 2.5", ":27: times: must be a whole number, got 2.5"),
    "no beam": ("beam: 2", "beam: 0", ":19: beam of prediction must be a whole number >= 1, got 0"),
    "no producers": ("[encoder, prediction]", "[]", ":27: an arrival after other streams must name "
                     "them"),
    "no list": ("[encoder, prediction]", "encoder", ":27: streams: must be a list, got 'encoder'; "
                "write [first, second]"),
    "unknown producer": ("[encoder, prediction]", "[encodr]", ":27: tokens waits for the unknown "
                         "stream 'encodr'; did you mean 'encoder'?"),
    "circle": ("[encoder, prediction]", "[tokens]", ":27: streams must not wait for each other, "
               "but tokens waits for tokens"),
    "unknown output": ("outputs: [tokens]", "outputs: [token]", ":5: outputs name the unknown "
                       "stream 'token'; did you mean 'tokens'?"),
    "hidden output": ("outputs: [tokens]", "outputs: [camera]", ":5: the output camera runs in the "
                      "background"),
    "no truth": ("background: true", "background: 1", ":32: background: must be true or false, "
                 "got 1"),
    "no text": ("model: mobilenet_v2", "model: [a]", ":29: model: must be a line of text, got "
                "['a']"),
    "no whole number": ("steps: 8", "steps: 8 s", ":9: steps: must be a whole number, got '8 s'"),
    "no policy": ("residency: none", "residency: nothing", ":12: residency: unknown policy "
                  "'nothing'; known: greedy, none"),
    "no policy text": ("residency: none", "residency: 3", ":12: residency: unknown policy 3; "
                       "known: greedy, none"),
    "misspelt policy": ("residency: none", "residency: gredy", ":12: residency: unknown policy "
                        "'gredy'; did you mean 'greedy'?"),
    "unknown policy key": ("across_runs: true", "across: true", ":24: unknown key 'across' of "
                           "residency of prediction; did you mean 'across_runs'?"),
    "no bytes": ("512 KiB", "512 kHz", ":23: sram: expected a unit of B, got '512 kHz'"),
    "empty dtype": ("    dtype: int8", '    dtype: ""', ":11: dtype of encoder: unknown dtype ''"),
    "odd schedule": ("    dtype: int8", "    schedule: layer", ":11: schedule of encoder: schedule "
                     "must be time-major or layer-major:STEPS"),
    "endless schedule": ("    dtype: int8", "    schedule: layer-major:" + "9" * 5000,
                         ":11: schedule of encoder: schedule must be"),
    "endless": ("duration: 2 s", "duration: 1e300", ":2: duration must be at most 1,000,000 s"),
    "endless silence": ("silence: 18 s", "silence: 1e300 s", ":3: silence must be at most"),
    "many utterances": ("utterances: 3", "utterances: 999999", ":4: utterances must be <= 100,000, "
                        "got 999,999; lower it"),
    "very many utterances": ("utterances: 3", "utterances: 1" + "0" * 30, ":4: utterances: must be "
                             "a whole number of at most 18 digits, got 31 of them; lower it"),
    "no end of utterances": ("utterances: 3", "utterances: " + "9" * 5000, "got 5000 of them"),
    "half an utterance": ("utterances: 3", "utterances: 1.5", ":4: utterances: must be a whole "
                          "number, got 1.5; write it in digits"),
    "zero rate": ("      rate: 4 /s", "      rate: 0 /s", ":17: rate must be > 0, got 0 /s"),
    "negative option": ("steps: 8", "steps: 0", ":9: steps of encoder must be a whole number >= 1"),
    "unknown frames": ("      within: encoder", "      within: encodr", ":18: prediction waits for "
                       "the unknown stream 'encodr'"),
    "no text in a list": ("outputs: [tokens]", "outputs:\n  - tokens\n  - [a]", ":7: outputs: must "
                          "be a line of text, got ['a']"),
    "unknown in a list": ("outputs: [tokens]", "outputs:\n  - tokens\n  - token", ":7: outputs "
                          "name the unknown stream 'token'"),
    "policy in a map": ("policy: pinned", "policy: pined", ":21: policy: unknown policy 'pined'; "
                        "did you mean 'pinned'?"),
    "too fast": ("rate: 30,", "rate: 2e12,", ":31: rate must be at most one a tick of 1 ps"),
    "too short": ("period: 80 ms", "period: 0.5 ps", ":10: period must be at least a tick of 1 ps"),
    "twice after": ("[encoder, prediction]", "[encoder, encoder]", ":27: an arrival after other "
                    "streams must name them, each once"),
    "no pins": ('      pins: [join.*, "role:state"]\n', "", ":20: residency 'pinned' needs at "
                "least one pin"),
    "half a byte": ("512 KiB", "1.5 B", ":23: sram: must be whole bytes, got '1.5 B'; round it"),
    "bad name": ("  camera:", "  my camera:", ":28: a stream name must be a word"),
    "no map": ("{kind: rate, rate: 30, seed: 7}", "30", ":31: arrival of camera must be a map"),
    "anchor": ("duration: 2 s", "duration: &a 2 s", ":2: anchors and aliases are not read"),
    "twice": ("duration: 2 s", "duration: 2 s\nduration: 3 s", ":3: duplicate key 'duration'"),
    "not YAML": ("outputs: [tokens]", "outputs: [tokens", "not valid YAML"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", CHANGES)
def test_a_mistake_names_its_line(mistake: str, tmp_path: Path) -> None:
    old, new, words = CHANGES[mistake]
    assert FULL.count(old) == 1
    with pytest.raises(ScenarioError) as told:
        read(FULL.replace(old, new), tmp_path)
    assert str(told.value).startswith(f"{tmp_path / 'case.yaml'}:")
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_nobody_with_an_arrival_of_its_own_is_told_at_the_streams(tmp_path: Path) -> None:
    text = "name: a\nduration: 1\nstreams:\n  b: {model: m, arrival: {kind: after, streams: [b]}}\n"
    with pytest.raises(ScenarioError, match=":3: some stream must have an arrival of its own"):
        read(text, tmp_path)
    with pytest.raises(ScenarioError, match=r":3: some stream .* but there is none"):
        read("name: a\nduration: 1\nstreams: {}\n", tmp_path)


def test_a_file_that_does_not_exist_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no such file; give the path of a scenario file"):
        load_scenario(tmp_path / "none.yaml")
    with pytest.raises(ScenarioError, match="is a folder; give the path of a scenario file"):
        load_scenario(tmp_path)


@pytest.mark.parametrize("text", ["", "# nothing but a remark\n"])
def test_an_empty_file_is_a_scenario_to_be(text: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as told:
        read(text, tmp_path)
    assert str(told.value).endswith("case.yaml:1: the file is empty; describe the scenario in it")


@pytest.mark.parametrize("path", [5, None, ["a.yaml"]])
def test_a_path_must_be_one(path: object) -> None:
    with pytest.raises(ScenarioError, match=r"must be a str or a Path, got .*; name a file"):
        load_scenario(path)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "[a]", "word", "{}", "streams: 3"])
def test_anything_else_is_told_in_one_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as told:
        read(text, tmp_path)
    assert "case.yaml:1: " in str(told.value)
    assert "\n" not in str(told.value)


ANNOTATED = """\
name: short
duration: 1 s
streams:
  encoder:
    model: small.json
    arrival: {kind: periodic, period: 80 ms}
    annotations: ANNOTATIONS
"""


def annotated(said: str, folder: Path) -> object:
    return read(ANNOTATED.replace("ANNOTATIONS", said), folder)


def test_a_stream_says_what_is_declared_of_its_operators(tmp_path: Path) -> None:
    found = annotated('{"*": {weight_bits: 4}, head: {sparsity: "0.5"}}', tmp_path)
    assert isinstance(found, Scenario)
    declared = found.streams[0].declared
    assert declared == (Annotation("*", weight_bits=4), Annotation("head", sparsity="0.5"))


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ("packed.yaml", "must be a map by operator name, got 'packed.yaml'"),
        ("{}", "annotations must say something"),
        ('{"*": {weight_bit: 4}}', "unknown key 'weight_bit'; did you mean 'weight_bits'"),
        ('{"*": 4}', "must be a map that says something, got 4"),
        ('{"*": {weight_bits: 0}}', "weight_bits"),
    ],
)
def test_a_mistake_in_annotations_names_its_line(said: str, rule: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"case\.yaml:7: annotations") as raised:
        annotated(said, tmp_path)
    assert rule in str(raised.value)
    assert "\n" not in str(raised.value)
