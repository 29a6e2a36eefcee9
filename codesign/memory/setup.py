"""The arrays that a run starts with."""

from __future__ import annotations

import math

import numpy as np

from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.device import Device
from codesign.memory.gates import gate_table, slots_of
from codesign.memory.layout import Ints, State
from codesign.memory.mapping import decode
from codesign.memory.streams import Stream

COMMANDS_PER_REQUEST = 8
"""Room in the log for each request: activate in two halves, synchronise, precharge, column, and
refreshes."""


def fresh_state(device: Device, stream: Stream, log: bool) -> State:
    """All banks closed, all queues empty, all requests outside."""
    organisation, n = device.organisation, len(stream.address)
    channels, ranks = organisation.channels, organisation.channels * organisation.channel_ranks
    banks = ranks * organisation.rank_banks
    channel_banks = organisation.channel_ranks * organisation.rank_banks
    width = max(device.controller.bank_entries, channel_banks, *_entries(device, n))
    log_rows = COMMANDS_PER_REQUEST * n + 1000 * ranks if log else 0
    return State(
        parameters=_parameters(device, n),
        gates=gate_table(device),
        bank=_banks(device),
        group=_zeros(ranks * organisation.bank_groups, c.COMMANDS),
        rank=_ranks(device),
        channel=_channels(device),
        queue=_zeros(banks + 3 * channels, width),
        request=_requests(device, stream),
        counters=_zeros(f.COUNTERS),
        log=_zeros(log_rows, 5),
    )


def _zeros(*shape: int) -> Ints:
    return np.zeros(shape, dtype=np.int64)


def _entries(device: Device, requests: int) -> tuple[int, int]:
    controller = device.controller
    if controller.style == "ideal":
        return max(requests, 1), max(requests, 1)
    return controller.read_entries, controller.write_entries


def _parameters(device: Device, requests: int) -> Ints:
    organisation, t, controller = device.organisation, device.timings, device.controller
    read_entries, write_entries = _entries(device, requests)
    wck = t.burst + t.twck_hold
    values = {
        f.BANKS: organisation.rank_banks,
        f.RANKS: organisation.channel_ranks,
        f.SIBLINGS: organisation.ranks,
        f.T_FAW: t.tfaw,
        f.READ_CLOCKS: t.cl + t.burst,
        f.HALF_CLOCK: int(device.bus.half_clock),
        f.DUAL: int(device.bus.separate),
        f.READ_ENTRIES: read_entries,
        f.WRITE_ENTRIES: write_entries,
        f.BANK_ENTRIES: controller.bank_entries,
        f.HIT_CAP: controller.row_hit_cap,
        f.CLOSED_POLICY: int(controller.row_policy == "closed"),
        f.WRITE_HIGH: math.floor(controller.write_high * write_entries),
        f.WRITE_LOW: math.ceil(controller.write_low * write_entries),
        f.REFRESH_INTERVAL: _refresh_interval(device),
        f.REFRESH_UNITS: _refresh_units(device),
        f.REFRESH_BANK: int(controller.refresh == "per_bank"),
        f.T_AAD: t.taad,
        f.WCK_READ: t.cl + wck if t.twck_hold >= 0 else 0,
        f.WCK_WRITE: t.cwl + wck if t.twck_hold >= 0 else 0,
        f.GROUPS: organisation.bank_groups,
        f.GROUP_BANKS: organisation.banks_per_group,
        f.OFFERS: max(requests, 1) if controller.style == "ideal" else controller.offers_per_clock,
        f.BANK_QUEUES: int(controller.style == "dramsim3"),
    }
    numbers = _zeros(f.PARAMETERS)
    for at, value in values.items():
        numbers[at] = value
    numbers[f.SLOTS :] = slots_of(device.bus)
    return numbers


def _refresh_units(device: Device) -> int:
    """Ranks that become due together: all of them, but one after the other with bank queues."""
    controller = device.controller
    if controller.refresh == "per_bank" or controller.style == "dramsim3":
        return 1
    return device.organisation.channel_ranks


def _refresh_interval(device: Device) -> int:
    controller, organisation = device.controller, device.organisation
    if controller.refresh == "none":
        return int(c.NEVER)
    parts = organisation.channel_ranks // _refresh_units(device)
    if controller.refresh == "per_bank":
        parts *= organisation.rank_banks
    return max(1, device.timings.trefi // parts)


def _banks(device: Device) -> Ints:
    organisation = device.organisation
    ranks = organisation.channels * organisation.channel_ranks
    number = np.arange(ranks * organisation.rank_banks)
    banks = _zeros(len(number), f.BANK_FIELDS)
    banks[:, f.ROW] = -1
    banks[:, f.B_GROUP] = number // organisation.banks_per_group
    banks[:, f.B_RANK] = number // organisation.rank_banks
    banks[:, [f.HIT_READ, f.HIT_WRITE]] = -1
    return banks


def _ranks(device: Device) -> Ints:
    organisation = device.organisation
    number = np.arange(organisation.channels * organisation.channel_ranks)
    ranks = _zeros(len(number), f.RANK_FIELDS)
    ranks[:, f.FIRST_SIBLING] = number // organisation.ranks * organisation.ranks
    ranks[:, f.DIRECTION] = -1
    ranks[:, f.LAST_FOUR : f.RANK_READY] = c.NO_GATE
    return ranks


def _channels(device: Device) -> Ints:
    organisation = device.organisation
    number = np.arange(organisation.channels)
    channels = _zeros(len(number), f.CHANNEL_FIELDS)
    # the bank-queue tool counts its clocks from 0, one behind ours
    late = int(device.controller.style == "dramsim3")
    channels[:, f.REF_NEXT] = _refresh_interval(device) + late
    channels[:, [f.PLAN + f.TIME, f.ROW_PLAN + f.TIME]] = c.NEVER
    channels[:, f.POINTER] = number * organisation.channel_ranks * organisation.rank_banks
    channels[:, f.ACT2_REQUEST] = -1
    banks = len(number) * organisation.channel_ranks * organisation.rank_banks
    for queue, field in enumerate((f.READ_ROW, f.WRITE_ROW, f.ACTIVE_ROW)):
        channels[:, field] = banks + queue * len(number) + number
    return channels


def _requests(device: Device, stream: Stream) -> Ints:
    organisation = device.organisation
    part = decode(stream.address, device.mapping, organisation)
    rank = (part["ch"] * organisation.pseudo_channels + part["pc"]) * organisation.ranks + part[
        "ra"
    ]
    group = rank * organisation.bank_groups + part["bg"]
    requests = _zeros(len(stream.address), f.REQUEST_FIELDS)
    requests[:, f.BANK_OF] = group * organisation.banks_per_group + part["ba"]
    requests[:, f.ROW_OF] = part["ro"]
    requests[:, f.KEY] = stream.address // organisation.transaction_bytes
    requests[:, f.WRITE] = stream.write
    requests[:, f.OFFERED] = stream.arrival
    requests[:, f.CHANNEL_OF] = part["ch"]
    requests[:, f.TWIN] = -1
    return requests
