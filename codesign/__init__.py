"""codesign: what a PyTorch model costs on hardware that may not exist yet.

``import codesign`` is light: torch and simpy load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codesign.errors import CodesignError
    from codesign.explore.study import Study
    from codesign.hardware.component import (
        Component,
        Descriptor,
        Engine,
        Link,
        Memory,
        Service,
    )
    from codesign.hardware.fields_only import fields_only
    from codesign.hardware.objective import Objective
    from codesign.hardware.plan import Budget, Least, Loop, Move, Tile, TilePlan
    from codesign.hardware.spec import Hardware, load_hardware
    from codesign.hookspecs import hookimpl
    from codesign.mapping.assign.ask import Engines
    from codesign.mapping.residency import Residency
    from codesign.result.result import Result
    from codesign.scenario.arrival import After, Periodic, Rate
    from codesign.scenario.result import ScenarioResult
    from codesign.scenario.simulate import simulate_scenario
    from codesign.scenario.spec import Scenario, Stream
    from codesign.simulation import simulate
    from codesign.workload.annotate import annotate
    from codesign.workload.capture import trace
    from codesign.workload.dtype import DType
    from codesign.workload.file import load_trace, save_trace
    from codesign.workload.nest import Axis, LoopNest
    from codesign.workload.record import Access, Branch, Carry, Op, Region, Tensor, Trace
    from codesign.workload.rewrites.drop import drop_layers
    from codesign.workload.rewrites.factorise import factorise
    from codesign.workload.rewrites.merge import merge_block
    from codesign.workload.rewrites.widths import shrink_widths
    from codesign.workload.schedule import layer_major, time_major
    from codesign.workload.sparsity import Sparsity
    from codesign.workload.stored import Stored

_HOME = {
    "CodesignError": "errors",
    "Study": "explore.study",
    "Component": "hardware.component",
    "Descriptor": "hardware.component",
    "Engine": "hardware.component",
    "Link": "hardware.component",
    "Memory": "hardware.component",
    "Service": "hardware.component",
    "Objective": "hardware.objective",
    "Budget": "hardware.plan",
    "fields_only": "hardware.fields_only",
    "Least": "hardware.plan",
    "Loop": "hardware.plan",
    "Move": "hardware.plan",
    "Tile": "hardware.plan",
    "TilePlan": "hardware.plan",
    "Hardware": "hardware.spec",
    "load_hardware": "hardware.spec",
    "hookimpl": "hookspecs",
    "Engines": "mapping.assign.ask",
    "Residency": "mapping.residency",
    "Result": "result.result",
    "After": "scenario.arrival",
    "Periodic": "scenario.arrival",
    "Rate": "scenario.arrival",
    "ScenarioResult": "scenario.result",
    "simulate_scenario": "scenario.simulate",
    "Scenario": "scenario.spec",
    "Stream": "scenario.spec",
    "simulate": "simulation",
    "annotate": "workload.annotate",
    "trace": "workload.capture",
    "DType": "workload.dtype",
    "load_trace": "workload.file",
    "save_trace": "workload.file",
    "Axis": "workload.nest",
    "LoopNest": "workload.nest",
    "Access": "workload.record",
    "Branch": "workload.record",
    "Carry": "workload.record",
    "Op": "workload.record",
    "Region": "workload.record",
    "Tensor": "workload.record",
    "Trace": "workload.record",
    "Sparsity": "workload.sparsity",
    "Stored": "workload.stored",
    "drop_layers": "workload.rewrites.drop",
    "factorise": "workload.rewrites.factorise",
    "layer_major": "workload.schedule",
    "merge_block": "workload.rewrites.merge",
    "shrink_widths": "workload.rewrites.widths",
    "time_major": "workload.schedule",
}

__version__ = "0.1.0"
__all__ = [
    "Access",
    "After",
    "Axis",
    "Branch",
    "Budget",
    "Carry",
    "CodesignError",
    "Component",
    "DType",
    "Descriptor",
    "Engine",
    "Engines",
    "Hardware",
    "Least",
    "Link",
    "Loop",
    "LoopNest",
    "Memory",
    "Move",
    "Objective",
    "Op",
    "Periodic",
    "Rate",
    "Region",
    "Residency",
    "Result",
    "Scenario",
    "ScenarioResult",
    "Service",
    "Sparsity",
    "Stored",
    "Stream",
    "Study",
    "Tensor",
    "Tile",
    "TilePlan",
    "Trace",
    "annotate",
    "drop_layers",
    "factorise",
    "fields_only",
    "hookimpl",
    "layer_major",
    "load_hardware",
    "load_trace",
    "merge_block",
    "save_trace",
    "shrink_widths",
    "simulate",
    "simulate_scenario",
    "time_major",
    "trace",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'codesign' has no attribute {name!r}")
    return getattr(import_module(f"codesign.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
