"""A device that can rest, policies, and the time that a memory may be idle."""

from __future__ import annotations

from dataclasses import fields, replace

from hypothesis import strategies as st
from memory_devices import DEVICE

from codesign.memory.idle import IdlePolicy
from codesign.memory.power import StateWatts

RESTING = replace(DEVICE, timings=replace(DEVICE.timings, txp=10, txs=576))
"""The test device with exit times."""
NEVER = IdlePolicy()
BOTH = IdlePolicy(power_down_after_s=100e-9, self_refresh_after_s=10e-6)
STATES = [field.name for field in fields(StateWatts)]

AFTER = st.one_of(st.none(), st.floats(0, 1e-4))


@st.composite
def policies(draw: st.DrawFn) -> IdlePolicy:
    down, own = draw(AFTER), draw(AFTER)
    if down is not None and own is not None and own <= down:
        own = down + 1e-6
    return IdlePolicy(
        power_down_after_s=down, self_refresh_after_s=own, rows_open=draw(st.booleans())
    )


POLICIES = policies()
PERIODS = st.integers(0, 1 << 30)
