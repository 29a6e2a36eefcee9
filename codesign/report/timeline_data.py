"""What the script of a page draws, as JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codesign.report.figures.colours import GREY, TIME_COLOURS, ordered, part_colours
from codesign.report.items import Flow, Items, Slices
from codesign.report.names import shown
from codesign.report.saved import Saved


def timeline_data(saved: Saved, items: Items) -> dict[str, Any]:
    """Tracks with their slices or rates; times are whole picoseconds, names a table of texts."""
    names: dict[str, int] = {}
    parts = part_colours(saved)
    colours = ordered(causes_of(items), TIME_COLOURS)
    tracks = [
        _path(track, names, colours)
        if track.is_path
        else _engine(track, names, parts.get(track.name, GREY))
        for track in items.slices
    ]
    tracks += [_flow(flow, parts.get(flow.name, GREY)) for flow in items.flows]
    key = [[shown(name, 60), colour] for name, colour in colours.items()]
    return {"makespan": items.makespan, "names": list(names), "tracks": tracks, "key": key}


def _engine(track: Slices, names: dict[str, int], colour: str) -> dict[str, Any]:
    own = list(dict.fromkeys(track.sorts))
    found = _slices(track, names, own, track.sorts) | {
        "colour": colour,
        "busy": track.busy.tolist(),
    }
    if track.used is not None:
        found["used"] = round(track.used, 6)
    if (track.lengths != track.ends - track.starts).any():
        found["lengths"] = track.lengths.tolist()
    return found


def causes_of(items: Items) -> list[str]:
    """Causes on the critical path, those of folded slices too."""
    paths = [one for one in items.slices if one.is_path]
    return list(dict.fromkeys(cause for one in paths for some in one.shares for cause, _ in some))


def _path(track: Slices, names: dict[str, int], colours: Mapping[str, str]) -> dict[str, Any]:
    """Slices of several causes, which took turns, have the picoseconds of each in ``mixes``."""
    places = {cause: place for place, cause in enumerate(colours)}
    mixes = {
        str(at): [[places[cause], ticks] for cause, ticks in shares]
        for at, shares in enumerate(track.shares)
        if len(shares) > 1
    }
    found = _slices(track, names, list(colours), [shares[0][0] for shares in track.shares])
    return found | {"colours": list(colours.values()), "mixes": mixes}


def _slices(
    track: Slices,
    names: dict[str, int],
    own: Sequence[str],
    sorts: Sequence[str],
) -> dict[str, Any]:
    places = {sort: place for place, sort in enumerate(own)}
    return {
        "name": shown(track.name, 60),
        "starts": track.starts.tolist(),
        "ends": track.ends.tolist(),
        "labels": [names.setdefault(shown(label, 160), len(names)) for label in track.labels],
        "sorts": [places[sort] for sort in sorts],
        "kinds": [shown(sort, 60) for sort in own],
    }


def _flow(flow: Flow, colour: str) -> dict[str, Any]:
    return {
        "name": shown(flow.name, 60),
        "edges": [round(edge) for edge in flow.rate.edges.tolist()],
        "values": [round(value) for value in flow.rate.values.tolist()],
        "full": round(flow.full),
        "peak": bool(flow.peak),
        "colour": colour,
    }
