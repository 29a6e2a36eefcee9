"""What a trace is made of, in rows: its operators, their tensors, and both by module."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Protocol, TypeVar

from codesign.workload.record import Access, Op, Trace

_WILD = frozenset("*?[")


class Named(Protocol):
    """A row that is looked for by its name, its kind or role, or its module."""

    @property
    def words(self) -> tuple[str, ...]:
        """What a pattern may match, the name first."""


Row = TypeVar("Row", bound=Named)


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """One operator.

    Attributes:
        name: as ``--on``, rules of engines and mapping files call it.
        kind: one of ``codesign.workload.record.KINDS``.
        module: path of the PyTorch module that it came from.
        runs: how often it runs in one run of the model.
        inputs: shapes read.
        outputs: shapes written.
        formats: number formats of the operands, each once.
        loops: its loop nest, extents by name; empty without one.
        macs: multiply-accumulates of one of its runs.
        bytes: of its operands where they lie, each once.
        tensors: names of the operands, inputs first, as ``--pin`` calls them.
    """

    name: str
    kind: str
    module: str
    runs: int
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[int, ...], ...]
    formats: tuple[str, ...]
    loops: dict[str, int]
    macs: int
    bytes: int
    tensors: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """What a pattern may match: as rules of engines, and its module."""
        return self.name, f"kind:{self.kind}", self.module


@dataclass(frozen=True, slots=True)
class TensorRow:
    """One tensor that an operator uses.

    Attributes:
        name: as ``--pin`` calls it.
        role: one of ``codesign.workload.record.ROLES``.
        shape: of the tensor.
        format: number format of its elements.
        bytes: where it lies.
        uses: operators that read or write it.
    """

    name: str
    role: str
    shape: tuple[int, ...]
    format: str
    bytes: int
    uses: int

    @property
    def words(self) -> tuple[str, ...]:
        """What a pattern may match: as pins."""
        return self.name, f"role:{self.role}"


@dataclass(frozen=True, slots=True)
class ModuleRow:
    """A module and all below it.

    Attributes:
        path: of the module; empty for the model as a whole.
        operators: how many.
        macs: multiply-accumulates of one run of the model.
        bytes: of operands, summed over operators and their runs.
    """

    path: str
    operators: int
    macs: int
    bytes: int


def operator_rows(trace: Trace) -> tuple[OperatorRow, ...]:
    """One row for each operator, in order of the trace; of a branch, the side that counts."""
    return tuple(_operator(op, runs) for op, runs in trace.ops())


def tensor_rows(trace: Trace) -> tuple[TensorRow, ...]:
    """One row for each tensor that an operator uses, in order of first use."""
    found: dict[str, TensorRow] = {}
    for op, _ in trace.ops():
        for tensor in {access.tensor.name: access.tensor for access in op.operands}.values():
            row = found.get(tensor.name) or TensorRow(
                tensor.name, tensor.role, tensor.shape, str(tensor.dtype), tensor.bytes, 0
            )
            found[tensor.name] = replace(row, uses=row.uses + 1)
    return tuple(found.values())


def module_rows(rows: Iterable[OperatorRow]) -> tuple[ModuleRow, ...]:
    """Sums of operators by module, each module before those inside it.

    Args:
        rows: of the operators.
    """
    total: dict[tuple[str, ...], list[int]] = {}
    for row in rows:
        parts = tuple(row.module.split(".")) if row.module else ()
        for depth in range(len(parts) + 1):
            sums = total.setdefault(parts[:depth], [0, 0, 0])
            for place, more in enumerate((1, row.macs * row.runs, row.bytes * row.runs)):
                sums[place] += more
    return tuple(ModuleRow(".".join(path), *total[path]) for path in _nested(list(total)))


def matching(rows: Sequence[Row], pattern: str) -> tuple[Row, ...]:
    """The rows that a pattern means.

    Args:
        rows: of operators or tensors.
        pattern: with ``*``, ``?`` or ``[...]`` as in rules and pins; without, part of a name.
    """
    if _WILD.isdisjoint(pattern):
        return tuple(row for row in rows if any(pattern in word for word in row.words))
    return tuple(row for row in rows if any(fnmatchcase(word, pattern) for word in row.words))


def _operator(op: Op, runs: int) -> OperatorRow:
    operands = {access.tensor.name: access for access in op.operands}
    extents = dict(zip(op.nest.dims, op.nest.extents, strict=True)) if op.nest else {}
    return OperatorRow(
        op.name,
        op.kind,
        op.module,
        runs,
        _shapes(op.inputs),
        _shapes(op.outputs),
        tuple(dict.fromkeys(str(access.tensor.dtype) for access in op.operands)),
        extents,
        op.macs,
        sum(access.home_bytes for access in operands.values()),
        tuple(operands),
    )


def _shapes(accesses: Sequence[Access]) -> tuple[tuple[int, ...], ...]:
    return tuple(access.shape for access in accesses)


def _nested(paths: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Paths with each one's children behind it, in order of first use among brothers."""
    order = {path: place for place, path in enumerate(paths)}
    firsts = {path: tuple(order[path[:n]] for n in range(len(path) + 1)) for path in paths}
    return sorted(paths, key=lambda path: firsts[path])
