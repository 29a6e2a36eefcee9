"""How a memory controller queues and schedules: the part of a device that is not silicon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from codesign.errors import HardwareError, did_you_mean

Style = Literal["dramsim3", "ramulator", "ideal"]
RowPolicy = Literal["open", "closed"]
Refresh = Literal["all_bank", "per_bank", "none"]


@dataclass(frozen=True, kw_only=True)
class Controller:
    """Queues and policies of one channel.

    Attributes:
        style: ``dramsim3``: read and write transaction queues feed one command queue per bank, one
            transaction a clock; round robin over the banks; the writes are drained in one go when
            their queue is full, or holds more than 8 and no command waits (Li et al., CAL 2020).
            ``ramulator``: one read and one write queue, the oldest ready first, writes between two
            watermarks (Luo et al., CAL 2023). ``ideal``: as ``ramulator`` with queues as long as
            the stream, for bounds.
        read_entries: reads that may wait.
        write_entries: writes that may wait.
        bank_entries: commands that may wait at a bank (``dramsim3``).
        row_hit_cap: row hits after which a waiting conflict may close the row.
        write_high: a share of the write queue above which writes go first (``ramulator``).
        write_low: a share below which reads go first again.
        row_policy: ``open`` keeps a row open until another is needed; ``closed`` closes it with the
            last waiting hit, or at ``row_hit_cap``.
        refresh: refresh all banks of a rank at once, one bank after the other, or never.
        offers_per_clock: requests that may enter the queues of all channels in one clock.
        shared_injection: one in-order queue feeds all channels, so that a request whose channel is
            full holds up the others; else each channel has its own.
    """

    style: Style = "ramulator"
    read_entries: int = 32
    write_entries: int = 32
    bank_entries: int = 8
    row_hit_cap: int = 4
    write_high: float = 0.8
    write_low: float = 0.2
    row_policy: RowPolicy = "open"
    refresh: Refresh = "all_bank"
    offers_per_clock: int = 16
    shared_injection: bool = True

    def check(self, name: str) -> None:
        """Refuses an unknown policy or an empty queue.

        Args:
            name: of the device, for the message.

        Raises:
            HardwareError: in one line.
        """
        for field, known in (("style", Style), ("row_policy", RowPolicy), ("refresh", Refresh)):
            if getattr(self, field) not in get_args(known):
                raise HardwareError(
                    f"{name}: unknown controller.{field} {getattr(self, field)!r}"
                    f"{did_you_mean(str(getattr(self, field)), get_args(known))}"
                )
        for field in (
            "read_entries",
            "write_entries",
            "bank_entries",
            "row_hit_cap",
            "offers_per_clock",
        ):
            if not 1 <= getattr(self, field) <= 1 << 20:
                raise HardwareError(
                    f"{name}: controller.{field} must be 1 to {1 << 20}, got "
                    f"{getattr(self, field)}; correct it"
                )
        if not 0 <= self.write_low < self.write_high <= 1:
            raise HardwareError(
                f"{name}: controller.write_low must be < write_high, both 0 to 1, got "
                f"{self.write_low} and {self.write_high}; mend one of them"
            )
