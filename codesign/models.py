"""From what the user calls a model to its trace."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codesign.errors import OF_OTHERS, CodesignError, ModelError, did_you_mean
from codesign.plugins import registry
from codesign.raised import raised
from codesign.zoo import check_options

if TYPE_CHECKING:
    from codesign.workload.record import Trace
    from codesign.zoo import ModelEntry

OPTIONS = ("batch", "seq_len", "steps")
"""What the user can choose about the example input of a model."""
_FORMS = "a zoo name, package.module:factory, hf:CONFIGCLASS, a .pt2 file or a trace file"


def resolve_model(
    spec: str,
    *,
    batch: int | None = None,
    seq_len: int | None = None,
    steps: int | None = None,
    plugins: Sequence[Path | str] = (),
    allow_unsupported: bool = False,
    scan_zeros: bool = False,
) -> Trace:
    """The trace of the model that ``spec`` names.

    Args:
        spec: a trace file (``.json`` or ``.json.gz``, read without torch), an exported program
            (``.pt2``), ``package.module:factory``, ``hf:CONFIGCLASS`` or a name of ``list_models``.
            A module is also looked for in the current folder. A factory is called with those of
            the options below that its signature has, and returns ``(module, args)`` or
            ``(module, args, kwargs)``; it decides itself whether to build on the meta device.
        batch: independent inputs, at least 1; by default what the model chooses.
        seq_len: tokens, at least 1.
        steps: time steps, at least 1.
        plugins: folders with further plugin files.
        allow_unsupported: report operators without a lowering in the trace instead of stopping.
        scan_zeros: look for zeros in the values of the weights, see ``codesign.trace``.

    Raises:
        ModelError: the spec names nothing, the model does not take an option, or building it fails.
        TraceError: the trace file breaks a rule of its format.
        CaptureError: the model cannot be captured.
    """
    asked = zip(OPTIONS, (batch, seq_len, steps), strict=True)
    given = {option: value for option, value in asked if value is not None}
    if spec.endswith((".json", ".json.gz", ".pt2")):
        _require_file(spec, given)
    if spec.endswith((".json", ".json.gz")):
        from codesign.workload.file import load_trace

        if scan_zeros:
            raise ModelError(
                f"{spec} is a trace, which holds no values to scan for zeros; name the model that "
                "it was made from instead"
            )
        return load_trace(spec)
    capture: dict[str, Any] = {
        "name": spec,
        "plugins": plugins,
        "allow_unsupported": allow_unsupported,
        "scan_zeros": scan_zeros,
    }
    if spec.endswith(".pt2"):
        from codesign.workload.capture import load_pt2, trace

        return trace(load_pt2(spec), **capture)
    if ":" in spec and not spec.startswith("hf:"):
        return _from_factory(spec, given, capture)
    return _from_entry(spec, _entry(spec, plugins), given, capture)


def list_models(plugins: Sequence[Path | str] = ()) -> dict[str, ModelEntry]:
    """Every model that can be named, with its description and options, in order of the names."""
    offered = registry(plugins).get("codesign_models")
    return dict(sorted(offered.items()))


def _require_file(spec: str, given: Mapping[str, int]) -> None:
    _refuse_folder(spec)
    if not os.path.isfile(spec):
        raise ModelError(f"{spec} does not exist; a model is {_FORMS}")
    if given:
        raise ModelError(
            f"{spec} has fixed shapes, so it does not take {' and '.join(given)}; "
            "name the model that it was made from instead"
        )


def _refuse_folder(spec: str) -> None:
    if os.path.isdir(spec):
        raise ModelError(f"{spec} is a folder; a model is {_FORMS}")


def _entry(spec: str, plugins: Sequence[Path | str]) -> ModelEntry:
    if spec.startswith("hf:"):
        from codesign.zoo.huggingface import entry

        return entry(spec.removeprefix("hf:"))
    known = list_models(plugins)
    if spec not in known:
        _refuse_folder(spec)
        raise ModelError(
            f"unknown model {spec!r}{did_you_mean(spec, known)}; a model is {_FORMS}"
            f"{registry(plugins).lost()}"
        )
    return known[spec]


def _from_entry(
    spec: str, entry: ModelEntry, given: Mapping[str, int], capture: Mapping[str, Any]
) -> Trace:
    module, args, kwargs = entry.example(spec, given)
    from codesign.workload.capture import trace

    return trace(module, args, kwargs, roles=entry.roles, **capture)


def _from_factory(spec: str, given: Mapping[str, int], capture: Mapping[str, Any]) -> Trace:
    # what the user's code prints is no part of our output
    with _current_folder_importable(), contextlib.redirect_stdout(sys.stderr):
        factory = _factory(spec)
        check_options(spec, given, _options_of(factory))
        from codesign.workload.capture import trace
        from codesign.zoo.build import example_from

        module, args, kwargs = example_from(factory, given, spec)
        return trace(module, args, kwargs, **capture)


def _factory(spec: str) -> Callable[..., Any]:
    path, _, name = spec.partition(":")
    try:
        module = importlib.import_module(path)
    except CodesignError:
        raise
    except OF_OTHERS as error:  # the user's code runs here; say what it raised
        raise ModelError(
            f"{spec}: importing {path!r} failed: {raised(error, *_file(path))}; "
            "write package.module:factory as it is imported from the current folder"
        ) from error
    if not callable(getattr(module, name, None)):
        known = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        raise ModelError(f"{path} has no function {name!r}{did_you_mean(name, known)}")
    found: Callable[..., Any] = getattr(module, name)
    return found


def _file(module: str) -> list[Path]:
    """The file that a module is written in; nothing where there is none of that name."""
    with contextlib.suppress(ImportError, ValueError):
        spec = importlib.util.find_spec(module)
        return [Path(spec.origin)] if spec and spec.origin else []
    return []


def _options_of(factory: Callable[..., Any]) -> list[str]:
    parameters = inspect.signature(factory).parameters.values()
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    names = [parameter.name for parameter in parameters]
    return [option for option in OPTIONS if takes_any or option in names]


@contextmanager
def _current_folder_importable() -> Iterator[None]:
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
