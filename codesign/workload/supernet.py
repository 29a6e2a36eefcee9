"""Sub-networks of a supernet: captured blocks, joined to the trace of the whole.

Capturing with torch takes fifty times as long as lowering and fusing what was captured. A block is
captured once for each distinct description; a sub-network joins the graphs of its blocks, and the
joint graph goes the way of every captured model from there on. What is lowered and fused is the
whole, so that a trace is what capturing the whole model at once would have given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from codesign.errors import CaptureError, CodesignError, did_you_mean
from codesign.plugins import registry
from codesign.workload.check import check_trace
from codesign.workload.convert import dtype_of
from codesign.workload.dtype import DType
from codesign.workload.graph import Value
from codesign.workload.lower import lower
from codesign.workload.pruned import fold_masks
from codesign.workload.quantised import fold_weights
from codesign.workload.quantised_flow import keep_integers
from codesign.workload.record import ROLES, Role, Trace
from codesign.workload.supernet_cache import Captures
from codesign.workload.supernet_join import Joint
from codesign.workload.supernet_part import Shape, shape_of

Reads: TypeAlias = "str | Sequence[Reads]"
"""Name of a tensor, or several of them, which a module gets as a tuple."""

_NAME = re.compile(r"\w[\w-]*(\.\w[\w-]*)*")


@dataclass(frozen=True)
class Block:
    """A block of a sub-network.

    Attributes:
        name: in front of the names of its operators and weights, such as ``encoder.3``; its result
            has this name too; of a tuple they are ``encoder.3.0``, ``encoder.3.1``.
        build: makes the module: a class of modules or a function. Blocks are equal if it is the
            same and gets the same options, and then they are captured once.
        options: its keyword arguments: numbers, texts, and tuples and dataclasses of them.
        reads: what the module is called with, in order: names of inputs and of results of blocks
            before it; a tuple of names for an argument that is a tuple of tensors. None for the
            result of the block before it, or for all inputs if it is the first.
    """

    name: str
    build: Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    reads: Reads | None = None


class Supernet:
    """Blocks of which sub-networks are made, each of them captured once.

    Args:
        folder: where captured blocks are kept from run to run; None to keep them in memory alone.
            A block is found again if it has the same options, shapes, code and versions.
        plugins: folders with further plugin files.
    """

    def __init__(
        self, folder: Path | str | None = None, *, plugins: Sequence[Path | str] = ()
    ) -> None:
        self._captures = Captures(None if folder is None else Path(folder))
        self._plugins = tuple(plugins)

    @property
    def captures(self) -> int:
        """Blocks that torch has captured so far; the others were known."""
        return self._captures.count

    def trace(
        self,
        blocks: Sequence[Block],
        inputs: Mapping[str, Any],
        *,
        outputs: Sequence[str] | None = None,
        roles: Mapping[str, Role] | None = None,
        name: str = "supernet",
        fuse: bool = True,
        allow_unsupported: bool = False,
        branch_probability: float | None = None,
        loop_steps: int | None = None,
    ) -> Trace:
        """The trace of a sub-network: equal to that of the whole model captured at once.

        Blocks are built on the meta device, so zeros in values of weights are not seen.

        Args:
            blocks: in the order in which they run.
            inputs: example tensors by name; only shapes and number formats matter.
            outputs: names of what the network returns; by default the results of the last block.
            roles: roles of inputs by name: ``state`` of a cache, ``weight`` of a table that
                several blocks share.
            name: what to call the trace.
            fuse: whether to run the fusion passes.
            allow_unsupported: report operators without a lowering instead of stopping.
            branch_probability: as of ``codesign.trace``, like the next.
            loop_steps: trip count of every ``while_loop``.

        Raises:
            CaptureError: a name that is unknown, given twice or not allowed, or a block that
                cannot be captured; with the name of the block.
            ModelError: a block that cannot be built.
            UnsupportedOperatorError: operators without a lowering.
        """
        _check_names(blocks, inputs, roles or {})
        network = _Network(self._captures, inputs)
        for block in blocks:
            network.add(block)
        graph = network.joint.graph(network.ends(outputs), roles or {})
        folded = fold_weights(fold_masks(graph).graph, network.joint.declared)
        trace = lower(
            keep_integers(folded.graph),
            registry(self._plugins),
            name=name,
            fuse=fuse,
            allow_unsupported=allow_unsupported,
            notes=folded.notes if folded.zeros else _notes(network.joint.formats),
            branch_probability=branch_probability,
            loop_steps=loop_steps,
        )
        check_trace(trace)
        return trace


class _Network:
    """A sub-network while its blocks are joined."""

    def __init__(self, captures: Captures, inputs: Mapping[str, Any]) -> None:
        self.joint = Joint()
        self._captures = captures
        self._known: dict[str, tuple[Value, Shape]] = {}
        self._last: tuple[str, ...] = tuple(inputs)
        for name, example in inputs.items():
            shape = _shape(name, example)
            value = self.joint.given(name, shape.extents, dtype_of(shape.format))
            self._known[name] = value, shape

    def add(self, block: Block) -> None:
        """Appends a block, captured or remembered."""
        reads = self._last if block.reads is None else block.reads
        reads = (reads,) if isinstance(reads, str) else reads
        try:
            arguments = tuple(self._arguments(read) for read in reads)
            part = self._captures.part(block.build, block.options, arguments)
            values = [self._find(name)[0] for name in _leaves(reads)]
            results = self.joint.add(block.name, part, values)
        except CodesignError as error:
            raise type(error)(f"block {block.name!r}: {error}") from error
        found = {
            f"{block.name}{place}": (value, shape)
            for value, (place, shape) in zip(results, part.results, strict=True)
            if shape is not None
        }
        self._known |= found
        self._last = tuple(found)

    def ends(self, outputs: Sequence[str] | None) -> list[Value]:
        """What the network returns."""
        names = self._last if outputs is None else tuple(outputs)
        return [self._find(name)[0] for name in names]

    def _arguments(self, read: Reads) -> Any:
        if isinstance(read, str):
            return self._find(read)[1]
        return tuple(self._arguments(part) for part in read)

    def _find(self, name: str) -> tuple[Value, Shape]:
        if name not in self._known:
            raise CaptureError(f"no tensor {name!r}{did_you_mean(name, self._known)}")
        return self._known[name]


def _leaves(reads: Sequence[Reads]) -> list[str]:
    return [
        name for read in reads for name in ((read,) if isinstance(read, str) else _leaves(read))
    ]


def _shape(name: str, example: Any) -> Shape:
    if not all(hasattr(example, part) for part in ("shape", "dtype", "stride")):
        raise CaptureError(
            f"input {name!r} must be an example tensor, got {type(example).__name__}; write for "
            "example torch.empty(1, 30, 512, device='meta')"
        )
    return shape_of(example)


def _check_names(
    blocks: Sequence[Block], inputs: Mapping[str, Any], roles: Mapping[str, Role]
) -> None:
    if not blocks or not inputs:
        raise CaptureError("a sub-network must have a block and an input or more; give both")
    taken: set[str] = set()
    for name in (*inputs, *(block.name for block in blocks)):
        if not _NAME.fullmatch(name):
            raise CaptureError(
                f"a name must be words with dots between, such as encoder.3, got {name[:60]!r}"
            )
        if name in taken:
            raise CaptureError(f"the name {name!r} is given twice; rename one")
        taken.add(name)
    for name in sorted(taken):
        _check_place(name, taken)
    for name, role in roles.items():
        if name not in inputs:
            raise CaptureError(f"roles: no input {name!r}{did_you_mean(name, inputs)}")
        if role not in ROLES:
            raise CaptureError(f"role of {name!r}: {role!r} is none{did_you_mean(role, ROLES)}")


def _check_place(name: str, taken: Collection[str]) -> None:
    """Names of results, weights and operators of a block lie inside its own."""
    parts = name.split(".")
    for count in range(1, len(parts)):
        above = ".".join(parts[:count])
        if above in taken:
            raise CaptureError(f"the name {name!r} must not lie inside {above!r}; rename one")


def _notes(formats: Collection[DType]) -> list[str]:
    return ["float model captured at fp32"] if set(map(str, formats)) == {"fp32"} else []
