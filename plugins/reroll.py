"""Unrolled steps of a recurrent cell become one region, before any pass looks at single steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from codesign.hookspecs import hookimpl
from codesign.workload.record import Trace
from codesign.workload.reroll import reroll


@hookimpl
def codesign_fusion_passes() -> Mapping[str, Callable[[Trace], Trace]]:
    """First of all: fused steps at the ends of a loop would differ from those in its middle."""
    return {"10-reroll": reroll}
