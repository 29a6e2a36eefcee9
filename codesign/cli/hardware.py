"""The commands below ``codesign hardware``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codesign.cli.options import Json, Plugins
from codesign.cli.output import print_json, print_rich, table

if TYPE_CHECKING:
    from codesign.hardware.machine import Hardware
    from codesign.hardware.provenance import Provenance

app = typer.Typer(help="Look at hardware files.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_presets(plugins: Plugins = None, json: Json = False) -> None:
    """List the presets."""
    from codesign.hardware.spec import list_hardware

    presets = list_hardware(tuple(plugins or ()))
    if json:
        print_json([{"name": p.name, "description": p.description} for p in presets])
    else:
        rows = [(preset.name, preset.description) for preset in presets]
        print_rich(table("", ("=preset", "what it is"), rows))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A preset name or the path of a .yaml file.")],
    plugins: Plugins = None,
    json: Json = False,
) -> None:
    """Show every value of a hardware with its source and status."""
    from codesign.hardware.spec import load_hardware

    machine = load_hardware(name, plugins=tuple(plugins or ()))
    if json:
        print_json(_content(machine))
        return
    kinds = [(part.kind, name) for name, part in machine.components.items()]
    print_rich(
        f"[bold]{machine.name}[/bold]: {machine.description}",
        f"components: {', '.join(f'{name} ({kind})' for kind, name in kinds)}",
        f"precision: {machine.precision or 'that of the model'}; digest: {machine.digest[:12]}",
        "",
        table("", ("=value", "", "=status", "source"), _rows(machine.sources)),
    )


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The .yaml file to check.")],
    plugins: Plugins = None,
    json: Json = False,
) -> None:
    """Check a hardware file; exit code 2 and one line if it breaks a rule."""
    from codesign.hardware.spec import load_hardware

    machine = load_hardware(file, plugins=tuple(plugins or ()))
    facts = {
        "file": str(file),
        "name": machine.name,
        "components": len(machine.components),
        "values": len(machine.sources),
        "assumed": len(machine.assumed),
        "digest": machine.digest,
    }
    if json:
        print_json(facts)
    else:
        typer.echo(
            f"{file}: fine; {facts['components']} components, {facts['assumed']} of "
            f"{facts['values']} values have status assumed, digest {machine.digest[:12]}"
        )


def _rows(provenance: Iterable[Provenance]) -> list[tuple[str, str, str, str]]:
    """One row per value; entries of a table that share their origin are one row."""
    rows: dict[tuple[str, str, str, str], list[Provenance]] = {}
    for row in provenance:
        key = (row.component, row.field.partition(".")[0], row.status, row.source)
        rows.setdefault(key, []).append(row)
    return [
        (f"{component}.{group[0].field}", group[0].value, status, source)
        if len(group) == 1
        else (f"{component}.{field}", f"{len(group)} entries", status, source)
        for (component, field, status, source), group in rows.items()
    ]


def _content(machine: Hardware) -> dict[str, Any]:
    from dataclasses import asdict

    from codesign.hardware.build import adapter

    return {
        "name": machine.name,
        "description": machine.description,
        "precision": str(machine.precision) if machine.precision else None,
        "digest": machine.digest,
        "components": {
            name: {"kind": part.kind, **adapter(type(part)).dump_python(part, mode="json")}
            for name, part in machine.components.items()
        },
        "provenance": [asdict(row) for row in machine.sources],
    }
