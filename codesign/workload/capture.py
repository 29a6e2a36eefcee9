"""Capture: a PyTorch module becomes a neutral graph. Only modules ``capture*`` import torch.

The module is exported where it lives, in non-strict mode and under fake tensors, so that a model on
the meta device needs no weight memory and one on the CPU no second copy. ``run_decompositions``
with an empty table makes mutation visible and keeps composite operators whole: the default table
would unroll an LSTM over time.
"""

from __future__ import annotations

import inspect
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram
from torch.utils import _pytree as pytree

from codesign.errors import OF_OTHERS, CaptureError, no_file
from codesign.plugins import registry
from codesign.workload.capture_error import diagnose, without_graphs
from codesign.workload.capture_inputs import check_choices, check_inputs, check_keywords, misfit
from codesign.workload.capture_recurrent import one_step_shapes
from codesign.workload.capture_weights import (
    dense_layouts,
    read_subclasses,
    refuse_sparse,
    sparse_paths,
    stored_data,
)
from codesign.workload.capture_zeros import Scan, Values, find_zeros, with_zeros
from codesign.workload.convert import convert_graph
from codesign.workload.lower import lower
from codesign.workload.pruned import fold_masks
from codesign.workload.quantised import fold_weights
from codesign.workload.quantised_flow import keep_integers
from codesign.workload.record import Role, Trace


def trace(
    model: nn.Module | ExportedProgram,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    roles: Mapping[str, Role] | None = None,
    name: str | None = None,
    fuse: bool = True,
    allow_unsupported: bool = False,
    plugins: Sequence[Path | str] = (),
    branch_probability: float | None = None,
    loop_steps: int | None = None,
    scan_zeros: bool = False,
    expect: Mapping[str, str] | None = None,
) -> Trace:
    """Captures a model and lowers it to a trace.

    Args:
        model: a module (``torch.fx.GraphModule`` included) on the meta device or with weights, or
            an exported program. Its training mode and its weights are left as they are.
        args: example arguments; only shapes and number formats matter.
        kwargs: example keyword arguments.
        roles: role by pattern of argument path, for example ``{"cache.*": "state"}`` for a KV
            cache that the caller owns. Patterns are those of ``fnmatch``.
        name: what to call the trace; the class name by default.
        fuse: whether to run the fusion passes.
        allow_unsupported: report operators without a lowering instead of stopping.
        plugins: folders with further plugin files.
        branch_probability: chance of the true side of every ``torch.cond``, 0 to 1; only the
            likelier side is counted and replayed.
        loop_steps: trip count of every ``while_loop``; by default that of its counter.
        scan_zeros: look for zeros in the values of the weights; those with a pruning mask or a
            sparse layout are always looked at. A tensor with fewer than one zero in 16 has none.
        expect: what weights must follow, by pattern of their names, such as
            ``{"encoder.*": "2:4"}`` or ``"2:4 axis 1"``; checked against their values.

    Raises:
        CaptureError: the model cannot be captured as one graph; the message names the cause, the
            line of the model and the remedy. Or its weights have no values to look at.
        TraceError: a weight does not follow what is expected of it.
        UnsupportedOperatorError: operators without a lowering.
    """
    if isinstance(model, ExportedProgram):
        exported, title = model, name or "exported"
    elif isinstance(model, nn.Module):
        # what torch.compile makes holds the module, with the same weights under other names
        model = getattr(model, "_orig_mod", model)
        exported, title = export(model, args, kwargs), name or type(model).__name__
    else:
        raise CaptureError(
            "a model must be a torch.nn.Module or an exported program, got "
            f"{model!r:.60}; {_instead(model)}"
        )
    return trace_exported(
        exported,
        roles=roles,
        name=title,
        fuse=fuse,
        allow_unsupported=allow_unsupported,
        plugins=plugins,
        branch_probability=branch_probability,
        loop_steps=loop_steps,
        scan_zeros=scan_zeros,
        expect=expect,
        model=model if isinstance(model, nn.Module) else None,
    )


def trace_exported(
    exported: ExportedProgram,
    *,
    roles: Mapping[str, Role] | None = None,
    name: str = "exported",
    fuse: bool = True,
    allow_unsupported: bool = False,
    plugins: Sequence[Path | str] = (),
    branch_probability: float | None = None,
    loop_steps: int | None = None,
    scan_zeros: bool = False,
    expect: Mapping[str, str] | None = None,
    model: nn.Module | None = None,
) -> Trace:
    """Lowers an exported program to a trace; see ``trace`` for the arguments.

    Args:
        exported: the program.
        roles: role by pattern of argument path.
        name: what to call the trace.
        fuse: whether to run the fusion passes.
        allow_unsupported: report operators without a lowering instead of stopping.
        plugins: folders with further plugin files.
        branch_probability: chance of the true side of every ``torch.cond``, 0 to 1; only the
            likelier side is counted and replayed.
        loop_steps: trip count of every ``while_loop``; by default that of its counter.
        scan_zeros: look for zeros in the values of the weights.
        expect: what weights must follow, by pattern of their names.
        model: the module it came from, for the names of its arguments.

    Raises:
        CaptureError: the program cannot be made functional, or a role matches no argument, or
            there are no values to look at.
        TraceError: a weight does not follow what is expected of it.
        UnsupportedOperatorError: operators without a lowering.
    """
    check_choices(roles, branch_probability, loop_steps)
    refuse_sparse(exported)
    subclasses = read_subclasses(exported)
    functional = make_functional(exported)
    paths = argument_paths(functional, model)
    pruned = fold_masks(convert_graph(functional, paths, dict(roles or {}), subclasses.names))
    folded = fold_weights(pruned.graph, subclasses.formats)
    values = Values(stored_data(functional), folded.zeros, pruned.masks)
    scan = Scan(scan_zeros, expect or {}, sparse_paths(model) if model is not None else ())
    zeros = find_zeros(folded.graph, values, scan)
    lowered = lower(
        keep_integers(folded.graph),
        registry(plugins),
        name=name,
        fuse=fuse,
        allow_unsupported=allow_unsupported,
        notes=[*(folded.notes if folded.zeros else _notes(functional)), *_sizes_taken(functional)],
        branch_probability=branch_probability,
        loop_steps=loop_steps,
    )
    return with_zeros(lowered, zeros)


def _instead(model: object) -> str:
    """What to give in the place of something that is no model."""
    way = "give an instance, and its example inputs in args"
    if not isinstance(model, (str, Path)):
        return way
    return f"{way}: codesign.simulate takes a name, and codesign.load_trace reads a trace file"


def load_pt2(path: Path | str) -> ExportedProgram:
    """Reads a program that ``torch.export.save`` wrote.

    Raises:
        CaptureError: no such file, or one that is no exported program.
    """
    if not os.path.isfile(path):
        raise CaptureError(f"{path}: {no_file(path)}; give one that torch.export.save wrote")
    with _quiet():
        try:
            return torch.export.load(path)
        except OF_OTHERS as error:  # torch raises anything; the user gets one line
            raise CaptureError(
                f"{path} cannot be read as an exported program ({type(error).__name__}); "
                "write it with torch.export.save(program, path)"
            ) from error


def export(
    model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None
) -> ExportedProgram:
    """Exports a module as it behaves in evaluation mode, in non-strict mode.

    Raises:
        CaptureError: the export failed, or ``forward`` takes no argument of such a name.
    """
    check_inputs(args, kwargs)
    check_keywords(model, kwargs or {})
    device = next((t.device for t in model.state_dict(keep_vars=True).values()), None)
    placed = pytree.tree_map(lambda leaf: _placed(leaf, device), (tuple(args), dict(kwargs or {})))
    surroundings = _evaluating(model), dense_layouts(model), _on_any_machine(), torch.no_grad()
    with ExitStack() as stack:
        for context in (one_step_shapes(), _quiet(), without_graphs(), *surroundings):
            stack.enter_context(context)
        try:
            return torch.export.export(model, placed[0], placed[1], strict=False)
        except OF_OTHERS as error:  # torch raises anything; the user gets one line
            raise misfit(model, *placed) or diagnose(error) from error


def make_functional(exported: ExportedProgram) -> ExportedProgram:
    """The program with every mutation visible and its composite operators whole.

    Raises:
        CaptureError: torch cannot make it functional.
    """
    with one_step_shapes(), _quiet():
        try:
            return exported.run_decompositions({})
        except OF_OTHERS as error:  # torch raises anything; the user gets one line
            raise diagnose(error) from error


def argument_paths(exported: ExportedProgram, model: nn.Module | None) -> dict[str, str]:
    """Path of each user input in the argument tree (``cache.0.key``) by placeholder name."""
    names = list(exported.graph_signature.user_inputs)
    spec = exported.call_spec.in_spec
    if spec is None or spec.num_leaves != len(names):
        return {}
    tree = pytree.tree_unflatten(list(range(spec.num_leaves)), spec)
    leaves, _ = pytree.tree_flatten_with_path(tree)
    positional = _positional(model) if model is not None else []
    found = {}
    for (keys, _), name in zip(leaves, names, strict=True):
        parts = [_key(key) for key in keys]
        # the first key tells args from kwargs, the second is a position or a keyword
        if parts[0] == "0" and int(parts[1]) < len(positional):
            parts[1] = positional[int(parts[1])]
        if str(name) and not parts[1].isdigit():
            found[str(name)] = ".".join(parts[1:])
    return found


def _positional(model: nn.Module) -> list[str]:
    parameters = inspect.signature(model.forward).parameters.values()
    named = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [parameter.name for parameter in parameters if parameter.kind in named]


def _key(key: Any) -> str:
    for field in ("key", "idx", "name"):
        if hasattr(key, field):
            return str(getattr(key, field))
    return str(key)


def _placed(leaf: Any, device: torch.device | None) -> Any:
    if isinstance(leaf, torch.Tensor) and device is not None and leaf.device != device:
        return torch.empty_like(leaf, device=device)
    return leaf


def _notes(exported: ExportedProgram) -> list[str]:
    formats = {t.dtype for t in exported.parameters()}
    return ["float model captured at fp32"] if formats == {torch.float32} else []


def _sizes_taken(exported: ExportedProgram) -> list[str]:
    """That dynamic extents of inputs stand at those of the example; nothing of static ones."""
    inputs = set(exported.graph_signature.user_inputs)
    shapes = {
        node.name: node.meta["val"].shape
        for node in exported.graph.nodes
        if node.name in inputs and isinstance(node.meta["val"], torch.Tensor)
    }
    taken = ", ".join(
        f"axis {axis} of {name} {int(extent)}"
        for name, shape in shapes.items()
        for axis, extent in enumerate(shape)
        if not isinstance(extent, int)
    )
    return [f"dynamic sizes stand at those of the exported example: {taken}"] if taken else []


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    # the fused CPU kernel of nn.TransformerEncoderLayer would hide its operators
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        # what was exported before has its mode written into its graph, and refuses to change it
        with suppress(NotImplementedError):
            model.eval()
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
        for module, training in modes:
            module.training = training


@contextmanager
def _on_any_machine() -> Iterator[None]:
    """No kernel is chosen by the processor that captures, as torchao does for integer products."""
    kernels = sys.modules.get("torchao.kernel.intmm")
    question = "_cpu_is_vnni_supported"
    if not hasattr(kernels, question):
        yield
        return
    answer = getattr(kernels, question)
    setattr(kernels, question, lambda: False)
    try:
        yield
    finally:
        setattr(kernels, question, answer)


@contextmanager
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
