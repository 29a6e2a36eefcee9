"""The small buffers beside arrays of non-volatile cells: inputs before them, outputs after them."""

from __future__ import annotations

from dataclasses import dataclass

from .nvm_timing import slices
from .physics import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffers:
    """Input and output buffers of a macro, all alike, which move one word at a time.

    Attributes:
        inputs: input buffers, each of which holds all inputs: one for each cell array.
        outputs: output buffers, each for its share of the bit columns.
        word_bits: of a word.
        reuse: reads of an input before it is replaced, such as 9 for a 3x3 kernel of stride 1.
        read_j: joules of a word that one buffer reads.
        write_j: joules of a word that one buffer writes.
        word_s: seconds of a word; buffers of one kind work at once.
        is_powered_together: whether all buffers of the macro spend as much as the one that is
            accessed, as where leakage is most of it.
    """

    inputs: Array = 1
    outputs: Array = 1
    word_bits: Array = 64
    reuse: Array = 1.0
    read_j: Array
    write_j: Array
    word_s: Array = 0.0
    is_powered_together: bool = False

    def counts(self, input_bits: Array, output_bits: Array) -> dict[str, Array]:
        """Words of one product, over all buffers.

        Args:
            input_bits: bits of all inputs together.
            output_bits: bits of all converted columns together.
        """
        every = self.inputs + self.outputs
        fed, given = (every, every) if self.is_powered_together else (self.inputs, self.outputs)
        read, written, results = self._words(input_bits, output_bits)
        return {
            "buffer read": fed * read + given * results,
            "buffer write": fed * written + given * results,
        }

    def seconds(self, input_bits: Array, output_bits: Array) -> Array:
        """Seconds of one product, with its reads and writes in series."""
        read, written, results = self._words(input_bits, output_bits)
        return (read + written + 2 * results) * self.word_s

    def _words(self, input_bits: Array, output_bits: Array) -> tuple[Array, Array, Array]:
        """Words of one input buffer that are read and written, and of one output buffer."""
        read = slices(input_bits, self.word_bits)
        written = slices(input_bits / self.reuse, self.word_bits)
        return read, written, slices(output_bits / self.outputs, self.word_bits)
