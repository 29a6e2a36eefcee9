"""What a study refuses, before anything runs and in one line, and what makes it the same study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import study_parts
from study_parts import quality, study, tiny

import codesign
from codesign.errors import CodesignError
from codesign.explore.study import Study
from codesign.mapping.residency import Residency


def narrow(width: int) -> Any:
    return tiny(width)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "lstm_ml"}, "unknown model 'lstm_ml'; did you mean 'lstm_lm'?"),
        ({"model": 4}, "must be a name, a trace or a function, got 4"),
        ({"model": "study_parts:tinny"}, "study_parts has no function 'tinny'; did you mean"),
        ({"model": "no_such_module:f"}, "importing 'no_such_module' failed: ModuleNotFoundError"),
        ({"model": tiny()}, "model_space: tiny takes no parameter 'width'; known: none"),
        ({"model_space": {"widht": [1]}}, "takes no parameter 'widht'; did you mean 'width'?"),
        ({"model_space": {"width": 16}}, "width: must have a list of values, got 16"),
        ({"model_space": {"width": []}}, "width: must have at least one value, got none"),
        ({"model_space": {"width": [[1]]}}, "width: values must be finite numbers, text"),
        ({"model_space": {"width": [float("inf")]}}, "width: values must be finite numbers"),
        ({"model": narrow, "rows": 4}, "narrow takes no parameter 'rows'"),
        ({"width": 16}, "'width' varies in model_space and is given too; keep one"),
        ({"options": {"width": 16}}, "'width' varies in model_space and is given too; keep one"),
        ({"options": {"rows": 4}, "rows": 5}, "'rows' is given in options and by itself; keep one"),
        ({"options": [4]}, "options must be a map from parameters of the model to values, got [4]"),
        ({"options": {"rwos": 4}}, "options: tiny takes no parameter 'rwos'; did you mean 'rows'?"),
        ({"hardware": "edge-npx"}, "edge-npx"),
        ({"hardware_space": {"dam.bandwidth": [1]}}, "unknown component 'dam' in 'dam.bandwidth'"),
        ({"hardware_space": {"dram.bandwith": [1]}}, "did you mean 'bandwidth'?"),
        ({"schedule_space": {"weight_bit": [4]}}, "unknown key 'weight_bit'; did you mean"),
        ({"schedule_space": {"fc.*:dtype": ["int8"]}}, "schedule_space: unknown key 'dtype'"),
        ({"objectives": []}, "objectives must be a list of at least one, got []"),
        ({"objectives": "energy_j"}, "must be a list of at least one, got 'energy_j'"),
        ({"objectives": ["energy"]}, "unknown objective 'energy'; did you mean 'energy_j'?"),
        ({"objectives": ["-energy"]}, "unknown objective 'energy'; did you mean 'energy_j'?"),
        ({"objectives": [3]}, "must be the name of a figure or a function of the point"),
        ({"objectives": [quality, quality]}, "objective 'quality' is given twice"),
        ({"objectives": [("energy_j", quality)]}, "cannot be called 'energy_j'"),
        ({"constraints": ["widt <= 3"]}, "constraint 'widt <= 3': unknown name 'widt'; did you"),
        ({"constraints": ["width <="]}, "must stand here"),
        ({"conditions": {"widt": "1 == 1"}}, "conditions: unknown parameter 'widt'; did you mean"),
        ({"zipped": [["width", "dram.bandwidth"]]}, "width has 2, dram.bandwidth has 6"),
        ({"residency": "regoin"}, "did you mean 'region'?"),
        ({"engines": "first"}, "engines must be a policy, got 'first'"),
        ({"objective": "latencies"}, "latencies"),
        ({"dtype": "int7x"}, "int7x"),
        ({"schedule": "layer-mayor:8"}, "schedule must be time-major or layer-major:STEPS"),
        ({"annotations": {"*": {"bits": 4}}}, "unknown key 'bits'"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CodesignError) as caught:
        study(**changes)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_parameter_can_be_called_as_a_figure() -> None:
    def model(energy_j: int) -> Any:
        return tiny()

    with pytest.raises(CodesignError, match="no parameter can be called 'energy_j'"):
        study(model=model, model_space={"energy_j": [1]})


def test_a_module_is_told_how_to_become_a_function() -> None:
    class Module:
        state_dict = None

        def __call__(self) -> None: ...

    with pytest.raises(CodesignError, match="write a function that returns"):
        study(model=Module())


def test_nothing_varies_in_an_empty_space() -> None:
    with pytest.raises(CodesignError, match="must have at least one parameter"):
        Study(model=tiny(), hardware="edge-npu", objectives=["energy_j"])


def test_options_are_a_map_or_keywords() -> None:
    assert study(options={"rows": 3}).digest == study(rows=3).digest
    assert study(options={}).digest == study(options=None).digest == study().digest


def test_the_same_study_has_the_same_digest() -> None:
    assert study().digest == study().digest
    assert len(study().digest) == 64


@pytest.mark.parametrize(
    "changes",
    [
        {"model": narrow},
        {"hardware": codesign.load_hardware("edge-npu").with_("sram.size", "128 KiB")},
        {"model_space": {"width": [16, 32, 48]}},
        {"hardware_space": {"dram.bandwidth": ["1 GB/s"]}},
        {"schedule_space": {"weight_bits": [None, 8]}},
        {"objectives": ["energy_j"]},
        {"objectives": ["energy_j", "max:latency_s"]},
        {"objectives": ["energy_j", "latency_s", quality]},
        {"constraints": ["width > 16"]},
        {"constraints": ["latency_s > 16"]},
        {"conditions": {"dram.bandwidth": "width == 16"}},
        {"residency": "none"},
        {"residency": Residency("pinned", ("w",))},
        {"engines": "alone"},
        {"dtype": "int4"},
        {"objective": "energy"},
        {"schedule": "time-major"},
        {"annotations": {"*": {"weight_bits": 4}}},
        {"rows": 3},
    ],
)
def test_whatever_changes_the_results_changes_the_digest(changes: dict[str, Any]) -> None:
    assert study(**changes).digest != study().digest


def test_a_plugin_that_changes_makes_another_study(tmp_path: Path) -> None:
    hook = "from codesign import hookimpl\n@hookimpl\ndef codesign_models(): return {}\n"
    (tmp_path / "mine.py").write_text(f"{hook}ONE = 1\n")
    before = study(plugins=(tmp_path,)).digest
    (tmp_path / "mine.py").write_text(f"{hook}ONE = 2\n")
    assert study(plugins=(tmp_path,)).digest != before


def test_a_function_that_changes_makes_another_study(tmp_path: Path, monkeypatch: Any) -> None:
    digests = []
    for number, body in enumerate(("tiny(width)", "tiny(width, 3)")):
        code = f"from study_parts import tiny\ndef made(width):\n    return {body}\n"
        (tmp_path / f"made_{number}.py").write_text(code)
        monkeypatch.chdir(tmp_path)
        digests.append(study(model=f"made_{number}:made").digest)
    assert digests[0] != digests[1]


def test_figures_are_those_that_somebody_asks_for() -> None:
    assert study().figures == ("latency_s", "energy_j", "offchip_bytes")
    asked = study(objectives=["tiles", quality], constraints=["edp_js <= 1", "params <= 9"])
    assert asked.figures == ("latency_s", "energy_j", "offchip_bytes", "tiles", "edp_js")


def test_a_name_finds_a_function() -> None:
    made = study(model="study_parts:tiny", objectives=["max:study_parts:quality"])
    assert made.source.capture({"width": 16}) == tiny(16)
    assert (made.goals[0].name, made.goals[0].maximise) == ("quality", True)
    assert made.goals[0].measure is study_parts.quality
