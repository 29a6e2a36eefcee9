"""What one move is charged: bytes and actions of memories, bytes of links, along its whole way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from codesign.errors import CodesignError
from codesign.hardware.component import Descriptor, Direction, Memory
from codesign.hardware.plan import Move
from codesign.hardware.spec import Hardware
from codesign.mapping.charges import way
from codesign.mapping.codec import at_home, decoding, find_decoder
from codesign.mapping.placement import Assignment
from codesign.replay.result import Use
from codesign.replay.transfers import describe

Charge = tuple[str, str, str, int | Fraction]
"""Component, action, role and count of one thing that is charged."""


class Ways:
    """Charges of moves on one machine.

    Args:
        hardware: its components.
        uses: what its memories did beside reading and writing bytes.
    """

    def __init__(self, hardware: Hardware, uses: Mapping[str, Use]) -> None:
        self.hardware, self._uses = hardware, uses

    def charges(
        self, assignment: Assignment, move: Move, load: bool, base: int = 0
    ) -> Iterator[Charge]:
        """A memory counts what it serves and what that makes it do, a link what it carries.

        Args:
            assignment: whose move it is.
            move: bytes and access shape of an operand.
            load: whether it goes to the engine's buffer.
            base: first byte of the operand at home.
        """
        home = assignment.homes[move.operand]
        engine = self.hardware.engine(assignment.engine)
        stage = assignment.stage(move.operand, engine)
        tensor = assignment.op.operands[move.operand].tensor
        role, sent = tensor.role, at_home(move, assignment.op)
        link = find_decoder(home, stage, tensor, self.hardware) if load else None
        if link:
            yield link.name, decoding(tensor), role, tensor.elements_in(move.bytes)
        for name, action in way(*((home, stage) if load else (stage, home)), self.hardware):
            part = self.hardware.components[name]
            if not isinstance(part, Memory):
                yield name, action, role, sent.bytes
                continue
            yield (
                name,
                action,
                role,
                _served(part, move if link and name == stage else sent, action),
            )
            direction: Direction = "read" if action == "read" else "write"
            seen = describe(sent, direction, assignment.engine, base)
            for extra, rate in self._rates(part, seen).items():
                yield name, extra, role, rate * sent.bytes

    def _rates(self, memory: Memory, seen: Descriptor) -> Mapping[str, Fraction]:
        """Actions for each byte of a transfer.

        Raises:
            CodesignError: the memory acts, and the replay met no transfer of this class.
        """
        use = self._uses.get(memory.name)
        if use is None or not use.rates:
            return {}
        kind = memory.classify(seen)
        if kind not in use.rates:
            raise CodesignError(
                f"{memory.name}: the replay met no transfer of class {kind!r}; its classify must "
                "not depend on more than the transfer, report it"
            )
        return use.rates[kind]


def _served(memory: Memory, move: Move, action: str) -> int:
    """Bytes that a memory moves for a move, whose rows are as equal as whole bytes allow."""
    length, longer = divmod(move.bytes, move.rows)
    direction: Direction = "read" if action == "read" else "write"
    rows = (length + 1, longer), (length, move.rows - longer)
    return sum(
        memory.served_bytes(Descriptor(size, count, move.pitch, direction))
        for size, count in rows
        if size and count
    )
