"""Every shipped kind passes the kit that a third party's kinds are held to."""

from __future__ import annotations

from typing import Any

import pytest
from codesign_plugins.cpu import Cpu
from codesign_plugins.dsp import Dsp
from codesign_plugins.flat_dram import FlatDram
from codesign_plugins.link import Bus
from codesign_plugins.sram import Sram
from codesign_plugins.systolic import Systolic
from codesign_plugins.vector import Vector

from codesign.hardware.component import Engine, Link, Memory
from codesign.hardware.spec import load_hardware
from codesign.plugins import registry
from codesign.testing import check_engine, check_fields, check_link, check_memory

ARRAYS: dict[str, dict[str, Any]] = {
    "small": {"rows": 8, "cols": 128, "accumulator": 512, "accumulator_bits": 24},
    "two arrays": {"arrays": 2, "rows": 16, "cols": 8, "tile_overhead": 5},
    "three serial": {"arrays": 3, "weight_preload": "serial", "pack_groups": False},
    "bf16 at half rate": {
        "macs_per_cell": {"bf16*bf16": 0.5},
        "mac_energy": {"bf16*bf16": 1e-12},
    },
    "int4 at twice the rate": {
        "macs_per_cell": {"int4*int4": 2.0},
        "mac_energy": {"int4*int4": 1e-13},
    },
    "output-stationary": {"dataflow": "os", "rows": 16, "cols": 8},
    "output-stationary, hidden": {"dataflow": "os", "output_drain": "hidden", "arrays": 3},
    "input-stationary": {"dataflow": "is", "rows": 8, "cols": 32, "accumulator": 2048},
    "input-stationary, serial": {"dataflow": "is", "weight_preload": "serial", "arrays": 2},
    "full edges, folds apart": {"edge_tiles": "full", "fold_overlap": False},
    "output-stationary, apart": {"dataflow": "os", "edge_tiles": "full", "fold_overlap": False},
    "a tap a fold": {"rows": 16, "cols": 16, "row_merge": False},
    "narrow ports": {"input_width": 16.0, "weight_width": 8.0, "accumulator_width": 32.0},
}
WORDS = ("linear", "convolution", "depthwise", "temporal_filter", "attention")
KINDS = ("elementwise", "softmax", "normalize", "reduce", "gather")
CORES: dict[str, dict[str, Any]] = {
    "plain": {},
    "calls and odd rates": {
        "call_overhead": 90,
        "clock": 3e8,
        "macs_per_cycle": {f"{word} int8*int8": 0.7 for word in WORDS},
    },
    "products only": {"elements_per_cycle": {}, "bytes_per_cycle": {}},
    "wide blocks": {"block_rows": 8, "block_cols": 16},
    "fp16": {
        "macs_per_cycle": {f"{word} fp16*fp16": 2.0 for word in WORDS},
        "mac_energy": {"fp16*fp16": 1e-12},
        "elements_per_cycle": {f"{kind} fp16": 1.5 for kind in KINDS},
        "bytes_per_cycle": {"move fp16": 3.0},
    },
}
HOSTS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "its own format": {"compute_dtype": "int8"},
    "slow hand-over": {"synchronisation": 1e-3, "transfer_in": 0.3, "quantise": 0.7},
    "nothing around the work": {"synchronisation": 0.0, "compute_dtype": "int8", "block_cols": 1},
}
PRESETS = ("edge-npu", "hifi4-dsp", "server-npu")


@pytest.mark.parametrize("fields", ARRAYS.values(), ids=ARRAYS)
def test_systolic_arrays_keep_the_promises_of_an_engine(fields: dict[str, Any]) -> None:
    check_engine(Systolic(name="npu", buffer="sram", **fields))


@pytest.mark.parametrize(
    "fields", [{}, {"lanes": 1, "start": 0}, {"lanes": 1000, "start": 100}], ids=str
)
def test_vector_units_keep_the_promises_of_an_engine(fields: dict[str, Any]) -> None:
    check_engine(Vector(name="vector", buffer="sram", **fields))


@pytest.mark.parametrize("fields", CORES.values(), ids=CORES)
def test_dsps_keep_the_promises_of_an_engine(fields: dict[str, Any]) -> None:
    tables = {
        "macs_per_cycle": {f"{word} int8*int8": 4.0 for word in WORDS},
        "mac_energy": {"int8*int8": 3e-13},
        "elements_per_cycle": {f"{kind} int8": 2.0 for kind in KINDS},
        "bytes_per_cycle": {"move int8": 8.0},
    }
    core = Dsp(**{"name": "dsp", "buffer": "ram", **tables, **fields})
    core.check()
    check_engine(core)


@pytest.mark.parametrize("fields", HOSTS.values(), ids=HOSTS)
def test_cpus_keep_the_promises_of_an_engine(fields: dict[str, Any]) -> None:
    host = Cpu(name="cpu", buffer="cache", **fields)
    host.check()
    check_engine(host)


def test_memories_keep_the_promises_of_a_memory() -> None:
    check_memory(Sram(name="sram", size=1 << 20))
    check_memory(Sram(name="sram", size=1, bandwidth=1.5, read_energy=0.0))
    check_memory(FlatDram(name="dram", device="LPDDR4X", size=1 << 30, bandwidth=17e9))
    check_memory(FlatDram(name="dram", device="slow", size=1 << 30, bandwidth=1.4, efficiency=1.0))


def test_links_keep_the_promises_of_a_link() -> None:
    check_link(Bus(name="bus", connects=("a", "b")))
    check_link(Bus(name="bus", connects=("a", "b", "c"), duplex="full", setup=1e-8, energy=1e-12))


@pytest.mark.parametrize("preset", PRESETS)
def test_every_part_of_a_preset_keeps_its_promises(preset: str) -> None:
    for part in load_hardware(preset).components.values():
        if isinstance(part, Engine):
            check_engine(part)
        elif isinstance(part, Memory):
            check_memory(part)
        elif isinstance(part, Link):
            check_link(part)


@pytest.mark.parametrize("kind", sorted(registry().components()))
def test_every_registered_kind_documents_its_fields_and_gives_them_units(kind: str) -> None:
    check_fields(registry().components()[kind])
