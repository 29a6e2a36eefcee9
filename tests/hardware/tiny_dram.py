"""A small DRAM device file, of which tests change one line or another."""

from __future__ import annotations

from pathlib import Path

TEXT = """\
name: tiny
description: a small device
organisation:
  value: {bank_groups: 2, banks_per_group: 2, rows: 1024, columns: 128, device_width: 8,
          bus_width: 16, burst_length: 8}
  source: datasheet of the part, table 1
  status: datasheet
timings:
  source: datasheet of the part, table 2
  status: datasheet
  value:
    tck: 625 ps
    cl: 22
    cwl: 16 nCK
    burst: 4
    trcd_read: 13.75 ns
    trcd_write: 13.75 ns
    trp: 13.75 ns
    tras: {value: 32 ns, source: JESD79-4, status: standard, note: of the slowest bin}
    trc: 74
    tccd_s: 4
    tccd_l: [4 nCK, 5 ns]
    trrd_s: [4 nCK, 2.5 ns]
    trrd_l: 8
    tfaw: 21 ns
    twtr_s: 4
    twtr_l: 12
    trtw: 12
    trtp: 12
    twr: 15 ns
    trtrs: 1
    trfc: 350 ns
    trefi: 7.8 us
    txp: 10
    txs: 360 ns
command_bus: {activate: 1}
mapping: {fields: ro ba co bg, xors: [ba ^= ro >> 0]}
controller: {style: ramulator, write_high: 0.9, shared_injection: false}
rails:
  vdd:
    voltage: 1.2 V
    idd0: 57 mA
    idd2n: 37 mA
    idd2p: 25 mA
    idd3n: 52 mA
    idd3p: 43 mA
    idd4r: 168 mA
    idd4w: 0.15
    idd5: 250 mA
    idd6: 30000 uA
io: {energy: 3 pJ/bit}
"""


def written(folder: Path, text: str = TEXT, name: str = "tiny.yaml") -> Path:
    """Writes a device file into a folder."""
    path = folder / name
    path.write_text(text)
    return path
