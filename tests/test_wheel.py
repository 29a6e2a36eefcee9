"""The wheel holds all that the package needs away from its checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = ("pyproject.toml", "README.md", "LICENSE", "codesign", "plugins", "hardware", "traces")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
PROBE = """
import json, codesign, codesign_traces
from pathlib import Path
from codesign.hardware.spec import list_hardware
from codesign.models import list_models
from codesign.plugins import registry

sample = Path(codesign_traces.__file__).parent / "v1_sample.json"
print(json.dumps({
    "home": str(Path(codesign.__file__).parents[1]),
    "presets": [preset.name for preset in list_hardware()],
    "paths": [str(preset.path) for preset in list_hardware()],
    "models": list(list_models()),
    "plugins": list(registry().plugins()),
    "latency_s": codesign.simulate(str(sample), "edge-npu").latency_s,
    "page": (Path(codesign.__file__).parent / "report" / "static" / "page.html").is_file(),
    "typed": (Path(codesign.__file__).parent / "py.typed").is_file(),
}))
"""


def test_a_wheel_installed_elsewhere_finds_plugins_presets_models_and_traces(
    tmp_path: Path,
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, source / part)
    wheel = ("wheel", str(source), "--no-deps", "--no-build-isolation", "-w", str(tmp_path))
    subprocess.run([*PIP, *wheel], check=True, cwd=tmp_path)
    (built,) = tmp_path.glob("*.whl")
    subprocess.run([*PIP, "install", "--no-deps", "--target", str(target), str(built)], check=True)
    ran = subprocess.run(
        [sys.executable, "-c", PROBE],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(target)},
    )
    found = json.loads(ran.stdout)
    assert found["page"]
    assert found["home"] == str(target)
    presets = sorted(path.stem for path in (ROOT / "hardware").glob("*.yaml"))
    assert found["presets"] == presets
    assert all(Path(path).is_relative_to(target) for path in found["paths"])
    assert {"resnet50", "gpt2", "lstm_lm"} <= set(found["models"])
    files = {path.stem for path in (ROOT / "plugins").glob("*.py")} - {"__init__"}
    plugins = files | {path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py")}
    assert plugins <= set(found["plugins"])
    assert found["latency_s"] > 0
    assert found["typed"]
