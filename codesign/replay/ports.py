"""What the replay hands to an engine that is a process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from codesign.errors import CodesignError
from codesign.hardware.component import Direction
from codesign.hardware.plan import Move
from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment
from codesign.mapping.prices import check_charge
from codesign.replay.process_check import check_process
from codesign.replay.transfers import Transfers
from codesign.units import cycles_to_ticks

if TYPE_CHECKING:
    from simpy import Environment, Event


class Ports:
    """``hardware.component.Ports`` for one run of one process engine.

    Attributes:
        started: the events of all transfers so far.
        moves: (operand, bytes, is a load) so far.
        actions: (component, action, count) so far.
        busy: compute ticks so far.
    """

    def __init__(
        self,
        assignment: Assignment,
        hardware: Hardware,
        transfers: Transfers,
        env: Environment,
        transfer: Callable[[int, int, Event], None],
    ) -> None:
        self._assignment, self._hardware, self._transfers = assignment, hardware, transfers
        self._env, self._begin = env, transfer
        self.started: list[Event] = []
        self.moves: list[tuple[int, int, bool]] = []
        self.actions: list[tuple[str, str, int]] = []
        self.busy = 0

    def load(self, operand: int, bytes: int) -> Event:
        """Starts a load."""
        return self._transfer(Move(operand, bytes), load=True)

    def store(self, operand: int, bytes: int) -> Event:
        """Starts a store."""
        return self._transfer(Move(operand, bytes), load=False)

    def compute(self, cycles: int, clock_hz: float) -> Event:
        """Lets so many cycles pass."""
        duration = cycles_to_ticks(cycles, clock_hz)
        self.busy += duration
        return self._env.timeout(duration)

    def act(self, component: str, action: str, count: int) -> None:
        """Charges actions."""
        check_charge(component, action, self._assignment, self._hardware)
        self.actions.append((component, action, count))

    def check(self) -> None:
        """Checks, once the process has ended, that it moved what its operator needs.

        Raises:
            CodesignError: it did not.
        """
        engine = self._hardware.engine(self._assignment.engine)
        homes = enumerate(self._assignment.homes)
        here = tuple(home == self._assignment.stage(operand, engine) for operand, home in homes)
        check_process(self._assignment.op, self.moves, here)

    def _transfer(self, move: Move, load: bool) -> Event:
        homes, name = self._assignment.homes, self._assignment.op.name
        if not 0 <= move.operand < len(homes):
            raise CodesignError(
                f"{name}: a process moves operand {move.operand}, the operator has "
                f"{len(homes)}; count inputs, then outputs, from 0"
            )
        over = self._env.event()
        self.started.append(over)
        direction: Direction = "read" if load else "write"
        part = self._transfers.part(self._assignment, {}, move, direction)
        if part is None:
            return over.succeed()
        number, size = part
        self.moves.append((move.operand, move.bytes, load))
        self._begin(number, size, over)
        return over
