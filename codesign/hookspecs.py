"""Every hook of codesign in one file: one sentence and one example each.

A plugin is a module (or any object) whose functions carry ``@codesign.hookimpl``. It is found
through an entry point in group ``codesign``, or in a folder given with ``--plugins``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from codesign.energy import Estimator
    from codesign.explore.executors import Executor
    from codesign.explore.search.searchers import Searcher
    from codesign.hardware.component import Component
    from codesign.result.exporters import Exporter
    from codesign.scenario.arrival_kinds import ArrivalKind
    from codesign.testing.examples import Example
    from codesign.validation.contract import Validation
    from codesign.workload.formats import Format
    from codesign.workload.lowering import Lowering
    from codesign.workload.record import Trace
    from codesign.zoo import ModelEntry

hookspec = pluggy.HookspecMarker("codesign")
hookimpl = pluggy.HookimplMarker("codesign")


@hookspec
def codesign_components() -> Sequence[type[Component]]:
    """Hardware kinds: the classes that ``kind:`` in a hardware file can name.

    Example:
        ``return [MyArray]`` where ``MyArray`` is a frozen dataclass below ``Engine``.
    """
    raise NotImplementedError


@hookspec
def codesign_register_lowerings() -> Mapping[str, Lowering]:
    """Graph targets and the functions that lower them to operators.

    Example:
        ``return {"mylib.fused_gate.default": lower_fused_gate}``.
    """
    raise NotImplementedError


@hookspec
def codesign_fusion_passes() -> Mapping[str, Callable[[Trace], Trace]]:
    """Named passes over a fresh trace, run in the order of their names.

    Example:
        ``return {"50-conv-bn-activation": fuse_conv_bn}``.
    """
    raise NotImplementedError


@hookspec
def codesign_hardware_folders() -> Sequence[Path]:
    """Folders whose ``*.yaml`` files are hardware presets, named by their file name.

    Example:
        ``return [Path(__file__).parent / "presets"]``.
    """
    raise NotImplementedError


@hookspec
def codesign_models() -> Mapping[str, ModelEntry]:
    """Models that can be simulated by name.

    Example:
        ``return {"my_net": ModelEntry(build_my_net, "what it is")}``.
    """
    raise NotImplementedError


@hookspec
def codesign_arrivals() -> Mapping[str, ArrivalKind]:
    """Kinds of arrivals that ``kind:`` in a scenario file can name.

    Example:
        ``return {"burst": ArrivalKind(Burst, {"runs": Key(whole, is_needed=True)})}``.
    """
    raise NotImplementedError


@hookspec
def codesign_formats() -> Mapping[str, Format]:
    """Codecs in which tensors can be stored, by the name that ``codesign.annotate`` takes.

    Example:
        ``return {"our-bitmap": OurBitmap()}``.
    """
    raise NotImplementedError


@hookspec
def codesign_energy_tables() -> Sequence[Path]:
    """CSV files of energy figures, or folders of them; their rows beat those of codesign.

    Example:
        ``return [Path(__file__).parent / "our_process.csv"]``.
    """
    raise NotImplementedError


@hookspec
def codesign_energy_estimators() -> Mapping[str, Estimator]:
    """External tools that answer a question to the energy tables with rows.

    Example:
        ``return {"our_compiler": ask_our_memory_compiler}``.
    """
    raise NotImplementedError


@hookspec
def codesign_validations() -> Mapping[str, Validation[Any]]:
    """Families of reference figures that ``codesign validate`` compares with ours.

    Example:
        ``return {"our-chip": Validation(title=..., source=..., rows=rows, compare=compare)}``.
    """
    raise NotImplementedError


@hookspec
def codesign_executors() -> Mapping[str, Callable[..., Executor]]:
    """Who measures the points of a study, by the name that ``codesign sweep --executor`` takes.

    Example:
        ``return {"our-farm": OurFarm}`` where ``OurFarm(workers=..., address=...)`` has
        ``run(job, tasks)``; it leaves out the arguments that it does not take.
    """
    raise NotImplementedError


@hookspec
def codesign_exporters() -> Mapping[str, Exporter]:
    """Further formats of a result, by the name that ``codesign simulate --export`` takes.

    Example:
        ``return {"our-csv": write_rows}`` where ``write_rows(result, path)`` writes the file
        ``path``, which appears whole or not at all.
    """
    raise NotImplementedError


@hookspec
def codesign_searchers() -> Mapping[str, Searcher]:
    """Who asks for the points of a search, by the name that ``codesign search --sampler`` takes.

    Example:
        ``return {"halton": Searcher(Halton)}`` where ``Halton(space=..., seed=...)`` has ``ask()``
        and ``tell(point, outcome)``; it leaves out the arguments that it does not take.
    """
    raise NotImplementedError


@hookspec
def codesign_examples() -> Mapping[str, Example]:
    """What the conformance kit tries, by name of what the plugin offers, where it has no default.

    Example:
        ``return {"my_array": Example(lambda: MyArray(name="a", buffer="b", rows=8))}``.
    """
    raise NotImplementedError


HOOKS = tuple(sorted(name for name in globals() if name.startswith("codesign_")))
"""The names of all hooks."""
