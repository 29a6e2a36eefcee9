"""What a piece of hardware is: engines, memories and links, all frozen data without a clock.

A plugin subclasses one of the three bases as a frozen, keyword-only dataclass, gives every number
a unit type of ``codesign.units``, and returns the class from ``codesign_components``. A minimal
engine is under 60 lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict

from codesign.errors import HardwareError
from codesign.hardware.plan import Budget, Least, TilePlan
from codesign.hardware.provenance import Provenance
from codesign.memory.device import Device
from codesign.raised import unwritten
from codesign.units import Bytes, Watts
from codesign.workload.record import Op

Direction = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One DMA transfer as a memory sees it; KiB to MiB, never one burst.

    Attributes:
        row_bytes: adjacent bytes of one run.
        rows: number of runs.
        pitch: bytes from the start of one run to the next.
        direction: ``read`` or ``write``, seen from the memory.
        base: first byte address.
        initiator: name of the engine or process that asks.
        priority: higher goes first where the memory or link has priorities.
    """

    row_bytes: int
    rows: int
    pitch: int
    direction: Direction
    base: int = 0
    initiator: str = ""
    priority: int = 0

    @property
    def bytes(self) -> int:
        """Bytes asked for: all rows."""
        return self.row_bytes * self.rows


Shares = tuple[tuple[str, Fraction], ...]
"""Exact amounts by name."""


@dataclass(frozen=True, slots=True)
class Service:
    """How a memory serves the transfers that are active together.

    Attributes:
        bytes_per_s: joint rate of all of them in bytes asked for, a whole number of at least 1.
        actions: what the memory does beside reading and writing bytes, by name: how often for each
            byte asked for. Priced in ``energies_j``.
        states: power states by name: their shares of this time, at most 1 together; what is left
            is ``Memory.IDLE``.
    """

    bytes_per_s: int
    actions: Shares = ()
    states: Shares = ()


@dataclass(frozen=True, slots=True)
class Rest:
    """A power state that a memory enters when nothing has moved for a while.

    Attributes:
        name: of the state.
        after: ticks without a transfer after which it is entered, at least 1.
        exit: ticks that it takes to wake up; transfers wait for that.
    """

    name: str
    after: int
    exit: int


@dataclass(frozen=True, kw_only=True)
class Component:
    """A named part of the hardware.

    Attributes:
        name: key of the part in the hardware file.
        leakage: power that flows for the whole run.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True
    )
    kind: ClassVar[str]
    expected_error: ClassVar[str] = ""
    """How wrong the model of this kind is known to be, in a sentence that every result repeats."""

    name: str = ""
    leakage: Watts = 0.0

    @property
    def notes(self) -> tuple[str, ...]:
        """What every result says of this part: by default how wrong its kind is known to be."""
        return (self.expected_error,) if self.expected_error else ()

    @property
    def origins(self) -> tuple[Provenance, ...]:
        """Where the values come from that stand behind a field and not in the hardware file."""
        return ()

    @property
    def brings(self) -> tuple[Component, ...]:
        """Parts that come with this one and need no entry in the hardware file; none by default.

        Each is named after this one and a dot (``macro.cells``), and links connect it by that name.
        It brings nothing itself.
        """
        return ()

    @property
    def preparation(self) -> str:
        """What takes long once on this machine before the first run, for people; "" for nothing."""
        return ""

    def check(self) -> None:
        """Raises a HardwareError where two fields contradict each other; fine by default."""

    def energies_j(self) -> Mapping[str, float]:
        """Joules of one count of each action that a plan or a transfer may charge here."""
        return {}

    def energy_j(self, action: str, count: float) -> float:
        """Joules of ``count`` times ``action``.

        Raises:
            HardwareError: the component does not price that action. Nothing is free by accident.
        """
        table = self.energies_j()
        if action not in table:
            raise HardwareError(
                f"{self.name} ({self.kind}) has no energy for action {action!r}; "
                f"priced: {', '.join(sorted(table)) or 'none'}"
            )
        return table[action] * count


@dataclass(frozen=True, kw_only=True)
class Memory(Component):
    """A place where tensors live.

    Attributes:
        size: capacity.
    """

    off_chip: ClassVar[bool] = False
    IDLE: ClassVar[str] = "idle"
    """State of all time that no service and no rest accounts for."""

    size: Bytes

    def classify(self, descriptor: Descriptor) -> object:
        """What ``service`` tells apart: descriptors of one class behave alike. Hashable."""
        return descriptor.direction

    def served_bytes(self, descriptor: Descriptor) -> int:
        """Bytes that the memory moves for a transfer, never below those asked for; pure.

        All that is charged per byte counts these. By default a memory moves what it is asked for.
        """
        return descriptor.bytes

    def service(self, descriptors: Sequence[Descriptor]) -> Service:
        """Joint rate of the transfers active together; pure, and cached by their classes.

        The same in whatever order they are given. Who takes less than an equal share leaves the
        rest to the others; nobody is served faster than alone.
        """
        raise unwritten(self, "service(self, descriptors)")

    def ceiling(self, descriptor: Descriptor) -> int:
        """Bytes per second that no company makes a memory exceed, in bytes asked for; for bounds.

        By default the rate alone: override where transfers together may be faster.
        """
        return self.service((descriptor,)).bytes_per_s

    def latency_s(self, direction: Direction) -> float:
        """Seconds from asking for a transfer to its first byte, in which others may be served.

        Each transfer waits for it once, as for the set-up of a link. By default none.
        """
        return 0.0

    @property
    def alignment(self) -> int:
        """Bytes: addresses that differ by a multiple of it behave alike; a power of two or 1."""
        return 1

    def base(self, place: int) -> int:
        """Offset from an aligned address of the ``place``-th of the tensors that lie there."""
        return 0

    @property
    def bank_device(self) -> Device | None:
        """The device whose banks give its rates, with all channels; None without banks."""
        return None

    @property
    def endurance(self) -> float | None:
        """How often each byte can be written before it is worn; None where nobody counts."""
        return None

    @property
    def rests(self) -> tuple[Rest, ...]:
        """Power states entered one after the other while nothing moves, soonest first."""
        return ()

    @property
    def least_background(self) -> float:
        """Watts of ``background`` that flow in every state; for bounds. By default none."""
        return 0.0

    def background(self, ticks: Mapping[str, int]) -> Mapping[str, tuple[int, float]]:
        """What time costs here whatever moves: count and joules of each action.

        Args:
            ticks: in each power state; they add up to the run.
        """
        return {}


@dataclass(frozen=True, kw_only=True)
class Link(Component):
    """A shared path between memories.

    Attributes:
        connects: names of the memories it joins, at least two.
    """

    connects: tuple[str, ...]

    @property
    def separate(self) -> bool:
        """Whether the two directions have a channel each."""
        return False

    @property
    def bytes_per_s(self) -> int:
        """Rate of one channel."""
        raise unwritten(self, "bytes_per_s(self)")

    @property
    def setup_s(self) -> float:
        """Time from issuing a transfer to its first byte; each transfer pays it once."""
        return 0.0

    @property
    def decoders(self) -> Mapping[str, float]:
        """Codecs that it decodes where it is the last link before a buffer: elements per second.

        Each element charges the action ``decode <codec>`` here. None by default.
        """
        return {}


@dataclass(frozen=True, kw_only=True)
class Engine(Component):
    """Something that computes, tile by tile, out of a buffer.

    Attributes:
        buffer: name of the memory that its tiles are staged in.
    """

    takes_mappings: ClassVar[bool] = False
    """Whether ``plan`` keeps to ``Budget.fixed``; an engine that does not is not asked to."""

    buffer: str

    @property
    def stages(self) -> tuple[str, ...]:
        """Memories other than the buffer that it stages operands in; none by default."""
        return ()

    def stage(self, op: Op, operand: int) -> str:
        """Name of the memory that an operand is loaded into or stored from: by default the buffer.

        It is that, one of ``stages``, or a memory that the engine ``occupies`` and computes in.

        Args:
            op: an operator that it takes.
            operand: number of the operand, inputs first.
        """
        return self.buffer

    def stage_bytes(self, op: Op, operand: int) -> int | None:
        """Bytes that all of an operand takes where it is staged, if it may stay there; else None.

        By default its own bytes in the buffer, and None elsewhere. More than its own where it fills
        its place badly, such as a narrow matrix in wide rows of cells. ``plan`` is then asked with
        that operand resident.
        """
        own = op.operands[operand].tensor.plain_bytes
        return own if self.stage(op, operand) == self.buffer else None

    def decodes(self, op: Op, operand: int) -> tuple[str, ...]:
        """Codecs in which it takes an operand as it is stored; others need a link that decodes."""
        return ()

    @property
    def occupies(self) -> tuple[str, ...]:
        """Memories that a tile has for itself while it computes; none by default.

        Transfers that touch them stand still meanwhile, as where the units of a memory and its
        host share a channel.
        """
        return ()

    def supports(self, op: Op) -> str | None:
        """None if the engine takes the operator, else the reason why not, for people."""
        raise unwritten(self, "supports(self, op)")

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        """How the engine runs an operator it supports: a pure function of its arguments.

        Raises:
            MappingError: not even the smallest tile fits the budget.
        """
        raise unwritten(self, "plan(self, op, budget)")

    def least(self, op: Op) -> Least:
        """What none of its plans of an operator goes below: a study spares replays by it.

        Not more than what is said of parts that the operator is cut into. By default nothing.
        """
        return Least()

    process: ClassVar[Any] = None
    """Escape hatch: override with ``def process(self, env, op, ports)``, a SimPy generator, for an
    engine that cannot be a plan. Slower, never fast-forwarded, fully supported."""
