"""The model of a study: a name, a trace or a function, captured once for each of its points."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codesign.errors import ModelError, StudyError, did_you_mean
from codesign.explore.functions import identity, import_function, name_of
from codesign.mistaken import mistaken
from codesign.models import OPTIONS, list_models, resolve_model
from codesign.workload.check import check_trace
from codesign.workload.file import load_trace
from codesign.workload.record import Trace


@dataclass(frozen=True)
class Source:
    """Where the traces of a study come from.

    Attributes:
        name: for people.
        identity: equal for equal models.
        takes: names of its parameters; None if it takes any.
        capture: the trace for values of the parameters.
        check_values: raises a ModelError for values that no model of that name takes.
    """

    name: str
    identity: str
    takes: tuple[str, ...] | None
    capture: Callable[[Mapping[str, Any]], Trace]
    check_values: Callable[[Mapping[str, Any]], None] = lambda _: None

    def check(self, asked: Collection[str], where: str) -> None:
        """Checks that the model takes some parameters.

        Args:
            asked: names of the parameters.
            where: they were given.

        Raises:
            StudyError: a name that it does not take.
        """
        for name in asked:
            if self.takes is not None and name not in self.takes:
                hint = did_you_mean(name, self.takes)
                raise StudyError(f"{where}: {self.name} takes no parameter {name!r}{hint}")


def find_source(
    model: object, options: Mapping[str, int], plugins: Sequence[Path | str] = ()
) -> Source:
    """What a user calls the model of a study.

    Args:
        model: a trace; a zoo name, ``hf:CONFIGCLASS`` or a trace or ``.pt2`` file; or a function of
            the parameters, or ``package.module:function``, which returns a trace or
            ``(module, args)`` or ``(module, args, kwargs)``.
        options: ``batch``, ``seq_len`` and ``steps`` that do not vary.
        plugins: folders with further plugin files.

    Raises:
        ModelError: an unknown name.
        StudyError: something else, or a function that cannot be imported.
    """
    if isinstance(model, str) and model.endswith((".json", ".json.gz")):
        model = load_trace(model)
    if isinstance(model, str) and ":" in model and not model.startswith("hf:"):
        model = import_function(model)
    if isinstance(model, Trace):
        return _of_trace(model, options)
    if isinstance(model, str):
        return _of_name(model, options, plugins)
    if not callable(model) or hasattr(model, "state_dict") or isinstance(model, type):
        raise StudyError(
            f"the model of a study must be a name, a trace or a function, got {repr(model)[:60]}; "
            "write a function that returns (module, args)"
        )
    return _of_function(model, options, plugins)


def _of_trace(trace: Trace, options: Mapping[str, int]) -> Source:
    if options:
        raise StudyError(f"a trace has fixed shapes, so it takes no {' and '.join(options)}")
    check_trace(trace)
    return Source(trace.name, trace.digest, (), lambda _: trace)


def _of_name(name: str, options: Mapping[str, int], plugins: Sequence[Path | str]) -> Source:
    known = list_models(plugins)
    if name not in known and not name.startswith("hf:") and not name.endswith(".pt2"):
        told = mistaken(name) or f"unknown model {name!r}{did_you_mean(name, known)}"
        raise ModelError(told)
    takes = tuple(known[name].options) if name in known else OPTIONS

    def capture(point: Mapping[str, Any]) -> Trace:
        return resolve_model(name, plugins=plugins, **{**options, **point})

    def check_values(values: Mapping[str, Any]) -> None:
        for key, value in values.items():
            if type(value) is not int:
                raise ModelError(f"{key} of {name} must be a whole number, got {value!r:.60}")
        if name in known:
            known[name].choose(name, values)

    source = Source(name, name, takes, capture, check_values)
    source.check(options, "options")
    return source


def _of_function(
    function: Callable[..., Any], options: Mapping[str, int], plugins: Sequence[Path | str]
) -> Source:
    parameters = inspect.signature(function).parameters.values()
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    takes = None if takes_any else tuple(parameter.name for parameter in parameters)
    name = name_of(function)

    def capture(point: Mapping[str, Any]) -> Trace:
        made = function(**options, **point)
        if isinstance(made, Trace):
            check_trace(made)
            return made
        parts = made if isinstance(made, tuple) else (made,)
        if len(parts) not in (2, 3) or not hasattr(parts[0], "state_dict"):
            got = ", ".join(type(part).__name__ for part in parts)
            raise StudyError(
                f"{name} must return a trace, (module, args) or (module, args, kwargs), got ({got})"
            )
        from codesign.workload.capture import trace

        return trace(*parts, name=name, plugins=plugins)

    source = Source(name, identity(function), takes, capture)
    source.check(options, "options")
    return source
