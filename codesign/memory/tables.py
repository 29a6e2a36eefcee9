"""The state of a run as numpy sees it: one array, and a table for each kind of record in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codesign.memory.mapping import Ints


@dataclass(frozen=True, slots=True)
class Table:
    """The records of one kind.

    Attributes:
        rows: a record in each row; changes are changes of the state.
        first: place of the first record in the array.
    """

    rows: Ints
    first: int

    @property
    def places(self) -> Ints:
        """Where each record starts."""
        count, fields = self.rows.shape
        places: Ints = self.first + np.arange(count, dtype=np.int64) * fields
        return places

    @property
    def end(self) -> int:
        """Place behind the last record."""
        return self.first + self.rows.size


@dataclass(frozen=True, slots=True)
class Tables:
    """The state of a run as tables that share the memory of one array.

    Attributes:
        numbers: the array.
        channels: records of channels.
        ranks: of ranks, over all channels.
        banks: of banks.
        listed: the lists of banks of each channel.
        requests: records of requests.
        log: of commands, as far as there is room.
    """

    numbers: Ints
    channels: Table
    ranks: Table
    banks: Table
    listed: Table
    requests: Table
    log: Table
