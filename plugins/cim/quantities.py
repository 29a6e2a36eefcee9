"""Numbers in the fields of macros, with their units and bounds."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le

from codesign.units import Joules, Seconds, Unit

Share = Annotated[float, Ge(0), Le(1), Unit("1")]
"""A part of a whole."""
Exponent = Annotated[float, Ge(0), Le(10), Unit("1")]
"""A power that something grows with."""
SquareMetres = Annotated[float, Gt(0), Le(1), Unit("m2")]
"""An area up to 1 m2, a plain number."""
PositiveSeconds = Annotated[Seconds, Gt(0)]
"""A time that cannot be nothing."""
PositiveJoules = Annotated[Joules, Gt(0)]
"""An energy that cannot be nothing."""
Writes = Annotated[float, Ge(0), Le(1e18), Unit("1")]
"""How often something is written."""
Pulses = Annotated[float, Ge(1), Le(1e6), Unit("1")]
"""Pulses of a write, on average."""
