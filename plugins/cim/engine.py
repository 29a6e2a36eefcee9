"""Compute-in-memory macros as an engine: weights lie in the cells, inputs stream past them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from codesign import Budget, Component, Engine, Op, TilePlan
from codesign.errors import HardwareError
from codesign.units import Bytes, Count, Hertz, Joules
from codesign.workload.dtype import DType

from .cells import Cells
from .layout import Layout, Pack, RowSplit, lay
from .mapping import map_contraction
from .physics import Array, Physics
from .rounds import Round
from .work import Work

_STORED = ("weight", "constant")


@dataclass(frozen=True, kw_only=True)
class Macros(Engine):
    """Equal macros that hold weights and multiply them by inputs from the buffer.

    Each macro holds ``sets`` tiles of ``rows`` x ``columns`` weights, one of which computes at a
    time; the macros work on different tiles of one operator. The cells are a memory of their own,
    ``<name>.cells``, which a link must connect: weights are loaded into it, and stay there between
    the steps of a recurrent region, or from run to run, where residency says so. What does not stay
    is loaded round by round.

    Attributes:
        rows: inputs of a matrix-vector product of one macro.
        columns: its outputs.
        macros: equal macros.
        sets: weight tiles that a macro holds.
        activation_bits: widest activation.
        weight_bits: of a weight; a narrower one takes as many cells.
        clock: of macro cycles; computed from the longest path if not given.
        row_split: ``linear`` fills all rows but those of the last tile; ``loop_factors`` keeps
            whole divisors of every loop of the reduction in a tile, as zigzag-dse does.
        pack: ``group`` lays small groups block by block in one tile; ``diagonal`` also lets
            neighbouring output pixels share one; ``none`` gives every group tiles of its own.
        double_buffer: whether the next weights are written into spare cells, as many again, while
            these compute; else macros stand still while weights are loaded.
        rewrite_operand: whether a product of two computed operands may write the second into the
            cells.
        partial_sum_bytes: of a sum that waits in the buffer for further rows.
        partial_sum_energy: of adding the sums of two row tiles; assumed.
        requantise_energy: of scaling and rounding one result; assumed.
        function_energy: of one fused function on one result. Functions follow the columns and add
            no time; assumed.
    """

    expected_error: ClassVar[str] = (
        "weights are laid out in the order in which they are loaded, once and uncharged; functions "
        "behind a macro cost energy but no time"
    )

    rows: Count = 128
    columns: Count = 128
    macros: Count = 1
    sets: Count = 1
    activation_bits: Count = 8
    weight_bits: Count = 8
    clock: Hertz | None = None
    row_split: RowSplit = "linear"
    pack: Pack = "group"
    double_buffer: bool = False
    rewrite_operand: bool = False
    partial_sum_bytes: Bytes = 4
    partial_sum_energy: Joules = 0.1e-12
    requantise_energy: Joules = 0.1e-12
    function_energy: Joules = 0.1e-12

    @property
    def physics(self) -> Physics:
        """What one macro does in a cycle."""
        raise NotImplementedError

    @property
    def cells(self) -> Cells:
        """The weight cells of all macros."""
        raise NotImplementedError

    def write_s(self, weights: Round) -> float:
        """Seconds in which macros write the tiles of a round, each its own, in equal shares."""
        raise NotImplementedError

    def filling_cycles(self, weights: Round) -> int:
        """Macro cycles of writing a round beyond those of its bytes at the ports."""
        beside = self.write_s(weights) - weights.weight_bytes / self.cells.bandwidth
        return max(0, math.ceil(beside * self.clock_hz - 1e-6))

    def mac_energies_j(self) -> Mapping[str, float]:
        """Joules of a multiply-accumulate by formats, where the parts are not known; else empty."""
        return {}

    def turning(self, rows: int, columns: int) -> Mapping[str, Array]:
        """Actions of a macro that turns to another of its weight tiles; none by default.

        Args:
            rows: that the tile uses.
            columns: that the tile uses.
        """
        return {}

    @property
    def brings(self) -> tuple[Component, ...]:
        """The cells."""
        return (self.cells,)

    @property
    def stages(self) -> tuple[str, ...]:
        """The cells."""
        return (f"{self.name}.cells",)

    def stage(self, op: Op, operand: int) -> str:
        """Weights go to the cells, all else to the buffer."""
        is_weight = op.kind == "contraction" and operand == 1
        return self.stages[0] if is_weight else self.buffer

    def stage_bytes(self, op: Op, operand: int) -> int | None:
        """Whole tiles for weights; what is computed does not stay in the cells."""
        if self.stage(op, operand) == self.buffer:
            return op.operands[operand].tensor.plain_bytes
        if op.operands[operand].tensor.role not in _STORED or self.supports(op):
            return None
        return self.layout(op).count * self.tile_bytes

    def supports(self, op: Op) -> str | None:
        """Takes contractions of whole numbers that are narrow enough, with stored weights."""
        if op.kind != "contraction":
            return f"takes contractions only, not {op.kind}"
        first, second = (op.inputs[n].tensor for n in (0, 1))
        widest = ((first, self.activation_bits), (second, self.weight_bits))
        for tensor, most in widest:
            if not _is_whole(tensor.dtype) or tensor.dtype.bits > most:
                return f"takes whole numbers of at most {most} bit, not {tensor.dtype}"
        if second.role not in _STORED and not self.rewrite_operand:
            return (
                "both factors are computed, and writing one into the cells is off; "
                "set rewrite_operand"
            )
        return self.has_no_energy(op)

    def has_no_energy(self, op: Op) -> str | None:
        """Why the macro has no energy for the formats of an operator; None if it has."""
        return None

    def check(self) -> None:
        """The physics accept the fields.

        Raises:
            HardwareError: one of them contradicts another or the physics.
        """
        try:
            self.physics.prices()
        except HardwareError as error:
            raise HardwareError(f"{self.name}: {error}") from error

    def plan(self, op: Op, budget: Budget) -> TilePlan:
        """Weight rounds, and chunks of output pixels that go through them."""
        return map_contraction(self, op, budget)

    def energies_j(self) -> Mapping[str, float]:
        """Actions of the physics, multiply-accumulates by formats, and what follows a macro."""
        table = {action: float(price) for action, price in self.physics.prices().items()}
        table |= {f"mac {formats}": energy for formats, energy in self.mac_energies_j().items()}
        return table | {
            "partial sum": self.partial_sum_energy,
            "requantisation": self.requantise_energy,
            "function": self.function_energy,
        }

    def layout(self, op: Op) -> Layout:
        """How the weights of a contraction lie on the macros."""
        return lay(op, self.rows, self.columns, self.row_split, self.pack)

    def work(self, op: Op) -> Work:
        """What a contraction makes the macros do."""
        return Work(self, op, self.layout(op))

    @cached_property
    def clock_hz(self) -> float:
        """Clock of macro cycles."""
        return self.clock or 1 / float(self.physics.clock_s)

    @property
    def tile_bytes(self) -> int:
        """Bytes of the cells of one weight tile."""
        return math.ceil(self.rows * self.columns * self.weight_bits / 8)


def _is_whole(dtype: DType) -> bool:
    return dtype.kind in ("int", "uint") and not dtype.block
