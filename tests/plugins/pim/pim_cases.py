"""Parts and operators that the tests of processing in memory share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from codesign_plugins.pim import PimNearBank, PimUpmem
from codesign_plugins.pim.units import Units

from codesign import Budget, Op, Trace
from codesign.hardware.dram_file import load_device_file
from codesign.hardware.dram_reader import DeviceFile
from codesign.hardware.plan import TilePlan
from codesign.memory import Device
from codesign.testing.operators import whole

FILE = load_device_file("hbm2-pim")
DEVICE = FILE.device
QUIET = replace(DEVICE, controller=replace(DEVICE.controller, refresh="none"))
FP16 = {"fp16*fp16": 3.2e-13}


def device(**timings: int) -> Device:
    """The device without refreshes and with some timings changed."""
    return replace(QUIET, timings=replace(QUIET.timings, **timings))


def file_of(changed: Device) -> DeviceFile:
    """A device file that holds a device."""
    return replace(FILE, device=changed)


def hbm_units(**fields: Any) -> Units:
    """Units of HBM-PIM without refreshes."""
    defaults: dict[str, Any] = {
        "device": QUIET,
        "channels": 64,
        "blocks": 8,
        "lanes": 16,
        "input_registers": 8,
        "output_registers": 8,
        "buffer_bytes": 2048,
        "power_cap": 0,
        "mode_writes": 4,
        "program_writes": 1,
        "reduction": 4,
        "overlaps_activates": True,
    }
    return Units(**{**defaults, **fields})


def near_bank(**fields: Any) -> PimNearBank:
    """An engine of the kind ``pim_near_bank`` as HBM-PIM has it, without refreshes."""
    defaults: dict[str, Any] = {
        "name": "pim",
        "buffer": "sram",
        "memory": "dram",
        "device": file_of(QUIET),
        "channels": 64,
        "mac_energy": FP16,
        "element_energy": {"fp16": 3e-13},
    }
    return PimNearBank(**{**defaults, **fields})


def aim(**fields: Any) -> PimNearBank:
    """An engine as GDDR6-AiM has it, without refreshes."""
    defaults: dict[str, Any] = {
        "program": "global_buffer",
        "blocks": 16,
        "banks_per_block": 1,
        "mac_energy": {"bf16*bf16": 3.2e-13, "int32*int32": 3.2e-12},
        "element_energy": {},
    }
    return near_bank(**{**defaults, **fields})


def upmem(**fields: Any) -> PimUpmem:
    """An engine of the kind ``pim_upmem`` with few units."""
    defaults: dict[str, Any] = {
        "name": "pim",
        "buffer": "mram",
        "units": 8,
        "mac_instructions": {"int8*int8": 8.0},
        "element_instructions": {"add int8": 6.0, "mul int8": 10.0},
    }
    return PimUpmem(**{**defaults, **fields})


def there(op: Op) -> Budget:
    """A budget under which every operand lies where the engine stages it."""
    return Budget(1 << 26, 1e12, 1e12, resident=(True,) * len(op.operands))


def planned(engine: PimNearBank | PimUpmem, op: Op) -> TilePlan:
    """The plan of an operator whose operands are all there."""
    found: TilePlan = engine.plan(op, there(op))
    return found


def energy_of(engine: PimNearBank | PimUpmem, plan: TilePlan) -> float:
    """Joules that a plan charges its engine."""
    return float(sum(engine.energy_j(action, n) for who, action, n in plan.actions if not who))


def counts_of(plan: TilePlan) -> dict[str, int]:
    """How often a plan charges each action of its engine."""
    return {action: count for who, action, count in plan.actions if not who}


def with_role(op: Op, role: Any) -> Op:
    """The operator with a second factor of another role."""
    factor = op.inputs[1].tensor
    other = whole(factor.name, factor.shape, role, str(factor.dtype))
    inputs = (op.inputs[0], other, *op.inputs[2:])
    return Op(op.name, op.kind, inputs, op.outputs, op.nest, op.functions)


def alone(op: Op) -> Trace:
    """A trace of one operator."""
    return Trace("alone", (op,), tuple(access.tensor for access in op.operands))
