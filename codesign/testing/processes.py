"""What holds for every process engine: it is replayed on small operators and watched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from codesign.errors import OF_OTHERS, CodesignError
from codesign.hardware.component import Descriptor, Engine, Link, Memory, Service
from codesign.hardware.spec import Hardware
from codesign.mapping.place import place
from codesign.raised import raised
from codesign.replay.process_check import check_process
from codesign.testing.plans import check_actions, most_bytes
from codesign.testing.rules import expect
from codesign.workload.record import Op, Trace

if TYPE_CHECKING:
    from codesign.replay.run import Replay

_SIZE = 1 << 20  # bytes of buffer, in which every small operator fits whole
_RATE = 10**9  # bytes per second


@dataclass(frozen=True, kw_only=True)
class _Store(Memory):
    kind: ClassVar[str] = "kit-memory"

    def service(self, descriptors: Sequence[Descriptor]) -> Service:
        return Service(_RATE)

    def energies_j(self) -> dict[str, float]:
        return {"read": 1e-12, "write": 1e-12}


@dataclass(frozen=True, kw_only=True)
class _Wire(Link):
    kind: ClassVar[str] = "kit-link"

    @property
    def bytes_per_s(self) -> int:
        return _RATE

    def energies_j(self) -> dict[str, float]:
        return {"move": 1e-12}


def check_process_engine(engine: Engine, op: Op) -> None:
    """Replays one operator on a process engine, alone before a memory, and checks what it did.

    It has to end, to load the compulsory bytes of every input and to store every output once, to
    charge an action, to compute where there are multiply-accumulates, and to do the same again
    when asked again.

    Args:
        engine: an engine that overrides ``process``.
        op: an operator that it supports.

    Raises:
        AssertionError: says which promise is broken and what to change.
    """
    title = f"{engine.kind}.process({op.name!r})"
    replay = _replayed(title, engine, op)
    _check_moves(title, op, [move[1:] for move in replay.moves])
    actions = [action[1:] for action in replay.actions]
    check_actions(title, engine, actions)
    expect(
        any(count for _, _, count in actions),
        f"{title}: charges no action; tell ports.act what it did and energies_j what that costs",
    )
    expect(
        replay.busy[engine.name] > 0 or not op.macs,
        f"{title}: computes for 0 s on {op.macs} MACs; let them pass with ports.compute",
    )
    expect(
        _replayed(title, engine, op) == replay,
        f"{title}: two runs differ; keep no state and draw no random numbers",
    )


def _replayed(title: str, engine: Engine, op: Op) -> Replay:
    from codesign.replay.run import replay  # lazily: most plugin authors never need SimPy

    try:
        trace = Trace(op.name, (op,), tuple({a.tensor: None for a in op.operands}))
        hardware = _machine(engine)
        return replay(place(trace, hardware), hardware)
    except CodesignError as error:
        raise AssertionError(f"{title}: {error}") from error
    except OF_OTHERS as error:
        raise AssertionError(
            f"{title}: raised {raised(error, engine)}; a process ends without an exception"
        ) from error


def _machine(engine: Engine) -> Hardware:
    """The engine with its buffer before a larger memory."""
    buffer, home, link = engine.buffer, f"{engine.buffer}-home", f"{engine.buffer}-link"
    parts = (
        engine,
        _Store(name=buffer, size=_SIZE),
        _Wire(name=link, connects=(home, buffer)),
        _Store(name=home, size=64 * _SIZE),
    )
    return Hardware("conformance", "", None, {part.name: part for part in parts})


def _check_moves(title: str, op: Op, moves: list[tuple[int, int, bool]]) -> None:
    try:
        check_process(op, moves, (False,) * len(op.operands))
    except CodesignError as error:
        raise AssertionError(f"{title}: {error}") from error
    stored, stores = Counter[int](), Counter[int]()
    for operand, size, load in moves:
        if not load:
            stored[operand] += size
            stores[operand] += 1
    for operand, got in stored.items():
        expect(
            operand >= len(op.inputs),
            f"{title}: stores operand {operand}, which the operator only reads",
        )
        exact, most = op.operands[operand].bytes, most_bytes(op, operand, stores[operand])
        expect(
            got <= most,
            f"{title}: stores {got} B of operand {operand}, which has {exact} B; every output byte "
            "leaves exactly once",
        )
