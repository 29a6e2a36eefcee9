"""The commands below ``codesign plugins``."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codesign.cli import plugin_kit
from codesign.cli.options import Json, Plugins
from codesign.cli.output import headed, print_json, print_note, print_rich, table
from codesign.errors import PluginError, did_you_mean
from codesign.hookspecs import HOOKS

if TYPE_CHECKING:
    from codesign.hardware.component import Component
    from codesign.plugins import Registry

app = typer.Typer(
    help="Look at plugins, check them, and begin one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command()(plugin_kit.check)
app.command()(plugin_kit.new)


@app.command("list")
def list_plugins(plugins: Plugins = None, json: Json = False) -> None:
    """List the plugins, where each came from and what it offers, or why it is not there."""
    from codesign.plugins import Registry

    found = _contents(Registry(plugins or (), is_strict=False))
    if json:
        print_json([{"name": name, **content} for name, content in found.items()])
        return
    rows = [(name, _origin(content), _state(content)) for name, content in found.items()]
    print_rich(table("", ("=plugin", "=origin", "~offers"), rows))
    for name, content in found.items():
        if content["state"] == "failed":
            print_note(f"plugin {name!r} {content['reason']}")


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
    """Origin, state, and names offered by hook, of every plugin."""
    offered: dict[str, dict[str, list[str]]] = {}
    for hook in HOOKS:
        for offer in sorted(offers.found(hook), key=lambda offer: offer.name):
            offered.setdefault(offer.owner, {}).setdefault(hook, []).append(offer.name)
    found = {}
    for source in offers.sources():
        content = asdict(source)
        found[content.pop("name")] = {**content, "offers": offered.get(source.name, {})}
    return found


def _origin(content: dict[str, Any]) -> str:
    """Where it is from; what ships needs no distribution, a file has none."""
    origin, distribution = str(content["origin"]), content["distribution"]
    if distribution in ("", "codesign"):
        return origin
    return f"{origin} ({distribution} {content['version']})"


def _state(content: dict[str, Any]) -> str:
    """What it offers, or why it offers nothing."""
    if content["state"] != "loaded":
        return f"{content['state'].upper()}: {content['reason']}"
    return "; ".join(_brief(*offer) for offer in content["offers"].items())


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
