"""The whole journey in one call: model, trace, placement, replay, result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

from codesign.annotation_file import Source, read_annotations
from codesign.errors import HardwareError, ModelError, did_you_mean
from codesign.hardware.objective import Objective, as_objective
from codesign.hardware.own_kinds import own_faults
from codesign.hardware.spec import Hardware, load_hardware
from codesign.mapping.assign.ask import Choosing, Engines, as_engines
from codesign.mapping.explain import Explanation
from codesign.mapping.explain_operator import explain_operator
from codesign.mapping.fixed_file import Entry, read_mappings
from codesign.mapping.fixed_file import Source as Mappings
from codesign.mapping.kept import Kept, KeptOf
from codesign.mapping.pins import check_limits
from codesign.mapping.place import place
from codesign.mapping.residency import Policy, Residency, as_residency
from codesign.replay.budget import MOST_EVENTS, check_most
from codesign.replay.known import replay_once
from codesign.replay.run import Watcher, replay
from codesign.result.result import Result, build_result
from codesign.workload.annotate import with_annotations
from codesign.workload.as_run import NATIVE, as_run
from codesign.workload.check import check_trace
from codesign.workload.dtype import DType
from codesign.workload.record import Trace

_TRACES = 64
"""Traces that are known to be in order (assumed)."""
_OPS = 1 << 15
"""Operators of all traces that are kept as they run (assumed)."""
_OF_MODEL = ("batch", "seq_len", "steps", "allow_unsupported", "scan_zeros")
"""What ``resolve_model`` takes of a model given by name."""

_checked = KeptOf[Trace, None](_TRACES, check_trace)
_as_run = Kept[tuple[Trace, Trace]](_OPS)


def simulate(
    model: Trace | str | Any,
    hardware: Hardware | str | Path,
    *,
    args: tuple[Any, ...] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    settings: Mapping[str, object] | None = None,
    dtype: str | None = None,
    residency: Policy | Residency = "region",
    engines: Choosing | Engines = "earliest",
    mapping: Mappings | None = None,
    objective: Objective | str | None = None,
    schedule: str | None = None,
    annotations: Source | None = None,
    plugins: Sequence[Path | str] = (),
    watch: Watcher | None = None,
    exact_events: bool = False,
    most_events: int = MOST_EVENTS,
    **options: int,
) -> Result:
    """Simulates one run of a model.

    Args:
        model: a trace, a model name or file as on the command line, or a ``torch.nn.Module``
            with its example inputs in ``args`` and ``kwargs``.
        hardware: a hardware, a preset name or the path of a hardware file.
        args: example inputs of a module.
        kwargs: example keyword inputs of a module.
        settings: hardware values to change, ``{"sram.size": "256 KiB"}``.
        dtype: format that floating-point tensors are stored and computed in; by default the
            ``precision`` of the hardware; ``native`` leaves the trace as it is.
        residency: what stays on chip between operators and across steps: a policy or a
            ``codesign.Residency``.
        engines: which engine runs which operator, where several can: a policy or a
            ``codesign.Engines``.
        mapping: what is decided of the mapping of operators: a ``.yaml`` file, or its content by
            name of the operator; the rest is searched, see ``docs/mapping.md``.
        objective: what mappings and the choice of engines make small: ``latency``, ``energy``,
            their product ``edp``, weights such as ``latency^2*energy``, or a
            ``codesign.Objective``; by default latency, unless the hardware file says otherwise of
            an engine.
        schedule: ``time-major`` (frame by frame through all layers) or ``layer-major:8`` (in
            chunks of 8 steps); by default the order in which the model was captured.
        annotations: bit widths, zeros and codecs that the user declares: a ``.yaml`` file, or its
            content by pattern of operator names, see ``codesign.annotate``.
        plugins: folders of plugin files.
        watch: told about progress as (operators ended, operators in all).
        exact_events: handle every event of the replay instead of skipping what recurs; slower, and
            the figures are the same.
        most_events: how many events the replay may handle before it gives up; an operator that
            ends counts as ten.
        **options: ``batch``, ``seq_len`` or ``steps`` of a model given by name.

    Raises:
        CodesignError: a mistake in the model, the hardware or their fit; one line that says what
            to change. Nothing is simulated before all of it is checked.
    """
    check_most(most_events)
    asked = prepare(
        model,
        hardware,
        args=args,
        kwargs=kwargs,
        settings=settings,
        dtype=dtype,
        residency=residency,
        engines=engines,
        mapping=mapping,
        objective=objective,
        schedule=schedule,
        annotations=annotations,
        plugins=plugins,
        **options,
    )
    return asked.run(watch, exact_events=exact_events, most_events=most_events)


@dataclass(frozen=True)
class Prepared:
    """A model that has been read and is ready to be mapped, on one piece of hardware or another.

    Attributes:
        trace: as it runs, in the number formats of the run.
        machine: the hardware.
        residency: what stays on chip.
        engines: which engine runs which operator.
        mapping: what is decided of the mapping of operators.
        objective: what mappings make small.
    """

    trace: Trace
    machine: Hardware
    residency: Residency
    engines: Engines
    mapping: tuple[Entry, ...] = ()
    objective: Objective | None = None

    def run(
        self,
        watch: Watcher | None = None,
        *,
        exact_events: bool = False,
        most_events: int = MOST_EVENTS,
    ) -> Result:
        """Maps and replays it.

        Args:
            watch: told about progress.
            exact_events: handle every event of the replay.
            most_events: how many it may handle.

        Raises:
            CodesignError: no engine takes an operator, it fits nowhere, or its replay has more
                events than it may.
        """
        machine = self.machine
        with own_faults(machine):
            placement = place(
                self.trace, machine, self.residency, self.engines, self.mapping, self.objective
            )
            if watch or exact_events:  # somebody wants to see it played
                played = replay(
                    placement, machine, watch, exact_events=exact_events, most_events=most_events
                )
            else:
                played = replay_once(placement, machine, most_events)
            return build_result(placement, machine, played)


def prepare(
    model: Trace | str | Any,
    hardware: Hardware | str | Path,
    *,
    args: tuple[Any, ...] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    settings: Mapping[str, object] | None = None,
    dtype: str | None = None,
    residency: Policy | Residency = "region",
    engines: Choosing | Engines = "earliest",
    mapping: Mappings | None = None,
    objective: Objective | str | None = None,
    schedule: str | None = None,
    annotations: Source | None = None,
    plugins: Sequence[Path | str] = (),
    **options: int,
) -> Prepared:
    """Reads a model and checks what is asked of it; the arguments are those of ``simulate``.

    Raises:
        CodesignError: as ``simulate``, but for what only the mapping finds.
    """
    machine = _machine(hardware, settings, plugins)
    # mistakes are told before a model is captured, which takes long
    asked = as_residency(residency)
    check_limits(asked, machine)
    choosing, goal = as_engines(engines), as_objective(objective)
    fixed = () if mapping is None else read_mappings(mapping)
    if dtype not in (None, NATIVE):
        DType.parse(str(dtype))
    said = () if annotations is None else read_annotations(annotations)
    declared = with_annotations(_trace(model, args, kwargs, plugins, options), said, plugins)
    trace = _formed(declared, machine, dtype, schedule)
    return Prepared(trace, machine, asked, choosing, fixed, goal)


def explain(
    model: Trace | str | Any,
    hardware: Hardware | str | Path,
    operator: str,
    *,
    settings: Mapping[str, object] | None = None,
    dtype: str | None = None,
    residency: Policy | Residency = "region",
    engines: Choosing | Engines = "earliest",
    mapping: Mappings | None = None,
    objective: Objective | str | None = None,
    schedule: str | None = None,
    annotations: Source | None = None,
    plugins: Sequence[Path | str] = (),
    **options: int,
) -> tuple[Explanation, ...]:
    """Explains how one operator of a model runs, without a replay.

    Args:
        model: a trace, or a model name or file as on the command line.
        hardware: a hardware, a preset name or the path of a hardware file.
        operator: its name in the trace.
        settings: as for ``simulate``, like all that follow.
        dtype: number format.
        residency: what stays on chip.
        engines: which engine runs which operator.
        mapping: what is decided of the mapping of operators.
        objective: what mappings and the choice of engines make small.
        schedule: order of steps.
        annotations: what is declared of operators.
        plugins: folders of plugin files.
        **options: ``batch``, ``seq_len`` or ``steps`` of a model given by name.

    Returns:
        As ``codesign.mapping.explain_operator.explain_operator``.

    Raises:
        CodesignError: as ``simulate``, or no such operator.
    """
    machine = _machine(hardware, settings, plugins)
    goal = as_objective(objective)
    fixed = () if mapping is None else read_mappings(mapping)
    said = () if annotations is None else read_annotations(annotations)
    declared = with_annotations(_trace(model, None, None, plugins, options), said, plugins)
    trace = _formed(declared, machine, dtype, schedule)
    asked, choosing = as_residency(residency), as_engines(engines)
    with own_faults(machine):
        return explain_operator(trace, machine, operator, asked, choosing, fixed, goal)


def _machine(
    hardware: Hardware | str | Path,
    settings: Mapping[str, object] | None,
    plugins: Sequence[Path | str],
) -> Hardware:
    if not isinstance(settings or {}, Mapping):
        raise HardwareError(
            f"settings must map paths to values, got {settings!r:.60}; write for example "
            "{'sram.size': '256 KiB'}"
        )
    if not isinstance(hardware, Hardware):
        hardware = load_hardware(hardware, plugins=plugins)
    return hardware.with_all(settings or {})


def _formed(trace: Trace, machine: Hardware, dtype: str | None, schedule: str | None) -> Trace:
    """A trace as it runs on a machine; the same one again for the points of a sweep."""
    key = id(trace), machine.precision, dtype, schedule
    found = _as_run.find(key)
    if found is None:  # the trace stands beside it so that no other one is made at its address
        formed = as_run(trace, machine.precision, dtype, schedule)
        found = _as_run.keep(key, (trace, formed), sum(1 for _ in formed.ops()))
    return found[1]


def _check_names(options: Mapping[str, Any]) -> None:
    """Checks what was not among the named arguments, before it is taken for the model's."""
    for name in options:
        if name not in _OF_MODEL:
            known = [*signature(simulate).parameters, *_OF_MODEL]
            known.remove("options")
            raise ModelError(f"unknown argument {name[:60]!r}{did_you_mean(name[:60], known)}")


def _trace(
    model: Trace | str | Any,
    args: tuple[Any, ...] | None,
    kwargs: Mapping[str, Any] | None,
    plugins: Sequence[Path | str],
    options: Mapping[str, Any],
) -> Trace:
    if isinstance(model, (Trace, str, Path)) and (args is not None or kwargs is not None):
        raise ModelError("args and kwargs go with a torch module; a name or trace takes none")
    _check_names(options)
    if isinstance(model, Path):
        model = str(model)
    if isinstance(model, str):
        from codesign.models import resolve_model

        return resolve_model(model, plugins=plugins, **options)
    if options:
        raise ModelError(f"{', '.join(options)} can be set for a model given by name only")
    if isinstance(model, Trace):
        _checked.of(model)
        return model
    if not hasattr(model, "state_dict"):
        raise ModelError(
            f"a model must be a trace, a name, a torch module or an exported program, "
            f"got {type(model).__name__}; pass one of them"
        )
    from codesign.workload.capture import trace

    return trace(model, () if args is None else args, kwargs, plugins=plugins)
