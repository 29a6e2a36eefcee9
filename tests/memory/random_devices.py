"""Random devices that pass the check, and random streams for them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from codesign.memory.controller import Controller
from codesign.memory.device import CommandBus, Device, Organisation, Rail, Timings
from codesign.memory.mapping import FIELDS, AddressMapping
from codesign.memory.streams import Stream

TWO = st.sampled_from([1, 2])
FOUR = st.sampled_from([1, 2, 4])
ORGANISATIONS = st.builds(
    Organisation,
    channels=TWO,
    pseudo_channels=TWO,
    ranks=TWO,
    bank_groups=FOUR,
    banks_per_group=FOUR,
    rows=st.just(64),
    columns=st.just(64),
    device_width=st.sampled_from([8, 16, 64]),
    bus_width=st.just(64),
    burst_length=st.sampled_from([4, 8]),
)
BUSES = st.builds(CommandBus, activate=TWO, precharge=TWO, column=TWO, separate=st.booleans())


@st.composite
def timings(draw: st.DrawFn) -> Timings:
    """Clocks in the order that a standard keeps: a row cycle is longer than what happens in it."""
    clocks = st.integers(1, 12)
    short, burst = draw(clocks), draw(st.sampled_from([2, 4, 8]))
    trcd_read, trcd_write, cl, trp = (draw(st.integers(4, 24)) for _ in range(4))
    tras = 24 + draw(clocks)
    trfc = draw(st.integers(60, 200))
    return Timings(
        tck_ps=draw(st.sampled_from([416, 625, 1000])),
        cl=cl,
        cwl=draw(st.integers(1, cl)),
        burst=burst,
        trcd_read=trcd_read,
        trcd_write=trcd_write,
        trp=trp,
        tras=tras,
        trc=tras + trp + draw(st.integers(0, 4)),
        tccd_s=min(short, 8),
        tccd_l=min(short, 8) + draw(st.integers(0, 4)),
        trrd_s=short,
        trrd_l=short + draw(clocks),
        tfaw=4 * short + draw(clocks),
        twtr_s=short,
        twtr_l=short + draw(clocks),
        trtw=max(1, cl + burst + 2 - draw(clocks)),
        trtp=draw(st.integers(0, 12)),
        twr=draw(clocks),
        trtrs=draw(st.integers(0, 3)),
        trfc=trfc,
        trfc_bank=draw(st.integers(30, trfc)),
        trrefd=draw(clocks),
        trefi=draw(st.integers(3000, 6000)),
        txp=draw(clocks),
        txs=12 + trfc,
    )


@st.composite
def rails(draw: st.DrawFn, t: Timings) -> Rail:
    """Currents of which each is at least the background that it stands on."""
    step = st.floats(0, 0.05)
    idd2p = draw(step)
    idd2n = idd2p + 1e-3 + draw(step)  # standby always takes something
    idd3n = idd2n + draw(step)
    cycle = (idd3n * t.tras + idd2n * (t.trc - t.tras)) / t.trc
    return Rail(
        voltage=draw(st.floats(0.5, 2.5)),
        idd0=cycle * (1 + 1e-9) + draw(step),
        idd2n=idd2n,
        idd2p=idd2p,
        idd3n=idd3n,
        idd3p=idd3n - draw(st.floats(0, 1)) * (idd3n - idd2p),
        idd4r=idd3n + draw(step),
        idd4w=idd3n + draw(step),
        idd5=idd3n + draw(step),
        idd5_bank=idd3n + draw(step),
        idd6=draw(step),
    )


CONTROLLERS = st.builds(
    Controller,
    style=st.sampled_from(["dramsim3", "ramulator", "ideal"]),
    read_entries=st.sampled_from([1, 4, 32]),
    write_entries=st.sampled_from([1, 4, 32]),
    bank_entries=st.sampled_from([1, 8]),
    row_hit_cap=st.sampled_from([1, 4]),
    row_policy=st.sampled_from(["open", "closed"]),
    refresh=st.sampled_from(["all_bank", "per_bank", "none"]),
    offers_per_clock=st.sampled_from([1, 16]),
    shared_injection=st.booleans(),
)


@st.composite
def devices(draw: st.DrawFn) -> Device:
    """A device with a controller of any style."""
    t = draw(timings())
    return Device(
        name="random",
        organisation=draw(ORGANISATIONS),
        timings=t,
        bus=draw(BUSES),
        mapping=AddressMapping(tuple(draw(st.permutations(FIELDS)))),
        controller=draw(CONTROLLERS),
        rails=(("vdd", draw(rails(t))), ("vpp", draw(rails(t)))),
        io_j_per_bit=draw(st.sampled_from([0.0, 2e-12])),
    )


@st.composite
def streams(draw: st.DrawFn, device: Device) -> Stream:
    """Up to 40 reads and writes anywhere in a device, at once or with pauses."""
    organisation = device.organisation
    places = organisation.capacity_bytes // organisation.transaction_bytes
    wanted = draw(
        st.lists(
            st.tuples(st.integers(0, places - 1), st.booleans(), st.sampled_from([0, 0, 0, 7, 90])),
            min_size=1,
            max_size=40,
        )
    )
    address, write, pauses = zip(*wanted, strict=True)
    return Stream(
        np.array(address, dtype=np.int64) * organisation.transaction_bytes,
        np.array(write, dtype=np.bool_),
        np.cumsum(np.array(pauses, dtype=np.int64)),
    )


@st.composite
def devices_with_streams(draw: st.DrawFn) -> tuple[Device, Stream]:
    """A device and requests for it."""
    device = draw(devices())
    return device, draw(streams(device))
