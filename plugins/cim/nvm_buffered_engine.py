"""The kind ``cim_nvm_buffered``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from codesign.units import Count, Joules, Seconds, Unit

from .nvm import CimNvm
from .nvm_buffers import Buffers

Uses = Annotated[float, Ge(1), Le(1e6), Unit("1")]


@dataclass(frozen=True, kw_only=True)
class CimNvmBuffered(CimNvm):
    """``cim_nvm`` with small buffers in every macro, inputs before the cells and sums behind them.

    Each moves one word at a time, in series with the product (Zhu et al., MNSIM 2.0). They come
    beside the buffer that all engines share, to which every product goes as well.

    Attributes:
        input_buffers: input buffers, each of which holds all inputs.
        output_buffers: output buffers, each for its share of the bit columns.
        buffer_word: bits of a word.
        input_reuse: reads of an input before it is replaced.
        buffer_read_energy: of a word that one buffer reads.
        buffer_write_energy: of a word that one buffer writes.
        buffer_time: of a word; buffers of one kind work at once.
        buffers_powered_together: whether all buffers of a macro spend as much as the one that is
            accessed.
    """

    kind: ClassVar[str] = "cim_nvm_buffered"

    input_buffers: Count = 1
    output_buffers: Count = 1
    buffer_word: Count = 64
    input_reuse: Uses = 1.0
    buffer_read_energy: Joules
    buffer_write_energy: Joules
    buffer_time: Seconds = 0.0
    buffers_powered_together: bool = False

    @property
    def buffers(self) -> Buffers:
        """Those of one macro."""
        return Buffers(
            inputs=self.input_buffers,
            outputs=self.output_buffers,
            word_bits=self.buffer_word,
            reuse=self.input_reuse,
            read_j=self.buffer_read_energy,
            write_j=self.buffer_write_energy,
            word_s=self.buffer_time,
            is_powered_together=self.buffers_powered_together,
        )
