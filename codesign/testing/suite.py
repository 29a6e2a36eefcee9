"""All checks of a plugin: a file, a folder, an installed distribution, or a plugin by its name."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from codesign.errors import PluginError, did_you_mean
from codesign.hookspecs import HOOKS
from codesign.plugin_choice import Source
from codesign.plugin_files import no_plugin, plugin_paths
from codesign.plugins import Offer, Registry, registry
from codesign.testing.imports import check_imports
from codesign.testing.offered import Check, Offered
from codesign.testing.suite_estimators import estimator_checks
from codesign.testing.suite_lowerings import lowering_checks
from codesign.testing.suite_parts import kind_checks
from codesign.testing.suite_results import executor_checks, exporter_checks, searcher_checks
from codesign.testing.suite_words import (
    arrival_checks,
    example_checks,
    folder_checks,
    format_checks,
    model_checks,
    pass_checks,
    table_checks,
    validation_checks,
)

Checks: TypeAlias = "Callable[[Offered, str, Any], Iterator[Check]]"
BY_HOOK: Mapping[str, Checks] = {
    "codesign_arrivals": arrival_checks,
    "codesign_components": kind_checks,
    "codesign_energy_estimators": estimator_checks,
    "codesign_energy_tables": table_checks,
    "codesign_examples": example_checks,
    "codesign_executors": executor_checks,
    "codesign_exporters": exporter_checks,
    "codesign_formats": format_checks,
    "codesign_fusion_passes": pass_checks,
    "codesign_hardware_folders": folder_checks,
    "codesign_models": model_checks,
    "codesign_register_lowerings": lowering_checks,
    "codesign_searchers": searcher_checks,
    "codesign_validations": validation_checks,
}
"""The checks of one offer of each hook."""


def plugin_checks(plugin: str | Path, of: str = "*") -> list[Check]:
    """The checks of everything that a plugin offers.

    Args:
        plugin: a Python file, a folder of them or of one package; or the name of an installed
            plugin or distribution.
        of: which of its offers: a name, which may have ``*``.

    Returns:
        The checks in order; a plugin that cannot be loaded has one that fails and says why.

    Raises:
        PluginError: there is no such file and no such plugin, or no offer of that name.
    """
    words = _words(plugin)
    try:
        loaded = registry(words)
        sources = _sources(loaded, plugin, words)
        found = [check for source in sources for check in _checks(loaded, source, words, of)]
    except PluginError as error:
        if isinstance(error, _UnknownPluginError):
            raise
        return [Check(f"plugin {plugin}: loads", partial(_fail, str(error)))]
    if not found:
        raise PluginError(f"plugin {str(plugin)!r} offers nothing that is called {of!r}")
    return found


class _UnknownPluginError(PluginError):
    """A name that is no plugin's: a mistake of who asks, not of a plugin."""


def _words(plugin: str | Path) -> tuple[Path, ...]:
    """What ``plugins=`` takes to load it; nothing for one that is installed."""
    path = Path(plugin)
    if (path / "__init__.py").is_file():
        return (path / "__init__.py",)
    is_path = isinstance(plugin, Path) or path.exists() or path.suffix == ".py" or "/" in plugin
    if is_path and not path.exists():
        raise _UnknownPluginError(f"{path} does not exist; give a plugin file, a folder or a name")
    if path.is_dir() and not plugin_paths(path):
        raise _UnknownPluginError(no_plugin(path, ()))
    return (path,) if is_path else ()


def _sources(loaded: Registry, plugin: str | Path, words: tuple[Path, ...]) -> list[Source]:
    if words:
        inside = words[0].parent if words[0].name == "__init__.py" else words[0]
        return [
            one
            for one in loaded.sources()
            if not one.distribution and Path(one.origin).is_relative_to(inside)
        ]
    found = [one for one in loaded.sources() if plugin in (one.name, one.distribution)]
    if not found:
        known = {name for one in loaded.sources() for name in (one.name, one.distribution)}
        hint = did_you_mean(str(plugin)[:60], known - {""})
        raise _UnknownPluginError(f"no plugin is called {str(plugin)[:60]!r}{hint}")
    return found


def _checks(loaded: Registry, source: Source, words: tuple[Path, ...], of: str) -> Iterator[Check]:
    title = f"plugin {source.name}"
    if source.state == "failed":
        yield Check(f"{title}: loads", partial(_fail, source.told()))
        return
    offers = [
        offer
        for hook in HOOKS
        for offer in loaded.offers(hook).values()
        if offer.owner == source.name and fnmatchcase(offer.name, of)
    ]
    files = _files(source)
    if of == "*":
        yield Check(f"{title}: offers something", partial(_check_any, len(offers)))
        yield Check(f"{title}: imports public names", partial(check_imports, files))
    kinds = {
        name: offer.value
        for name, offer in loaded.offers("codesign_components").items()
        if isinstance(offer.value, type)
    }
    examples = {
        name: offer.value
        for name, offer in loaded.offers("codesign_examples").items()
        if offer.owner == source.name
    }
    beside = () if source.is_shipped else _hardware(files, offers)
    offered = Offered(source.name, words, files, beside, kinds, examples)
    for offer in offers:
        for check in BY_HOOK[offer.hook](offered, offer.name, offer.value):
            yield replace(check, files=files, owner=offer.value)


def _files(source: Source) -> tuple[Path, ...]:
    """The Python files of a plugin: one, or those of a package."""
    if source.distribution:
        module = source.origin.partition(":")[0]
        path = Path(str(importlib.import_module(module).__file__))
    else:
        path = Path(source.origin)
    if path.name == "__init__.py":
        path = path.parent
    return tuple(sorted(path.glob("*.py"))) if path.is_dir() else (path,)


def _hardware(files: tuple[Path, ...], offers: list[Offer]) -> tuple[Path, ...]:
    """Hardware files beside the modules of a plugin that name one of its kinds."""
    mine = {offer.name for offer in offers if offer.hook == "codesign_components"}
    folders = dict.fromkeys(file.parent for file in files)
    paths = [path for folder in folders for path in sorted(folder.glob("*.yaml"))]
    words = [
        (path, set(path.read_text(encoding="utf-8").replace(",", " ").split())) for path in paths
    ]
    return tuple(path for path, found in words if found & mine)


def _check_any(count: int) -> None:
    if not count:
        raise AssertionError(
            "offers nothing; mark a function of a name of docs/hooks.md with @hookimpl, and let it "
            "return what it offers"
        )


def _fail(message: str) -> None:
    raise AssertionError(message)
