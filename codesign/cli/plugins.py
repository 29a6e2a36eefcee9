"""The commands below ``codesign plugins``."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codesign.cli.options import Json, Plugins
from codesign.cli.output import headed, print_json, print_rich, table
from codesign.errors import PluginError, did_you_mean

if TYPE_CHECKING:
    from codesign.hardware.component import Component
    from codesign.plugins import Registry

app = typer.Typer(help="Look at plugins.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_plugins(plugins: Plugins = None, json: Json = False) -> None:
    """List the loaded plugins, where each came from and what it offers."""
    found = _contents(_load(plugins))
    if json:
        print_json([{"name": name, **content} for name, content in found.items()])
        return
    rows = [
        (name, content["origin"], "; ".join(_brief(*offer) for offer in content["offers"].items()))
        for name, content in found.items()
    ]
    print_rich(table("", ("=plugin", "=origin", "~offers"), rows))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A component kind or a plugin.")],
    plugins: Plugins = None,
    json: Json = False,
) -> None:
    """Show the fields of a component kind, or everything that a plugin offers."""
    offers = _load(plugins)
    kinds, contents = offers.components(), _contents(offers)
    if name in kinds:
        owner = offers.offers("codesign_components")[name]
        _show_kind(kinds[name], owner.owner, owner.origin, json)
    elif name in contents:
        _show_plugin(name, contents[name], json)
    else:
        known = {*kinds, *contents}
        raise PluginError(f"unknown kind or plugin {name[:60]!r}{did_you_mean(name[:60], known)}")


def _load(folders: Plugins) -> Registry:
    from codesign.plugins import registry

    return registry(folders or ())


def _contents(offers: Registry) -> dict[str, dict[str, Any]]:
    """Origin, and names offered by hook, of every plugin."""
    from codesign import hookspecs

    found: dict[str, dict[str, Any]] = {
        name: {"origin": origin, "offers": {}} for name, origin in offers.plugins().items()
    }
    for hook in sorted(name for name in vars(hookspecs) if name.startswith("codesign_")):
        for offer in offers.offers(hook).values():
            found[offer.owner]["offers"].setdefault(hook, []).append(offer.name)
    return found


def _brief(hook: str, names: list[str]) -> str:
    number = f" ({len(names)})" if len(names) > 1 else ""
    return f"{_title(hook)}{number}: {', '.join(names)}"


def _title(hook: str) -> str:
    return re.sub("codesign_(register_)?", "", hook).replace("_", " ")


def _show_kind(kind: type[Component], owner: str, origin: str, json: bool) -> None:
    from codesign.cli.fields import fields_of, first_line

    fields = fields_of(kind)
    if json:
        facts = {"kind": kind.kind, "plugin": owner, "origin": origin, "doc": first_line(kind)}
        print_json(facts | {"fields": [asdict(field) for field in fields]})
        return
    rows = [
        (f.name, f.type, f.unit, "required" if f.default is None else f.default, f.doc)
        for f in fields
    ]
    print_rich(
        headed(kind.kind, f" (plugin {owner}, {origin})"),
        first_line(kind),
        "",
        table("", ("=field", "type", "=unit", "default", "meaning"), rows),
    )


def _show_plugin(name: str, content: dict[str, Any], json: bool) -> None:
    if json:
        print_json({"plugin": name, **content})
        return
    rows = [(_title(hook), item) for hook, names in content["offers"].items() for item in names]
    print_rich(headed(name, f" ({content['origin']})"), "", table("", ("=hook", "offers"), rows))
