"""Fewer layers: residual blocks left out, as in layer pruning of language models."""

from __future__ import annotations

from collections.abc import Sequence

from codesign.errors import TraceError
from codesign.workload.record import Item, Op, Tensor, Trace
from codesign.workload.rewrite import every_op, redirect
from codesign.workload.rewrites.blocks import Block, block_at, matching_paths, parts_of
from codesign.workload.rewrites.edit import finished, known, listed, replaced


def drop_layers(trace: Trace, patterns: str | Sequence[str]) -> Trace:
    """Leaves out residual blocks: whoever read the output of one reads its input.

    A residual block adds its result to one tensor from before it, or scales, normalises or moves
    that tensor, and writes one tensor of the same shape. A module whose output goes through a
    matrix on every way is none, whatever its shape.

    Parameters, constants and state (such as caches of keys and values) that only the blocks use go
    with them. The note gives the saving in parameters and in FLOPs of matrix work, which differ.

    Args:
        trace: of the whole model.
        patterns: of module paths such as ``blocks.2[2-7]``; the outermost modules that match.

    Raises:
        TraceError: nothing matches, or a block that is no block between two tensors of one shape.
    """
    paths = matching_paths(known(trace, "drop_layers"), patterns, "drop_layers")
    made = trace
    for path in paths:
        made = _without(made, path)
    layers = f"{len(paths)} layers" if len(paths) > 1 else "1 layer"
    note = f"{layers} dropped ({listed(paths)})"
    return finished(made, made.items, made.tensors, note, before=trace)


def _without(trace: Trace, path: str) -> Trace:
    block = block_at(trace, path)
    output = _output(trace, block)
    source = _source(trace, block, output)
    by: dict[str, tuple[Op, ...]] = dict.fromkeys(block.names, ())
    kept = tuple(tensor for tensor in trace.tensors if tensor.name not in block.stored)
    if output.role == "output" and source.role != "activation":
        raise TraceError(
            f"drop_layers: {path} is all that stands between {source.name!r} and the output of the "
            "model; drop another block"
        )
    if output.role == "output" and source.name in block.handed:
        # the last state of a loop is copied, as where a model returns it
        name, views = f"{source.name}.copy", (source.access(), output.access())
        by[block.ops[-1].name] = (Op(name, "move", views[:1], views[1:], module=path),)
        return trace.replace(items=replaced(trace.items, by), tensors=kept)
    gone, stays = (source, output) if output.role == "output" else (output, source)
    items = redirect(replaced(trace.items, by), gone, stays.access())
    return trace.replace(items=items, tensors=kept)


def _output(trace: Trace, block: Block) -> Tensor:
    if len(block.writes) != 1:
        names = listed(tensor.name for tensor in block.writes)
        raise TraceError(
            f"drop_layers: {block.path} must write one tensor for others, writes "
            f"{len(block.writes)} ({names}); name a whole residual block"
        )
    (output,) = block.writes
    if output.name in block.handed or not _is_whole(trace.items, block):
        raise TraceError(
            f"drop_layers: {block.path} hands {output.name!r} from step to step or stands only "
            "partly inside a region or branch; name a block around it"
        )
    return output


def _is_whole(items: tuple[Item, ...], block: Block) -> bool:
    """Whether its operators stand in one sequence of items, as they are or in whole regions."""
    found = [(item, {op.name for op in every_op((item,))}) for item in items]
    touched = [(item, names) for item, names in found if names & block.names]
    if len(touched) == 1 and not touched[0][1] <= block.names:
        item = touched[0][0]
        return not isinstance(item, Op) and any(_is_whole(p, block) for p in parts_of(item))
    return bool(touched) and all(names <= block.names for _, names in touched)


def _source(trace: Trace, block: Block, output: Tensor) -> Tensor:
    """What the block adds to, found from its output back along the shortcuts."""
    makers = {access.tensor.name: op for op in block.ops for access in op.outputs}
    found: dict[str, Tensor] = {}
    waiting, seen = [output], set(block.held)
    while waiting:
        tensor = waiting.pop()
        maker = makers.get(tensor.name)
        if tensor.name in seen:
            continue
        seen.add(tensor.name)
        if maker is None:
            found[tensor.name] = tensor
        else:
            waiting += [one for one in _shortcuts(maker) if _is_alike(one, output)]
    if len(found) != 1:
        what = listed(found) or "none"
        raise TraceError(
            f"drop_layers: {block.path} must add its result {list(output.shape)} to one tensor "
            f"from before it, found {what}; only residual blocks can be dropped, with their sum "
            "inside"
        )
    (source,) = found.values()
    _check_nothing_idle(trace, block, source)
    return source


def _shortcuts(op: Op) -> list[Tensor]:
    """What an operator hands on beside its work: what it adds, scales, normalises or moves."""
    first = 2 if op.kind == "contraction" else 0
    if op.kind not in ("contraction", "elementwise", "normalize", "move"):
        return []
    tensors = [access.tensor for access in op.inputs[first:]]
    return [tensor for tensor in tensors if tensor.role not in ("weight", "constant")]


def _check_nothing_idle(trace: Trace, block: Block, source: Tensor) -> None:
    """Refuses a part of a block whose other inputs nobody would read any more."""
    others = [op for op in every_op(trace.items) if op.name not in block.names]
    read = {access.tensor.name for op in others for access in op.inputs} | block.handed
    for tensor in block.reads:
        if tensor.role == "activation" and tensor.name not in read | {source.name}:
            raise TraceError(
                f"drop_layers: without {block.path} nobody reads {tensor.name!r}; name the block "
                "around both"
            )


def _is_alike(one: Tensor, two: Tensor) -> bool:
    shapes = [[extent for extent in tensor.shape if extent != 1] for tensor in (one, two)]
    return shapes[0] == shapes[1] and one.dtype == two.dtype
