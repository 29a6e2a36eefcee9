"""The numbers that a run starts with."""

from __future__ import annotations

import math

import numpy as np

from codesign.memory import commands as c
from codesign.memory import layout as f
from codesign.memory.device import Device
from codesign.memory.gates import gate_table, slots_of
from codesign.memory.mapping import decode
from codesign.memory.streams import Stream
from codesign.memory.tables import Table, Tables

COMMANDS_PER_REQUEST = 8
"""Room in the log for each request: activate in two halves, synchronise, precharge, column, and
refreshes."""


def fresh_tables(device: Device, stream: Stream, log: bool) -> Tables:
    """All banks closed, all queues empty, all requests outside."""
    tables = _room(device, len(stream.address), log)
    numbers = tables.numbers
    for at, value in (
        _places(tables) | _policies(device, len(stream.address)) | _timings(device)
    ).items():
        numbers[at] = value
    numbers[f.SLOTS : f.ODD] = slots_of(device.bus)
    numbers[[f.BUS + c.RD, f.BUS + c.WR]] = device.bus.separate
    if device.bus.half_clock:
        numbers[f.ODD : f.ODD + c.COMMANDS] = [
            name not in ("PRE", "PREA") for name in c.COMMAND_NAMES
        ]
    numbers[f.GATES : f.RECORDS] = gate_table(device).ravel()
    _fill_channels(device, tables)
    _fill_ranks(device, tables)
    _fill_banks(device, tables)
    _fill_requests(device, stream, tables)
    return tables


def _room(device: Device, requests: int, log: bool) -> Tables:
    """Zeros, with a table for each kind of record."""
    organisation = device.organisation
    ranks = organisation.channels * organisation.channel_ranks
    log_rows = COMMANDS_PER_REQUEST * requests + 1000 * ranks if log else 0
    shapes = (
        (organisation.channels, f.CHANNEL_FIELDS),
        (ranks, f.RANK_FIELDS),
        (ranks * organisation.rank_banks, f.BANK_FIELDS),
        (organisation.channels, f.LISTS * _banks(device)),
        (requests, f.REQUEST_FIELDS),
        (log_rows, f.LOG_ROW),
    )
    numbers = np.zeros(f.RECORDS + sum(rows * fields for rows, fields in shapes), dtype=np.int64)
    tables, first = [], f.RECORDS
    for rows, fields in shapes:
        end = first + rows * fields
        tables.append(Table(numbers[first:end].reshape(rows, fields), first))
        first = end
    return Tables(numbers, *tables)


def _places(tables: Tables) -> dict[int, int]:
    requests = len(tables.requests.rows)
    return {
        f.FIRST_CHANNEL: tables.channels.first,
        f.END_CHANNEL: tables.channels.end,
        f.FIRST_REQUEST: tables.requests.first,
        f.END_REQUEST: tables.requests.end,
        f.LOG: tables.log.first,
        f.LOG_END: tables.log.end,
        f.HEAD: tables.requests.first,
        f.ENTRY: 1 if requests else c.NEVER,
    }


def _policies(device: Device, requests: int) -> dict[int, int]:
    controller = device.controller
    ideal, endless = controller.style == "ideal", max(requests, 1)
    write_entries = endless if ideal else controller.write_entries
    return {
        f.ENTRIES: endless if ideal else controller.read_entries,
        f.ENTRIES + 1: write_entries,
        f.BANK_ENTRIES: controller.bank_entries,
        f.HIT_CAP: controller.row_hit_cap,
        f.CLOSED_POLICY: int(controller.row_policy == "closed"),
        f.WRITE_HIGH: math.floor(controller.write_high * write_entries),
        f.WRITE_LOW: math.ceil(controller.write_low * write_entries),
        f.OFFERS: endless if ideal else controller.offers_per_clock,
        f.REFRESH_INTERVAL: _refresh_interval(device),
        f.REFRESH_UNITS: _refresh_units(device),
        f.REFRESH_BANK: int(controller.refresh == "per_bank"),
    }


def _timings(device: Device) -> dict[int, int]:
    organisation, t = device.organisation, device.timings
    wck = t.burst + t.twck_hold
    return {
        f.BANKS: organisation.rank_banks,
        f.RANKS: organisation.channel_ranks,
        f.SIBLINGS: organisation.ranks,
        f.GROUPS: organisation.bank_groups,
        f.GROUP_BANKS: organisation.banks_per_group,
        f.T_FAW: t.tfaw,
        f.READ_CLOCKS: t.cl + t.burst,
        f.DUAL: int(device.bus.separate),
        f.T_AAD: t.taad,
        f.WCK: t.cl + wck if t.twck_hold >= 0 else 0,
        f.WCK + 1: t.cwl + wck if t.twck_hold >= 0 else 0,
    }


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


def _fill_channels(device: Device, tables: Tables) -> None:
    organisation, channels = device.organisation, tables.channels.rows
    channels[:, f.NEXT] = 1
    channels[:, f.FIRST_BANK] = tables.banks.places[:: _banks(device)]
    channels[:, f.END_BANK] = channels[:, f.FIRST_BANK] + _banks(device) * f.BANK_FIELDS
    for number in range(f.LISTS):
        start = tables.listed.places + number * _banks(device)
        channels[:, f.LISTED + number] = channels[:, f.LISTED_END + number] = start
    channels[:, f.FIRST_RANK] = tables.ranks.places[:: organisation.channel_ranks]
    # the bank-queue tool counts its clocks from 0, one behind ours
    late = int(device.controller.style == "dramsim3")
    channels[:, f.REF_NEXT] = _refresh_interval(device) + late
    channels[:, [f.PLAN + f.TIME, f.ROW_PLAN + f.TIME]] = c.NEVER
    channels[:, f.POINTER] = channels[:, f.FIRST_BANK]
    channels[:, f.ACT2_REQUEST] = f.NONE
    channels[:, [f.ACTIVE + f.FIRST, f.ACTIVE + f.LAST]] = f.NONE


def _banks(device: Device) -> int:
    """Banks of a channel."""
    return device.organisation.channel_ranks * device.organisation.rank_banks


def _fill_ranks(device: Device, tables: Tables) -> None:
    ranks, siblings = tables.ranks.rows, device.organisation.ranks
    ranks[:, f.FIRST_SIBLING] = np.repeat(tables.ranks.places[::siblings], siblings)
    ranks[:, f.DIRECTION] = -1
    ranks[:, f.LAST_FOUR : f.RANK_READY] = c.NO_GATE


def _fill_banks(device: Device, tables: Tables) -> None:
    organisation, banks = device.organisation, tables.banks.rows
    banks[:, f.ROW] = -1
    banks[:, f.ROW_KIND : f.ROW_KIND + 2] = c.NOTHING
    banks[:, f.COLUMN_KIND : f.COLUMN_KIND + 2] = c.NOTHING
    banks[:, f.BANK_READY + c.NOTHING] = c.NEVER
    for request in (f.ROW_WANTED, f.HIT, f.MISS):
        banks[:, request : request + 2] = f.NONE
    first = tables.banks.places[:: organisation.banks_per_group]
    banks[:, f.FIRST_NEIGHBOUR] = np.repeat(first, organisation.banks_per_group)
    banks[:, f.B_RANK] = np.repeat(tables.ranks.places, organisation.rank_banks)
    for queue in (f.WAITING, f.WAITING + f.QUEUE, f.COMMANDS_QUEUE):
        banks[:, [queue + f.FIRST, queue + f.LAST]] = f.NONE


def _fill_requests(device: Device, stream: Stream, tables: Tables) -> None:
    organisation, requests = device.organisation, tables.requests.rows
    part = decode(stream.address, device.mapping, organisation)
    rank = (part["ch"] * organisation.pseudo_channels + part["pc"]) * organisation.ranks + part[
        "ra"
    ]
    group = rank * organisation.bank_groups + part["bg"]
    bank = group * organisation.banks_per_group + part["ba"]
    requests[:, f.BANK_OF] = tables.banks.first + bank * f.BANK_FIELDS
    requests[:, f.ROW_OF] = part["ro"]
    requests[:, f.KEY] = stream.address >> organisation.transaction_bytes.bit_length() - 1
    requests[:, f.WRITE] = stream.write
    requests[:, f.OFFERED] = stream.arrival
    requests[:, f.CHANNEL_OF] = tables.channels.first + part["ch"] * f.CHANNEL_FIELDS
    requests[:, f.TWIN] = f.NONE
