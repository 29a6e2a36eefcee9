"""Plugins that work, to begin with: ``codesign plugins new`` writes one under a name of its own."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from codesign.errors import PluginError, did_you_mean
from codesign.plugins import Registry

USES: Mapping[str, str] = {
    "engine": "codesign simulate lstm_lm --hardware my_plugin.yaml",
    "memory": "codesign simulate lstm_lm --hardware my_plugin.yaml",
    "link": "codesign simulate lstm_lm --hardware my_plugin.yaml",
    "lowering": "codesign plugins show my_plugin",
    "fusion": "codesign simulate lstm_lm --hardware edge-npu",
    "model": "codesign simulate my_plugin --hardware edge-npu",
    "format": "codesign plugins show my_plugin",
    "exporter": "codesign simulate lstm_lm --hardware edge-npu --export my_plugin=energies.txt",
    "searcher": "codesign search study.yaml --sampler my_plugin --budget 10 -o found",
    "executor": "codesign sweep study.yaml --executor my_plugin -o swept",
    "validation": "codesign validate --family my_plugin",
}
"""What a plugin may offer, and the command that uses it."""
_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")


def write_plugin(kind: str, name: str, folder: Path) -> tuple[Path, ...]:
    """Writes a distribution with one plugin: its module, its test, and how it is installed.

    Args:
        kind: one of ``USES``.
        name: of the plugin, its module and what it offers.
        folder: to write; it must not be there.

    Returns:
        The files.

    Raises:
        PluginError: an unknown kind, a name that is no word or is taken, or a folder that exists or
            cannot be written.
    """
    if kind not in USES:
        raise PluginError(f"unknown kind of plugin {kind[:60]!r}{did_you_mean(kind[:60], USES)}")
    _check_name(name)
    if folder.exists():
        raise PluginError(f"{folder} is there already; give another folder with -o")
    texts = {f"{name}.py": f"{kind}.py", f"tests/test_{name}.py": "plugin_test.py"}
    texts |= {"pyproject.toml": "pyproject.toml", "README.md": "README.md"}
    if (files(__package__) / f"{kind}.yaml").is_file():
        texts[f"{name}.yaml"] = f"{kind}.yaml"
    written = []
    try:
        for target, template in texts.items():
            path = folder / target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_filled(template, kind, name), encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise PluginError(
            f"cannot write {folder}: {error.strerror or error}; give another folder with -o"
        ) from error
    return tuple(written)


def _filled(template: str, kind: str, name: str) -> str:
    text = (files(__package__) / template).read_text(encoding="utf-8")
    words = {
        "USE": USES[kind],
        "KIND": kind,
        "MyPlugin": "".join(part.capitalize() for part in name.split("_")),
        "my-plugin": name.replace("_", "-"),
        "my_plugin": name,
    }
    for word, value in words.items():
        text = re.sub(rf"\b{word}(?=\b|_)" if word != "my_plugin" else word, value, text)
    return text


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or name.endswith("_"):
        raise PluginError(
            f"a plugin's name must be a word of 2 to 40 small letters, digits and _ that is no "
            f"keyword, got {name[:60]!r}; take for example my_array"
        )
    loaded = Registry(is_strict=False)
    taken = {one.name for one in loaded.sources()} | set(loaded.get("codesign_components"))
    if name in taken or name in ("codesign", "torch", "numpy", "tests"):
        raise PluginError(f"{name!r} is taken by a plugin or package; take another name")
