"""From what the user calls a model to its trace."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codesign.code_file import SUFFIX, importable, split_code, what_to_give
from codesign.errors import (
    CaptureError,
    ModelError,
    TraceError,
    UnsupportedOperatorError,
    did_you_mean,
)
from codesign.factory import check_call, find_factory
from codesign.mistaken import SUFFIXES, mistaken, mistaken_json
from codesign.plugins import registry

if TYPE_CHECKING:
    from codesign.workload.record import Trace
    from codesign.zoo import ModelEntry

OPTIONS = ("batch", "seq_len", "steps")
"""What the user can choose about the example input of a model."""
_FORMS = (
    "a zoo name, FILE.py:FUNCTION, package.module:function, hf:CONFIGCLASS, a .pt2 file or a trace "
    "file"
)


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
            (``.pt2``), ``FILE.py:FUNCTION`` or ``package.module:function``, ``hf:CONFIGCLASS`` or
            a name of ``list_models``. A module is also looked for in the current folder. The
            function is called with those of the options below that are given, and returns
            ``(module, args)`` or ``(module, args, kwargs)``; it decides itself whether to build on
            the meta device.
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
        try:
            return load_trace(spec)
        except TraceError as error:
            if told := mistaken_json(spec):
                raise ModelError(told) from error
            raise
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
        code = sorted(Path(spec).glob("[!_]*.py"))
        way = f"a function in it, such as {code[0]}:FUNCTION" if code else _FORMS
        raise ModelError(mistaken(spec) or f"{spec} is a folder; a model is {way}")


def _refuse_other(spec: str, plugins: Sequence[Path | str]) -> None:
    """Says what a file is that is no model, or a module without the function in it."""
    if told := mistaken(spec):
        raise ModelError(told)
    if any((folder / f"{spec}.yaml").is_file() for folder in registry(plugins).folders()):
        raise ModelError(f"{spec} is a preset of hardware and no model; give it as hardware")
    if os.path.isfile(spec):
        raise ModelError(f"{spec} is a file of no kind that holds a model; a model is {_FORMS}")
    if spec.endswith(SUFFIX):
        raise ModelError(f"{spec} does not exist; give FILE.py:FUNCTION of a file that exists")
    code = spec.replace(".", os.sep) + SUFFIX
    if os.path.isfile(code):
        raise ModelError(what_to_give(code))
    if Path(spec).suffix.lower() in SUFFIXES or os.sep in spec:
        raise ModelError(f"{spec} does not exist; a model is {_FORMS}")


def _entry(spec: str, plugins: Sequence[Path | str]) -> ModelEntry:
    if spec.startswith("hf:"):
        from codesign.zoo.huggingface import entry

        return entry(spec.removeprefix("hf:"))
    known = list_models(plugins)
    if spec not in known:
        _refuse_folder(spec)
        _refuse_other(spec, plugins)
        raise ModelError(
            f"unknown model {spec[:80]!r}{did_you_mean(spec[:80], known)}; a model is {_FORMS}"
            f"{registry(plugins).lost()}"
        )
    return known[spec]


def _from_entry(
    spec: str, entry: ModelEntry, given: Mapping[str, int], capture: Mapping[str, Any]
) -> Trace:
    module, args, kwargs = entry.example(spec, given)
    from codesign.workload.capture import trace

    try:
        return trace(module, args, kwargs, roles=entry.roles, **capture)
    except UnsupportedOperatorError:
        raise
    except CaptureError as error:
        if not spec.startswith("hf:"):
            raise
        raise ModelError(
            f"{spec} cannot be captured with {', '.join(kwargs)} alone, which is all that codesign "
            f"makes up for it: {error}; write a function that gives it what it needs"
        ) from error


def _from_factory(spec: str, given: Mapping[str, int], capture: Mapping[str, Any]) -> Trace:
    # what the user's code prints is no part of our output
    with importable(split_code(spec)[0]), contextlib.redirect_stdout(sys.stderr):
        factory = find_factory(spec)
        check_call(spec, factory, given, OPTIONS)
        from codesign.workload.capture import trace
        from codesign.zoo.build import example_from

        module, args, kwargs = example_from(factory, given, spec)
        return trace(module, args, kwargs, **capture)
