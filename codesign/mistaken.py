"""Files and folders that stand where a model should: what each seems to be, and what takes it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from codesign.code_file import SUFFIX, what_to_give

_READ = 2**16
"""Bytes of a file that are looked at."""
_KEY = re.compile(r"^['\"]?(\w+)['\"]?\s*:", re.MULTILINE)
_TYPE = re.compile(r'"model_type"\s*:\s*"(\w{1,40})"')
_ITS_MODEL = "name the model that it belongs to"
_BUILD: Final = (
    "seems to hold weights, and no model; give FILE.py:FUNCTION, which builds the model: most "
    "figures need shapes alone"
)
_FOREIGN: Final = (
    "is a model of another framework; give the PyTorch model that it was made from, as "
    "FILE.py:FUNCTION, or as a .pt2 file that torch.export.save wrote"
)
_BY_SUFFIX = {
    **dict.fromkeys((".pth", ".pt", ".bin", ".safetensors", ".ckpt", ".gguf", ".npz"), _BUILD),
    **dict.fromkeys((".onnx", ".tflite", ".pb", ".h5", ".keras", ".mlmodel"), _FOREIGN),
    ".html": f"is a page, such as codesign report makes, and no model; {_ITS_MODEL}",
    ".parquet": f"is a table, such as a saved result has, and no model; {_ITS_MODEL}",
    ".csv": "is a table and no model; codesign calibrate takes measurements",
    ".ipynb": "is a notebook; write the function that builds the model into FILE.py, and give "
    "FILE.py:FUNCTION",
}
SUFFIXES: Final = (*_BY_SUFFIX, ".yaml", ".yml")
"""Ends of names that no model of the zoo has."""
_STUDY = "study", "codesign sweep and codesign search take"
_BY_KEYS = (
    ({"components"}, "hardware file", "--hardware takes"),
    ({"streams"}, "scenario", "codesign scenario takes"),
    ({"model", "hardware"}, *_STUDY),
    ({"hardware_space"}, *_STUDY),
    ({"model_space"}, *_STUDY),
    ({"organisation", "timings"}, "DRAM device", "the field device of the kind dram takes"),
)
_FOLDERS = (
    ("journal.jsonl", "a study", "codesign pareto {0} and codesign report {0} read it"),
    ("spans.parquet", "a saved result", "codesign report {0} and codesign compare read it"),
    ("runs.parquet", "a saved scenario", "its summary.json has the figures"),
    ("summary.json", "a saved result", "codesign report {0} and codesign compare read it"),
    ("config.json", "a downloaded model of transformers", "give hf:CONFIGCLASS{1}"),
)


def mistaken(path: str) -> str:
    """What a file or folder seems to be that stands where a model should, in words for one line.

    Args:
        path: as the user gave it; it is looked at by its name and its first lines, and not run.

    Returns:
        The rule, what it seems to be and what takes it; empty if there is no such file, or if it
        seems to be nothing that can be told.
    """
    if os.path.isdir(path):
        return _folder(path)
    if not os.path.isfile(path):
        return ""
    suffix = Path(path).suffix.lower()
    if suffix == SUFFIX:
        return what_to_give(path)
    if suffix in _BY_SUFFIX:
        return f"{path} {_BY_SUFFIX[suffix]}"
    if suffix in (".yaml", ".yml"):
        words = other_than(path) or "what an option takes; codesign simulate --help lists them"
        return f"{path} is no model but seems to be {words}"
    return ""


def other_than(path: str | Path, kind: str = "") -> str:
    """What a file or folder seems to be, if that is something else than it should be.

    Args:
        path: as the user gave it.
        kind: what it should be: ``scenario``, ``study`` or ``hardware file``; of folders ``study``,
            ``result`` or ``scenario``.

    Returns:
        Such as ``a hardware file, which --hardware takes``; empty if it seems to be what it should
        be, or nothing that can be told.
    """
    name = str(path)
    if os.path.isdir(name):
        found = next((row for row in _FOLDERS[:4] if (Path(name) / row[0]).is_file()), None)
        if found is None or (kind and found[1].endswith(kind)):
            return ""
        return f"{found[1]}; {found[2].format(name, '')}"
    if not os.path.isfile(name):
        return ""
    if name.endswith((".json.gz", ".pt2", SUFFIX)):
        return "a model, which codesign simulate and codesign trace take"
    head = _head(name)
    if '"codesign-trace"' in head:
        return "a trace, which codesign simulate and codesign trace take as a model"
    keys = set(_KEY.findall(head))
    known = (row for row in _BY_KEYS if row[0] <= keys)
    word, takes = next(((word, takes) for _, word, takes in known), ("", ""))
    return "" if not word or word == kind else f"a {word}, which {takes}"


def mistaken_json(path: str) -> str:
    """The same of a JSON file that is no trace; empty if it seems to be nothing that can be told.

    Args:
        path: of a file.
    """
    head = _head(path)
    if '"codesign-trace"' in head:
        return ""
    if "model_type" in head and _TYPE.search(head):
        kind = f"{path} is the configuration of a transformers model"
        return f"{kind}; give hf:CONFIGCLASS{_like(head)}, which takes its default sizes"
    beside = Path(path).parent
    kind = next((kind for file, kind, _ in _FOLDERS[:4] if (beside / file).is_file()), "")
    is_its_own = Path(path).name in ("summary.json", "hardware.json", "components.json", "why.json")
    if not kind or not is_its_own:
        return ""
    return f"{path} is part of {kind}, and no model; {_ITS_MODEL}"


def _folder(path: str) -> str:
    for file, kind, way in _FOLDERS:
        place = Path(path) / file
        if place.is_file():
            like = _like(_head(place)) if file == "config.json" else ""
            if file == "config.json" and not like:
                return ""
            return f"{path} is a folder, {kind}, and no model; {way.format(path, like)}"
    return ""


def _like(text: str) -> str:
    found = _TYPE.search(text)
    return f" such as hf:{found[1].title().replace('_', '')}Config" if found else ""


def _head(path: str | Path) -> str:
    try:
        with open(path, "rb") as stream:
            return stream.read(_READ).decode("utf-8", "replace")
    except OSError:
        return ""
