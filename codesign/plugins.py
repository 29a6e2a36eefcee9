"""Finding plugins: entry points, folders given by the user, and a clear word when two clash."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, TypeVar

import pluggy

from codesign import hookspecs
from codesign.energy import EnergyTables, read_tables, shipped_tables
from codesign.errors import OF_OTHERS, PluginError
from codesign.hardware.component import Component
from codesign.plugin_answers import named_offers, wrong_hook
from codesign.plugin_choice import Choice, PluginWarning, Source
from codesign.plugin_files import contents, load_path, no_plugin, plugin_paths
from codesign.raised import raised

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
    """Everything that the loaded plugins offer, by hook and name.

    An installed plugin that fails is left out, and ``sources`` says why: what it offers is missing,
    all else works. One of a folder that the user gives fails at once, unless ``is_strict`` is
    false.
    """

    def __init__(self, folders: Sequence[Path | str] = (), *, is_strict: bool = True) -> None:
        """Looks for plugins and loads them.

        Args:
            folders: folders of plugin files, or single plugin files; ``no:NAME`` leaves an
                installed plugin or distribution out, ``only:NAME`` leaves out all others.
            is_strict: whether a plugin of a folder that fails is an error.

        Raises:
            PluginError: a folder that does not exist or holds no plugin, a rule that fits no
                installed plugin, two plugins of one name, or a plugin of a folder that fails.
        """
        self.manager = pluggy.PluginManager(GROUP)
        self.manager.add_hookspecs(hookspecs)
        self._sources: dict[str, Source] = {}
        self._copies: set[str] = set()
        self._is_strict = is_strict
        choice = Choice.of(folders)
        installed = sorted(entry_points(group=GROUP), key=lambda e: e.name)
        choice.check(map(_installed, installed) if choice.no or choice.only else ())
        for entry in installed:
            source = _installed(entry)
            rule = choice.blocked_by(source)
            if rule:
                self._claim(replace(source, state="blocked", reason=f"left out by {rule}"))
            else:
                self._register(source, entry.load)
        for folder in choice.folders:
            self._load_folder(folder)
        self._offers: dict[str, dict[str, Offer]] = {}
        self._tables: EnergyTables | None = None

    def offers(self, hook: str) -> Mapping[str, Offer]:
        """All offers of one hook by name.

        Raises:
            PluginError: two plugins offer the same name; both owners are named.
        """
        if hook not in self._offers:
            self._offers[hook] = _unique(self.found(hook))
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

    def own_kinds(self) -> dict[str, Source]:
        """Kinds of components that do not ship with codesign, and the plugins that offer them.

        A copy of a shipped plugin that equals it to the byte counts as shipped.
        """
        offers = self.offers("codesign_components").values()
        sources = {offer.name: self._sources[offer.owner] for offer in offers}
        return {
            kind: source
            for kind, source in sources.items()
            if not source.is_shipped and source.name not in self._copies
        }

    def get(self, hook: str) -> dict[str, Any]:
        """What one hook offers, by name."""
        return {name: offer.value for name, offer in self.offers(hook).items()}

    def folders(self) -> tuple[Path, ...]:
        """Folders with hardware presets."""
        return tuple(offer.value for offer in self.found("codesign_hardware_folders"))

    def tables(self) -> EnergyTables:
        """The energy tables that ship with codesign behind those of plugins, and estimators.

        Raises:
            EnergyError: a table of a plugin that breaks a rule; with file and line.
        """
        if self._tables is None:
            offered = self.found("codesign_energy_tables")
            rows = read_tables([offer.value for offer in offered])
            estimators = self.get("codesign_energy_estimators")
            self._tables = EnergyTables((*rows, *shipped_tables().rows), estimators)
        return self._tables

    def plugins(self) -> dict[str, str]:
        """Loaded plugins and where each came from."""
        return {one.name: one.origin for one in self.sources() if one.state == "loaded"}

    def sources(self) -> tuple[Source, ...]:
        """Every plugin that was found, those that failed or are blocked among them."""
        return tuple(self._sources.values())

    def lost(self) -> str:
        """What failed, to end a message about a name that nobody offers; empty if nothing did."""
        return "".join(f"; {one.told()}" for one in self.sources() if one.state == "failed")

    def found(self, hook: str) -> list[Offer]:
        """All offers of one hook, those that clash among them, in the order of loading."""
        found = []
        for impl in getattr(self.manager.hook, hook).get_hookimpls():
            owner = impl.plugin_name
            source = self._sources[owner]
            try:
                named = named_offers(impl.function(), hook, impl.function)
            except OF_OTHERS as error:  # a plugin may fail in any way
                known = isinstance(error, PluginError)
                told = str(error) if known else f"{hook} raised {raised(error, impl.plugin)}"
                self._fail(source, f"failed: {told}", error)
                continue
            found += [Offer(hook, name, owner, source.origin, value) for name, value in named]
        return found

    def _fail(self, source: Source, reason: str, error: BaseException) -> None:
        """Leaves a plugin out that failed, if it is one that nobody asked for by name."""
        if self._is_strict and not source.distribution:
            place = f"plugin {source.name!r} ({source.origin})"
            raise PluginError(f"{place} {reason}") from error
        self._sources[source.name] = failed = replace(source, state="failed", reason=reason)
        if self._is_strict:
            warnings.warn(failed.told(), PluginWarning, stacklevel=4)

    def _load_folder(self, folder: Path) -> None:
        paths = plugin_paths(folder)
        sources = [Source(path.stem, str(path)) for path in paths]
        for path, source in zip(paths, sources, strict=True):
            self._drop_if_same(path)
            self._register(source, partial(load_path, path))
        if not any(self._is_plugin(source.name) for source in sources):
            raise PluginError(no_plugin(folder, paths))

    def _is_plugin(self, name: str) -> bool:
        """Whether a file has a hook, or failed before it could be asked for one."""
        return self._sources[name].state == "failed" or bool(
            self.manager.get_hookcallers(self.manager.get_plugin(name))
        )

    def _drop_if_same(self, path: Path) -> None:
        """A copy of a loaded plugin, to the byte, takes its place; an edited one is a clash."""
        loaded = self.manager.get_plugin(path.stem)
        source = getattr(loaded, "__file__", None)
        if source and contents(Path(source)) == contents(path):
            self.manager.unregister(loaded)
            if self._sources.pop(path.stem).is_shipped:
                self._copies.add(path.stem)

    def _claim(self, source: Source) -> None:
        if source.name in self._sources and self._sources[source.name].state != "blocked":
            raise PluginError(
                f"plugin {source.name!r} is offered by both {self._sources[source.name].origin} "
                f"and {source.origin}; rename one or leave one out"
            )
        self._sources[source.name] = source

    def _register(self, source: Source, load: Callable[[], object]) -> None:
        self._claim(source)
        try:
            plugin = load()
            self.manager.register(plugin, name=source.name)
            self.manager.check_pending()
        except OF_OTHERS as error:  # a plugin may fail in any way
            if self.manager.has_plugin(source.name):
                self.manager.unregister(name=source.name)
            self._fail(source, f"failed to load: {_why(error, source)}", error)


def _why(error: BaseException, source: Source) -> str:
    """Why a plugin does not load; a hook with other arguments is told in full."""
    if isinstance(error, pluggy.PluginValidationError):
        return wrong_hook(error.plugin) or " ".join(str(error).split())
    return raised(error, *_places(source))


def _places(source: Source) -> list[Path]:
    """The file, or the folder of the package, that a plugin is written in."""
    if not source.distribution:
        return [Path(source.origin)]
    with suppress(ImportError, ValueError):
        spec = importlib.util.find_spec(source.origin.partition(":")[0])
        if spec is not None:
            inside = spec.submodule_search_locations or [spec.origin or ""]
            return [Path(one) for one in inside if one]
    return []


def _installed(entry: EntryPoint) -> Source:
    """The plugin of an entry point."""
    about = entry.dist
    name, version = (about.name, about.version) if about else (GROUP, "")
    return Source(entry.name, str(entry.value), name, version)


def _unique(offers: Iterable[Offer]) -> dict[str, Offer]:
    found: dict[str, Offer] = {}
    for offer in sorted(offers, key=lambda o: (o.name, o.owner)):
        if offer.name in found:
            first = found[offer.name]
            if first.owner == offer.owner:
                raise PluginError(
                    f"plugin {offer.owner!r} ({offer.origin}) offers {offer.name!r} twice "
                    f"({offer.hook}); rename one or leave one out"
                )
            raise PluginError(
                f"{offer.name!r} is offered by both plugin {first.owner!r} ({first.origin}) and "
                f"plugin {offer.owner!r} ({offer.origin}); rename one or leave one out"
            )
        found[offer.name] = offer
    return found


class _Registries:
    """Registries by their folders, each loaded once until ``cache_clear``."""

    def __call__(self, folders: Sequence[Path | str] = ()) -> Registry:
        """The registry of the installed plugins and of those in ``folders``, see ``Registry``.

        Raises:
            PluginError: as of ``Registry``.
        """
        if isinstance(folders, (str, Path)) or not isinstance(folders, Iterable):
            raise PluginError(f"plugins must be a list of folders, got {str(folders)[:60]!r} alone")
        for folder in folders:
            if not isinstance(folder, (str, Path)):
                raise PluginError(
                    f"a folder of plugins must be a path, got {repr(folder)[:60]}; name a folder"
                )
        paths = tuple(Path(folder) for folder in folders)
        is_relative = not all(path.is_absolute() for path in paths)
        return _load(paths, Path.cwd() if is_relative else None)

    def cache_clear(self) -> None:
        """Forgets every registry: the next call looks at the folders anew."""
        _load.cache_clear()


@lru_cache(maxsize=8)
def _load(folders: tuple[Path, ...], _: Path | None) -> Registry:
    """The registry of some folders; from another current folder these may be others."""
    return Registry(folders)


registry = _Registries()
"""The registry of some folders, given as paths or as text; the same folders are loaded once."""
