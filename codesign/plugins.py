"""Finding plugins: entry points, folders given by the user, and a clear word when two clash."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

import pluggy

from codesign import hookspecs
from codesign.energy import EnergyTables, read_tables, shipped_tables
from codesign.errors import PluginError, one_line
from codesign.hardware.component import Component

GROUP = "codesign"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that one plugin offers.

    Attributes:
        hook: the hook that returned it.
        name: what it is called there.
        owner: the plugin.
        origin: file or distribution it was loaded from.
        value: the thing.
    """

    hook: str
    name: str
    owner: str
    origin: str
    value: Any


class Registry:
    """Everything that the loaded plugins offer, by hook and name."""

    def __init__(self, folders: Sequence[Path | str] = ()) -> None:
        self.manager = pluggy.PluginManager(GROUP)
        self.manager.add_hookspecs(hookspecs)
        self._origins: dict[str, str] = {}
        for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
            self._register(entry.name, str(entry.value), entry.load)
        for folder in folders:
            self._load_folder(Path(folder))
        self._offers: dict[str, dict[str, Offer]] = {}
        self._tables: EnergyTables | None = None

    def offers(self, hook: str) -> Mapping[str, Offer]:
        """All offers of one hook by name.

        Raises:
            PluginError: two plugins offer the same name; both owners are named.
        """
        if hook not in self._offers:
            self._offers[hook] = _unique(self._collect(hook))
        return self._offers[hook]

    def components(self) -> dict[str, type[Component]]:
        """Component classes by ``kind``."""
        offers = self.offers("codesign_components")
        for offer in offers.values():
            if not (isinstance(offer.value, type) and issubclass(offer.value, Component)):
                raise PluginError(
                    f"plugin {offer.owner!r} ({offer.origin}): codesign_components must return "
                    f"Component classes, got {offer.value!r}"
                )
        return {name: offer.value for name, offer in offers.items()}

    def get(self, hook: str) -> dict[str, Any]:
        """What one hook offers, by name."""
        return {name: offer.value for name, offer in self.offers(hook).items()}

    def folders(self) -> tuple[Path, ...]:
        """Folders with hardware presets."""
        return tuple(offer.value for offer in self._collect("codesign_hardware_folders"))

    def tables(self) -> EnergyTables:
        """The energy tables that ship with codesign behind those of plugins, and estimators.

        Raises:
            EnergyError: a table of a plugin that breaks a rule; with file and line.
        """
        if self._tables is None:
            offered = self._collect("codesign_energy_tables")
            rows = read_tables([offer.value for offer in offered])
            estimators = self.get("codesign_energy_estimators")
            self._tables = EnergyTables((*rows, *shipped_tables().rows), estimators)
        return self._tables

    def plugins(self) -> dict[str, str]:
        """Loaded plugins and where each came from."""
        return dict(self._origins)

    def _collect(self, hook: str) -> list[Offer]:
        found = []
        for impl in getattr(self.manager.hook, hook).get_hookimpls():
            owner = impl.plugin_name
            origin = self._origins.get(owner, owner)
            for name, value in _named(_call(impl, hook, origin), owner, hook):
                found.append(Offer(hook, name, owner, origin, value))
        return found

    def _load_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            raise PluginError(f"plugin folder {folder} does not exist; give a folder of *.py files")
        packages = (path.parent for path in folder.glob("*/__init__.py"))
        for path in sorted([*folder.glob("*.py"), *packages]):
            if not path.name.startswith("_"):
                self._drop_if_same(path)
                self._register(path.stem, str(path), partial(_load_path, path))

    def _drop_if_same(self, path: Path) -> None:
        """A copy of a loaded plugin, to the byte, takes its place; an edited one is a clash."""
        loaded = self.manager.get_plugin(path.stem)
        source = getattr(loaded, "__file__", None)
        if source and _sources(Path(source)) == _sources(path):
            self.manager.unregister(loaded)
            del self._origins[path.stem]

    def _register(self, name: str, origin: str, load: Callable[[], object]) -> None:
        if name in self._origins:
            raise PluginError(
                f"plugin {name!r} is offered by both {self._origins[name]} and {origin}; "
                "rename one or leave one out"
            )
        try:
            self.manager.register(load(), name=name)
            self.manager.check_pending()
        except Exception as error:  # a plugin may fail in any way; name it and say where
            raise PluginError(
                f"plugin {name!r} ({origin}) failed to load: {one_line(error)}"
            ) from error
        self._origins[name] = origin


def _sources(path: Path) -> dict[str, bytes]:
    """Python files of a plugin by name: one, or those of a package."""
    if path.name == "__init__.py":
        path = path.parent
    files = path.glob("*.py") if path.is_dir() else [path]
    return {file.name: file.read_bytes() for file in files}


def _load_path(path: Path) -> object:
    """Loads a Python file, or a package with its modules."""
    place = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    name = f"codesign_folder_{path.stem}_{place}"
    file, inside = (path / "__init__.py", [str(path)]) if path.is_dir() else (path, None)
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=inside)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} is not a Python file")
    for stale in [known for known in sys.modules if known.startswith(f"{name}.")]:
        del sys.modules[stale]
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _call(impl: pluggy.HookImpl, hook: str, origin: str) -> Any:
    try:
        return impl.function()
    except Exception as error:  # a plugin may fail in any way; name it and say where
        raise PluginError(
            f"plugin {impl.plugin_name!r} ({origin}): {hook} raised {one_line(error)}"
        ) from error


def _named(result: Any, owner: str, hook: str) -> Iterable[tuple[str, Any]]:
    if isinstance(result, Mapping):
        return list(result.items())
    if not isinstance(result, (list, tuple)):
        raise PluginError(f"plugin {owner!r}: {hook} must return a list or a dict, got {result!r}")
    return [(getattr(item, "kind", None) or str(item), item) for item in result]


def _unique(offers: Iterable[Offer]) -> dict[str, Offer]:
    found: dict[str, Offer] = {}
    for offer in sorted(offers, key=lambda o: (o.name, o.owner)):
        if offer.name in found:
            first = found[offer.name]
            raise PluginError(
                f"{offer.name!r} is offered by both plugin {first.owner!r} ({first.origin}) and "
                f"plugin {offer.owner!r} ({offer.origin}); rename one or leave one out"
            )
        found[offer.name] = offer
    return found


class _Registries:
    """Registries by their folders, each loaded once until ``cache_clear``."""

    def __call__(self, folders: Sequence[Path | str] = ()) -> Registry:
        """The registry of the installed plugins and of those in ``folders``.

        Raises:
            PluginError: a folder that does not exist, a plugin that cannot be loaded, or a clash.
        """
        for folder in folders:
            if not isinstance(folder, (str, Path)):
                raise PluginError(
                    f"a folder of plugins must be a path, got {repr(folder)[:60]}; name a folder"
                )
        return _load(tuple(Path(folder) for folder in folders))

    def cache_clear(self) -> None:
        """Forgets every registry: the next call looks at the folders anew."""
        _load.cache_clear()


@lru_cache(maxsize=8)
def _load(folders: tuple[Path, ...]) -> Registry:
    return Registry(folders)


registry = _Registries()
"""The registry of some folders, given as paths or as text; the same folders are loaded once."""
