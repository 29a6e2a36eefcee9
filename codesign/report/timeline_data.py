"""What the script of a page draws, as JSON values."""

from __future__ import annotations

from typing import Any

from codesign.report.figures.kit import COLOURS, GREY, colours_of
from codesign.report.items import Flow, Items, Slices
from codesign.report.names import shown


def timeline_data(items: Items) -> dict[str, Any]:
    """Tracks with their slices or rates; times are whole picoseconds, names a table of texts."""
    sorts = dict.fromkeys(sort for track in items.slices for sort in track.sorts if sort)
    colours = colours_of(list(sorts))
    names: dict[str, int] = {}
    tracks = [_slices(track, names, colours | {"": GREY}) for track in items.slices]
    tracks += [_flow(flow) for flow in items.flows]
    key = [[shown(name, 60), colour] for name, colour in colours.items()]
    if any("" in track.sorts for track in items.slices):
        key.append(["folded or of no kind", GREY])
    return {"makespan": items.makespan, "names": list(names), "tracks": tracks, "key": key}


def _slices(track: Slices, names: dict[str, int], colours: dict[str, str]) -> dict[str, Any]:
    own = list(dict.fromkeys(track.sorts))
    return {
        "name": shown(track.name, 60),
        "starts": track.starts.tolist(),
        "ends": track.ends.tolist(),
        "labels": [names.setdefault(shown(label, 160), len(names)) for label in track.labels],
        "sorts": [own.index(sort) for sort in track.sorts],
        "colours": [colours[sort] for sort in own],
    }


def _flow(flow: Flow) -> dict[str, Any]:
    values = [round(value) for value in flow.rate.values.tolist()]
    return {
        "name": shown(flow.name, 60),
        "edges": [round(edge) for edge in flow.rate.edges.tolist()],
        "values": values,
        "most": round(max(flow.peak, *values)) if values else 0,
        "colour": COLOURS[4],
    }
