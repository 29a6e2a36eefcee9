"""Turns the configurations of the two reference tools into devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from codesign.memory.controller import Controller
from codesign.memory.device import CommandBus, Device, Organisation, Rail, Timings
from codesign.memory.mapping import AddressMapping, mop4clxor

_REACH = 1 << 30
"""Bytes that the reference streams reach."""
_HBM_TRTP, _HBM_TRTRS = 5, 2
"""DRAMsim3 does not read the tRTP_S and tRTP_L of an HBM file and takes its defaults."""


def dramsim3_device(name: str, configuration: Mapping[str, Mapping[str, str]]) -> Device:
    """A DRAMsim3 configuration: its sections and keys in lower case, values as written."""
    structure, system = configuration["dram_structure"], configuration["system"]
    hbm = structure["protocol"] == "HBM"
    # an HBM file counts columns of two beats
    columns = int(structure["columns"]) * (2 if hbm else 1)
    width, bus = int(structure["device_width"]), int(system["bus_width"])
    rows = int(structure["rows"])
    banks = int(structure["bankgroups"]) * int(structure["banks_per_group"])
    rank_mib = columns * bus // 8 * rows * banks >> 20
    organisation = Organisation(
        channels=int(system["channels"]),
        ranks=max(1, int(system["channel_size"]) // rank_mib),
        bank_groups=int(structure["bankgroups"]),
        banks_per_group=int(structure["banks_per_group"]),
        rows=rows,
        columns=columns,
        device_width=width,
        bus_width=bus,
        burst_length=int(structure["bl"]),
    )
    return Device(
        name=name,
        organisation=organisation,
        timings=_dramsim3_timings(structure["protocol"], int(structure["bl"]), configuration),
        bus=CommandBus(separate=hbm),
        mapping=AddressMapping.parse(system["address_mapping"]),
        controller=Controller(
            style="dramsim3",
            read_entries=int(system["trans_queue_size"]),
            write_entries=int(system["trans_queue_size"]),
            bank_entries=int(system["cmd_queue_size"]),
        ),
        rails=(("vdd", _dramsim3_rail(configuration["power"])),),
    )


def _dramsim3_timings(
    protocol: str, burst_length: int, configuration: Mapping[str, Mapping[str, str]]
) -> Timings:
    t = {key: int(value) for key, value in configuration["timing"].items() if key != "tck"}
    hbm, burst = protocol == "HBM", burst_length // 2
    trtrs = t.get("trtrs", _HBM_TRTRS)
    return Timings(
        tck_ps=round(float(configuration["timing"]["tck"]) * 1000),
        cl=t["cl"],
        cwl=t["cwl"],
        burst=burst,
        trcd_read=t["trcdrd"] if hbm else t["trcd"],
        trcd_write=t["trcdwr"] if hbm else t["trcd"],
        trp=t["trp"],
        tras=t["tras"],
        trc=t["tras"] + t["trp"],
        tccd_s=t["tccd_s"],
        tccd_l=t["tccd_l"],
        trrd_s=t["trrd_s"],
        trrd_l=t["trrd_l"],
        tfaw=t["tfaw"],
        twtr_s=t["twtr_s"],
        twtr_l=t["twtr_l"],
        trtw=t["cl"] + burst - t["cwl"] + trtrs,
        trtp=_HBM_TRTP if hbm else t["trtp"],
        twr=t["twr"],
        trtrs=trtrs,
        tppd=t["tppd"] if protocol == "LPDDR4" else 0,
        trfc=t["trfc"],
        trefi=t["trefi"],
        txp=t["txp"],
        txs=t["txs"],
    )


def _dramsim3_rail(power: Mapping[str, str]) -> Rail:
    value = {key: float(text) for key, text in power.items()}
    return Rail(
        voltage=value["vdd"],
        idd0=value["idd0"] * 1e-3,
        idd2n=value["idd2n"] * 1e-3,
        idd2p=value["idd2p"] * 1e-3,
        idd3n=value["idd3n"] * 1e-3,
        idd3p=value["idd3p"] * 1e-3,
        idd4r=value["idd4r"] * 1e-3,
        idd4w=value["idd4w"] * 1e-3,
        idd5=value["idd5ab"] * 1e-3,
        idd6=value["idd6x"] * 1e-3,
    )


def ramulator_device(name: str, configuration: Mapping[str, Any]) -> Device:
    """A Ramulator 2.1 configuration as resolved by its Python front end."""
    org, controller = configuration["org"], configuration["controller"]
    xor = configuration["addr_mapper"]["impl"] == "MOP4CLXOR"
    organisation = Organisation(
        channels=org["Channel"],
        pseudo_channels=org.get("PseudoChannel", 1),
        ranks=org.get("Rank", 1) * org.get("Sid", 1),
        bank_groups=org["BankGroup"],
        banks_per_group=org["Bank"],
        rows=org["Row"],
        columns=org["Column"],
        device_width=configuration["dq"],
        bus_width=configuration["channel_width"],
        burst_length=configuration["prefetch"],
    )
    plain = AddressMapping.parse("ro ba bg ra pc co ch")
    if xor:
        # this mapper drops no bits: the row takes all that are left of an address
        missing = max(1, _REACH // organisation.capacity_bytes)
        organisation = replace(organisation, rows=organisation.rows * missing)
    return Device(
        name=name,
        organisation=organisation,
        timings=_ramulator_timings(name, configuration["timing"]),
        bus=_ramulator_bus(controller["impl"], "nCCDS_WR" in configuration["timing"]),
        mapping=mop4clxor(organisation) if xor else plain,
        controller=Controller(
            style="ramulator",
            read_entries=controller["read_buffer_size"],
            write_entries=controller["write_buffer_size"],
            write_high=controller["wr_high_watermark"],
            write_low=controller["wr_low_watermark"],
        ),
    )


def _ramulator_bus(controller: str, own_write_timings: bool) -> CommandBus:
    """Clocks per command of each standard (JESD79-5, JESD235, JESD238, JESD209-5)."""
    if controller == "HBM12":
        return CommandBus(activate=2, separate=True)
    if controller == "HBM34":
        return CommandBus(activate=3, column=2, separate=True, half_clock=True)
    if controller == "GenericDDR" and own_write_timings:
        return CommandBus(activate=2, column=2)
    return CommandBus()


_READ_TO_WRITE_GAP = {"ddr5": 4}
"""Idle clocks of the data bus between a read and a write: 2, and 2 more for the longer preamble
and postamble of DDR5."""


def _ramulator_timings(name: str, t: Mapping[str, int]) -> Timings:
    burst = t["nBL_min"] if "nBL_min" in t else t["nBL"]
    gap = _READ_TO_WRITE_GAP.get(name.partition("_")[0], 2)
    return Timings(
        tck_ps=t["tCK_ps"],
        cl=t["nCL"],
        cwl=t["nCWL"],
        burst=burst,
        burst_long=t.get("nBL_max", 0),
        trcd_read=t["nRCDRD"] if "nRCDRD" in t else t["nRCD"],
        trcd_write=t["nRCDWR"] if "nRCDWR" in t else t["nRCD"],
        trp=t["nRP"],
        trp_all=t.get("nRPab", 0),
        tras=t["nRAS"],
        trc=t["nRC"],
        tccd_s=t["nCCDS"],
        tccd_l=t["nCCDL"],
        tccd_s_write=t.get("nCCDS_WR", 0),
        tccd_l_write=t.get("nCCDL_WR", 0),
        trrd_s=t["nRRDS"],
        trrd_l=t["nRRDL"],
        tfaw=t["nFAW"],
        twtr_s=t["nWTRS"],
        twtr_l=t["nWTRL"],
        trtw=t["nRTW"] if "nRTW" in t else t["nCL"] + burst + gap - t["nCWL"],
        trtp=t["nRTPL"] if "nRTPL" in t else t["nRTP"],
        twr=t["nWR"],
        trtrs=t.get("nCS", 0),
        tppd=t.get("nPPD", 0),
        trfc=t["nRFC"],
        trfc_bank=t.get("nRFCpb", 0),
        trrefd=t.get("nRREFD", 0),
        trefi=t["nREFI"],
        taad=t.get("nAAD", 0),
        twck_hold=t.get("nWCKPST", -1),
    )
