"""Validation of SRAM compute-in-memory: beside another tool's closed form, and beside chips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codesign import hookimpl
from codesign.validation import Validation

from . import validation_peer, validation_silicon

__all__ = ["codesign_validations"]


@hookimpl
def codesign_validations() -> Mapping[str, Validation[Any]]:
    """Macros and layers of another tool, and fabricated macros."""
    peer = Validation(
        title="clock, energy, area and layer cycles of SRAM compute-in-memory macros",
        source="own runs of zigzag-dse 3.9.1 (MIT), a model, no silicon",
        note="nothing is fitted here, but the constants are the tool's, which its authors fitted "
        "to chips; its figures have six digits; it counts columns of a layer in fractions, ours "
        "in whole tiles, and digital products of a partly used tile switch",
        rows=validation_peer.rows,
        compare=lambda row: row.outcomes(),
        files=validation_peer.FILES,
    )
    silicon = Validation(
        title="clock, energy, area and efficiency of fabricated SRAM compute-in-memory macros",
        source="publications, as transcribed by zigzag-imc (df34a6f, BSD-3) and CiMLoop (d6e1390)",
        note="calibrated: constants were fitted to that chip, by us or by those whose they are; "
        "every efficiency says what it counts and how many operations a MAC is; beyond its node: "
        "what closed forms of 28 nm give for chips of 65 nm whose circuits they lack, with nothing "
        "fitted and in no summary with the others",
        rows=lambda _: validation_silicon.comparisons(),
        compare=lambda row: row(),
    )
    return {"cim": peer, "cim-silicon": silicon}
