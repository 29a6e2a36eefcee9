"""A streaming RNN transducer as numbers, and the traces of its parts without PyTorch.

Graves, "Sequence transduction with recurrent neural networks", 2012: an encoder that runs per chunk
of feature frames, a prediction network per token, and a joiner per encoder frame and per token.
``codesign.zoo.rnnt`` builds the same model in torch; a capture takes seconds, this milliseconds, so
a grid of hundreds of models is affordable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from codesign.errors import ModelError
from codesign.workload.record import Access, Role, Trace
from codesign.zoo.cell_shape import CellShape
from codesign.zoo.transducer_cell import state_of, write_loop, write_step
from codesign.zoo.transducer_check import check_values
from codesign.zoo.transducer_parts import dense, join_sum, look_up, stack_pairs
from codesign.zoo.transducer_writer import Writer


@dataclass(frozen=True)
class Transducer:
    """Dimensions of a transducer; the defaults are ``rnnt_8x640``.

    Attributes:
        features: values per input frame.
        layers: recurrent layers of the encoder.
        width: width of their cell state.
        cell: their kind, one of ``codesign.zoo.cell_shape.GATES``.
        blocks: diagonal blocks of each of their recurrent matrices.
        rank: rank of each of their recurrent matrices; None if not factorised.
        projection: hidden width of ``lstm_projected``, else None.
        strides: layers, from 0, whose outputs are stacked in pairs: the next layer reads twice the
            width at half the rate.
        embedding: width of a row of the token table.
        prediction_layers: recurrent layers of the prediction network.
        prediction_width: width of their cell state.
        prediction_cell: their kind; their recurrent matrices are dense.
        prediction_projection: hidden width of ``lstm_projected``, else None.
        joint: width of the joiner.
        vocabulary: tokens, the blank among them.

    Raises:
        ModelError: a value of another type, a dimension below 1, a vocabulary of the blank alone,
            strides that are not layers in rising order, a rank that is not below that of the whole
            matrix, or a cell that ``CellShape`` refuses.
    """

    features: int = 80
    layers: int = 8
    width: int = 640
    cell: str = "lstm"
    blocks: int = 1
    rank: int | None = None
    projection: int | None = None
    strides: tuple[int, ...] = (0, 1)
    embedding: int = 256
    prediction_layers: int = 2
    prediction_width: int = 256
    prediction_cell: str = "lstm"
    prediction_projection: int | None = None
    joint: int = 1024
    vocabulary: int = 1001

    def __post_init__(self) -> None:
        check_values(self)
        # a cell checks itself when it is made
        _ = self.encoder_cells, self.prediction_cells

    # --- dimensions ---

    @property
    def reduction(self) -> int:
        """Input frames for one encoder frame."""
        return 1 << len(self.strides)

    @property
    def encoder_cells(self) -> tuple[CellShape, ...]:
        """The cells of the encoder, first layer first."""
        cells: list[CellShape] = []
        inputs = self.features
        for layer in range(self.layers):
            structure = (self.blocks, self.rank, self.projection)
            cells.append(CellShape(self.cell, inputs, self.width, *structure))
            inputs = cells[-1].outputs * (2 if layer in self.strides else 1)
        return tuple(cells)

    @property
    def encoder_outputs(self) -> int:
        """Width of an encoder frame."""
        return self.encoder_cells[-1].outputs * (2 if self.layers - 1 in self.strides else 1)

    @property
    def prediction_cells(self) -> tuple[CellShape, ...]:
        """The cells of the prediction network, first layer first."""
        cells: list[CellShape] = []
        for _ in range(self.prediction_layers):
            inputs = cells[-1].outputs if cells else self.embedding
            structure = (1, None, self.prediction_projection)
            cells.append(CellShape(self.prediction_cell, inputs, self.prediction_width, *structure))
        return tuple(cells)

    @property
    def prediction_outputs(self) -> int:
        """Width of a prediction."""
        return self.prediction_cells[-1].outputs

    @property
    def components(self) -> Mapping[str, int]:
        """Stored elements by module: ``encoder.0``, ``embedding``, ``prediction.0``, ``join_...``.

        Operators carry these names as their ``module``.
        """
        found = {f"encoder.{n}": cell.parameters for n, cell in enumerate(self.encoder_cells)}
        found["embedding"] = self.vocabulary * self.embedding
        cells = self.prediction_cells
        found |= {f"prediction.{n}": cell.parameters for n, cell in enumerate(cells)}
        found["join_encoder"] = self.joint * (self.encoder_outputs + 1)
        found["join_prediction"] = self.joint * self.prediction_outputs
        found["join_output"] = self.vocabulary * (self.joint + 1)
        return found

    @property
    def parameters(self) -> int:
        """Stored elements of the whole model."""
        return sum(self.components.values())

    def check_steps(self, steps: int) -> None:
        """Checks that a chunk makes whole encoder frames.

        Raises:
            ModelError: ``steps`` is no positive multiple of ``reduction``.
        """
        whole = isinstance(steps, int) and not isinstance(steps, bool)
        if not whole or steps < 1 or steps % self.reduction:
            raise ModelError(
                f"steps of the encoder must be a multiple of {self.reduction}, got {steps!r}; "
                f"{len(self.strides)} layers halve the rate"
            )

    # --- traces ---

    def encoder(self, steps: int, *, batch: int = 1, join: bool = False) -> Trace:
        """The encoder over a chunk of feature frames, from and to the state that its layers keep.

        Args:
            steps: frames in the chunk, a multiple of ``reduction``.
            batch: streams side by side.
            join: whether ``join_encoder`` follows, once for all encoder frames of the chunk.

        Raises:
            ModelError: ``steps`` does not make whole encoder frames, or an argument of another
                type.
        """
        self.check_steps(steps)
        if not isinstance(join, bool):
            raise ModelError(f"join of the encoder must be True or False, got {join!r}; choose one")
        writer = Writer()
        sequence = writer.tensor(".frames", (steps, batch, self.features), "input")
        for layer, cell in enumerate(self.encoder_cells):
            writer.module = f"encoder.{layer}"
            role: Role = "activation" if join or layer < self.layers - 1 else "output"
            is_copied = layer in self.strides and batch > 1
            sequence = write_loop(writer, cell, sequence, "activation" if is_copied else role)
            if layer in self.strides:
                sequence = stack_pairs(writer, sequence, role)
        if join:
            dense(writer, "join_encoder", sequence, self.joint, has_bias=True)
        return writer.trace("rnnt_encoder")

    def prediction(self, *, batch: int = 1) -> Trace:
        """The prediction network for one token: a row of the embedding, and one step per cell."""
        writer = Writer()
        self._predict(writer, batch)
        return writer.trace("rnnt_prediction")

    def token(self, *, batch: int = 1) -> Trace:
        """What a new token costs before ``join_output``: prediction and ``join_prediction``."""
        writer = Writer()
        predicted = self._predict(writer, batch)
        dense(writer, "join_prediction", predicted, self.joint, has_bias=False)
        return writer.trace("rnnt_token")

    def join_encoder(self, *, frames: int = 1, batch: int = 1) -> Trace:
        """The joiner's layer for encoder frames, as one product for all of them."""
        writer = Writer()
        encoded = writer.tensor(".encoded", (frames, batch, self.encoder_outputs), "input")
        dense(writer, "join_encoder", encoded, self.joint, has_bias=True)
        return writer.trace("rnnt_join_encoder")

    def join_prediction(self, *, batch: int = 1) -> Trace:
        """The joiner's layer for a prediction, without bias."""
        writer = Writer()
        predicted = writer.tensor(".predicted", (batch, self.prediction_outputs), "input")
        dense(writer, "join_prediction", predicted, self.joint, has_bias=False)
        return writer.trace("rnnt_join_prediction")

    def join_output(self, *, batch: int = 1) -> Trace:
        """Scores of the next token: the sum of both joined vectors, tanh, the output layer."""
        writer = Writer()
        hidden = join_sum(writer, self.joint, batch)
        dense(writer, "join_output", hidden, self.vocabulary, has_bias=True)
        return writer.trace("rnnt_join_output")

    def _predict(self, writer: Writer, batch: int) -> Access:
        x = look_up(writer, self.vocabulary, self.embedding, batch)
        for layer, cell in enumerate(self.prediction_cells):
            writer.module = f"prediction.{layer}"
            state = state_of(writer, cell, batch)
            write_step(writer, cell, x, state, state)
            x = state[0]
        return x


PRESETS: Mapping[str, Transducer] = {
    "rnnt_8x640": Transducer(),
    "rnnt_8x640_cifg_4_blocks": Transducer(
        cell="cifg", blocks=4, prediction_layers=1, prediction_cell="cifg"
    ),
    "rnnt_8x608_cifg_2_blocks": Transducer(
        width=608, cell="cifg", blocks=2, prediction_layers=1, prediction_cell="cifg"
    ),
    "rnnt_google_2019": Transducer(
        features=240,
        width=2048,
        cell="lstm_projected",
        projection=640,
        strides=(1,),
        embedding=128,
        prediction_width=2048,
        prediction_cell="lstm_projected",
        prediction_projection=640,
        joint=640,
        vocabulary=4096,
    ),
}
"""Models by name. The first is of a common size; the next two fit their recurrent matrices into
0.5 and 1 MiB of int8; the last has the dimensions that He et al., "Streaming end-to-end speech
recognition for mobile devices", ICASSP 2019, made public, with input width and vocabulary
unconfirmed."""
