"""The commands below ``codesign hardware``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codesign.cli.options import Json, Plugins
from codesign.cli.output import headed, print_json, print_rich, table
from codesign.cli.quantities import quantity, size

if TYPE_CHECKING:
    from rich.text import Text

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
        headed(machine.name, f": {machine.description}" * bool(machine.description)),
        f"components: {', '.join(f'{name} ({kind})' for kind, name in kinds)}",
        *_devices(machine),
        f"precision: {machine.precision or 'that of the model'}; digest: {machine.digest[:12]}",
        "",
        table("", ("=value", "", "=status", "source"), _rows(machine)),
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


def _devices(machine: Hardware) -> Iterator[Text]:
    """One line for each memory that is a DRAM device: what it amounts to on all its channels."""
    from rich.text import Text

    from codesign.memory.device import Device

    for memory in machine.memories:
        device = getattr(memory, "part", None)
        if isinstance(device, Device):
            channels = device.organisation.channels
            yield Text(
                f"{memory.name}: {device.name} on {channels} channel{'s' * (channels > 1)}, "
                f"{size(device.organisation.capacity_bytes)}, peak "
                f"{quantity(device.peak_bytes_per_s, 'B/s')}"
            )


def _rows(machine: Hardware) -> list[tuple[str, str, str, str]]:
    """One row per value; entries of a table that share their origin are one row."""
    rows: dict[tuple[str, str, str, str], list[Provenance]] = {}
    for row in machine.sources:
        key = (row.component, row.field.partition(".")[0], row.status, row.source)
        rows.setdefault(key, []).append(row)
    return [
        (f"{component}.{group[0].field}", _value(machine, group[0]), status, source)
        if len(group) == 1
        else (f"{component}.{field}", f"{len(group)} entries", status, source)
        for (component, field, status, source), group in rows.items()
    ]


def _value(machine: Hardware, row: Provenance) -> str:
    """A value as it was written; a bare number with the unit of its field."""
    from codesign.hardware.estimates import unit_of

    unit = unit_of(type(machine.components[row.component]), row.field.partition(".")[0])
    try:
        number = float(row.value)
    except ValueError:
        return row.value
    if unit in ("", "1"):
        return row.value
    return size(round(number)) if unit == "B" else quantity(number, unit)


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
