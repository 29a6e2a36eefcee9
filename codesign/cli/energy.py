"""The commands below ``codesign energy``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from codesign.cli.options import Json, Plugins
from codesign.cli.output import headed, print_json, print_rich, table

if TYPE_CHECKING:
    from codesign.energy import EnergyTables, Estimate, Query, Row

app = typer.Typer(
    help="Look at the tables of on-chip energy.", no_args_is_help=True, rich_markup_mode=None
)

Tables: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        help="CSV file of your own rows, or a folder of them, in front of the shipped ones; "
        "may be repeated.",
        metavar="FILE",
    ),
]
Word: TypeAlias = Annotated[str | None, typer.Option(metavar="X", show_default=False)]
Whole: TypeAlias = Annotated[int | None, typer.Option(metavar="N", show_default=False)]


@app.command("list")
def list_components(tables: Tables = None, plugins: Plugins = None, json: Json = False) -> None:
    """List the components of the tables with their actions, tools and nodes."""
    _list(_load(tables, plugins), json)


@app.command()
def show(
    component: Annotated[
        str | None, typer.Argument(help="A component; without one all are listed.")
    ] = None,
    action: Word = None,
    node: Word = None,
    voltage: Word = None,
    size: Word = None,
    width: Word = None,
    banks: Whole = None,
    type: Word = None,
    format: Word = None,
    bits: Whole = None,
    activation_bits: Whole = None,
    weight_bits: Whole = None,
    accumulator_bits: Whole = None,
    length: Word = None,
    state: Word = None,
    count: Whole = None,
    estimator: Word = None,
    tables: Tables = None,
    plugins: Plugins = None,
    json: Json = False,
) -> None:
    """Show what a component costs, by which rows, and how far the tools differ."""
    given = {
        "action": action,
        "node": node,
        "voltage": voltage,
        "size": size,
        "width": width,
        "banks": banks,
        "type": type,
        "format": format,
        "bits": bits,
        "activation_bits": activation_bits,
        "weight_bits": weight_bits,
        "accumulator_bits": accumulator_bits,
        "length": length,
        "state": state,
        "count": count,
        "estimator": estimator,
    }
    words = {key: _number(value) for key, value in given.items() if value is not None}
    known = _load(tables, plugins)
    if component is None:
        _list(known, json)
        return
    found = _answers(known, {"component": component, **words})
    if json:
        print_json([_content(*answer) for answer in found])
        return
    asked = ", ".join(f"{key} {value}" for key, value in words.items() if key != "action")
    width_bits = found[0][1].width_bits
    port = f"; an access of {width_bits:g} bit" if width_bits else ""
    print_rich(
        headed(component, f": {asked or 'as tabulated'}{port}"),
        "",
        table("", ("=quantity", ">value", ">per byte", "=status", "how"), _bests(found)),
        "",
        table(
            "All tools",
            ("=quantity", "=tool", ">value", ">ratio", "=status", "source"),
            _all(found),
        ),
    )


Answer: TypeAlias = "tuple[str, Query, tuple[Estimate, ...]]"
"""Name of a quantity, the question, and all answers, the best first."""


def _load(tables: Sequence[Path] | None, plugins: Plugins) -> EnergyTables:
    from codesign.energy import read_tables
    from codesign.plugins import registry

    return registry(plugins or ()).tables().with_rows(read_tables(tables or ()))


def _number(value: object) -> object:
    """Options are text; a bare number is one."""
    if not isinstance(value, str):
        return value
    try:
        return float(value) if "." in value or "e" in value else int(value)
    except ValueError:
        return value


def _answers(tables: EnergyTables, words: Mapping[str, object]) -> list[Answer]:
    """Every quantity that there are rows for; actions one by one."""
    from codesign.energy import NoRowError, read_query

    acting = {key: value for key, value in words.items() if key not in ("state", "count")}
    still = {key: value for key, value in words.items() if key not in ("action", "state")}
    state = {key: value for key, value in words.items() if key == "state"}
    first = read_query(acting)
    actions = [first.action] if first.action else tables.actions(first.component)
    found: list[Answer] = []
    for action in actions:
        query = tables.complete(read_query({**acting, "action": action}))
        found.append((action, query, tables.rivals(query)))
    questions = [
        ("latency", read_query({**acting, "action": actions[0]}, "latency")),
        ("area", read_query(still, "area")),
        ("leakage", read_query({**still, **state}, "leakage")),
    ]
    for name, query in questions:
        with suppress(NoRowError):  # nobody has tabulated it
            found.append((name, tables.complete(query), tables.rivals(query)))
    return found


def _bests(found: Sequence[Answer]) -> list[tuple[str, ...]]:
    from codesign.energy import figure

    return [
        (
            name,
            figure(best.value, best.unit),
            figure(best.value * 8 / query.width_bits, "J/B")
            if best.unit == "J" and query.width_bits
            else "",
            best.status,
            best.summary or "a row as it stands",
        )
        for name, query, (best, *_) in found
    ]


def _all(found: Sequence[Answer]) -> list[tuple[str, ...]]:
    from codesign.energy import figure

    return [
        (
            name if place == 0 else "",
            f"{one.tool} (yours)" if one.is_own else one.tool,
            figure(one.value, one.unit),
            f"{one.value / many[0].value:.2f}x" if many[0].value else "",
            one.status,
            one.source,
        )
        for name, _, many in found
        for place, one in enumerate(many)
    ]


def _content(name: str, query: Query, many: Sequence[Estimate]) -> dict[str, Any]:
    def facts(one: Estimate) -> dict[str, Any]:
        return {
            "value": one.value,
            "unit": one.unit,
            "tool": one.tool,
            "status": one.status,
            "yours": one.is_own,
            "flags": list(one.flags),
            "notes": [note.text for note in one.notes],
            "source": one.source,
            "rows": [asdict(row) for row in one.rows],
        }

    best, *others = many
    asked = {key: value for key, value in asdict(query).items() if value not in (None, "")}
    return {
        "name": name,
        "asked": asked,
        **facts(best),
        "spread": best.spread,
        "rivals": [facts(one) for one in others],
    }


def _list(tables: EnergyTables, json: bool) -> None:
    rows: dict[str, list[Row]] = {name: [] for name in tables.components}
    for row in tables.rows:
        rows[row.component].append(row)
    found = [_contents(tables, name, mine) for name, mine in rows.items()]
    if json:
        print_json(found)
        return
    heads = ("=component", "=actions", ">rows", "=nodes, nm", "tools", "statuses")
    lines = [
        (
            facts["component"],
            ", ".join(facts["actions"]),
            str(facts["rows"]),
            ", ".join(f"{node:g}" for node in facts["nodes_nm"]) or "-",
            ", ".join(facts["tools"]) or "from its parts",
            ", ".join(facts["statuses"]),
        )
        for facts in found
    ]
    print_rich(table("", heads, lines))


def _contents(tables: EnergyTables, name: str, rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "component": name,
        "actions": list(tables.actions(name)),
        "rows": len(rows),
        "tools": list(dict.fromkeys(row.tool for row in rows)),
        "nodes_nm": sorted({row.node_nm for row in rows if row.node_nm is not None}),
        "statuses": sorted({row.status for row in rows}),
    }
