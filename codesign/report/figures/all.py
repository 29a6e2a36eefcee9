"""All figures of a result, by the name of their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from codesign.report.figures.amounts import draw_energy, draw_traffic
from codesign.report.figures.banks import draw_banks
from codesign.report.figures.kit import Drawn
from codesign.report.figures.path import draw_path
from codesign.report.figures.residency import draw_residency
from codesign.report.figures.roofline import draw_roofline
from codesign.report.figures.timeline import draw_timeline
from codesign.report.saved import Saved

_ALWAYS: Mapping[str, Callable[[Saved], Drawn]] = {
    "timeline": draw_timeline,
    "energy": draw_energy,
    "bytes": draw_traffic,
    "roofline": draw_roofline,
}


def figures_of(saved: Saved) -> dict[str, Callable[[Saved], Drawn]]:
    """The figures that a result has something to show in."""
    found = dict(_ALWAYS)
    if saved.residency is not None:
        found["residency"] = draw_residency
    if saved.off_chip:
        found["dram"] = draw_banks
    if saved.why is not None:
        found["critical-path"] = draw_path
    return found
