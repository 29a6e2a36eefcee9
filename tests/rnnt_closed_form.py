"""Weight traffic of a recurrent transducer by formula: the oracle of the memory study's replays.

Written from the rules alone, without a line of codesign, so that a replay that agrees with it
agrees for a reason:

- One byte per parameter. A cell stores ``G h in`` input weights, ``G h r / blocks`` recurrent ones
  (``r`` is the width of what it feeds back), its vectors (bias, and gain and shift of the layer
  normalisation) and, if it projects, ``r h`` more inside the loop.
- A chunk is ``n`` base steps, layer by layer. Input matrices are read once per chunk and layer; the
  recurrent set (all that the loop uses) once if it fits the buffer, else at every step.
- The joiner's encoder matrix is read once per chunk (rule S) or once per frame (rule F), its output
  matrix once per frame and once per token, its prediction matrix and the prediction network once
  per token with one row of the embedding.
- Nothing survives in the buffer from one layer or chunk to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

MIB = 1 << 20
TOKENS_PER_S = 4


@dataclass(frozen=True)
class Cell:
    """A recurrent layer: widths, gates (4 LSTM, 3 CIFG), blocks, projection and vectors per gate.

    ``vectors`` is 3 with layer normalisation (bias, gain, shift) and 1 without.
    """

    inputs: int
    width: int
    gates: int = 4
    blocks: int = 1
    projection: int = 0
    vectors: int = 3

    @property
    def output(self) -> int:
        return self.projection or self.width

    @property
    def input_matrix(self) -> int:
        return self.gates * self.width * self.inputs

    @property
    def recurrent_set(self) -> int:
        matrix = self.gates * self.width * self.output // self.blocks
        return matrix + self.projection * self.width + self.vectors * self.gates * self.width

    @property
    def parameters(self) -> int:
        return self.input_matrix + self.recurrent_set

    @property
    def macs(self) -> int:
        return self.parameters - self.vectors * self.gates * self.width


@dataclass(frozen=True)
class Model:
    """A transducer; ``strides`` are the layers (from 0) whose outputs are stacked in pairs."""

    layers: int = 8
    width: int = 640
    gates: int = 4
    blocks: int = 1
    joint: int = 1024
    strides: tuple[int, ...] = (0, 1)
    projection: int = 0
    vectors: int = 3
    features: int = 80
    step_ms: int = 10
    prediction_layers: int = 2
    prediction_width: int = 256
    prediction_gates: int = 4
    prediction_projection: int = 0
    embedding: int = 256
    vocabulary: int = 1001

    def encoder(self) -> list[Cell]:
        cells: list[Cell] = []
        inputs = self.features
        for layer in range(self.layers):
            cell = Cell(inputs, self.width, self.gates, self.blocks, self.projection, self.vectors)
            cells.append(cell)
            inputs = cell.output * (2 if layer in self.strides else 1)
        return cells

    def prediction(self) -> list[Cell]:
        cells: list[Cell] = []
        inputs = self.embedding
        for _ in range(self.prediction_layers):
            cell = Cell(
                inputs,
                self.prediction_width,
                self.prediction_gates,
                1,
                self.prediction_projection,
                self.vectors,
            )
            cells.append(cell)
            inputs = cell.output
        return cells

    @property
    def join_encoder(self) -> int:
        return self.joint * self.encoder()[-1].output + self.joint

    @property
    def join_prediction(self) -> int:
        return self.joint * self.prediction()[-1].output

    @property
    def join_output(self) -> int:
        return self.vocabulary * self.joint + self.vocabulary

    @property
    def parameters(self) -> int:
        cells = self.encoder() + self.prediction()
        joiner = self.join_encoder + self.join_prediction + self.join_output
        return sum(cell.parameters for cell in cells) + joiner + self.vocabulary * self.embedding

    def base_steps(self, layer: int) -> int:
        """Base steps for one step of a layer; of a frame for ``layer == layers``."""
        return 1 << sum(stride < layer for stride in self.strides)

    def steps_per_s(self, layer: int) -> Fraction:
        return Fraction(1000, self.step_ms * self.base_steps(layer))

    @property
    def frames_per_s(self) -> Fraction:
        return self.steps_per_s(self.layers)

    def macs_per_s(self) -> Fraction:
        encoder = [self.steps_per_s(n) * cell.macs for n, cell in enumerate(self.encoder())]
        frames = self.frames_per_s
        joiner = (self.join_encoder - self.joint) * frames + self.join_prediction * TOKENS_PER_S
        output = (self.join_output - self.vocabulary) * (frames + TOKENS_PER_S)
        prediction = TOKENS_PER_S * sum(cell.macs for cell in self.prediction())
        return sum(encoder) + prediction + joiner + output


@dataclass(frozen=True)
class Plan:
    """A schedule and what the chip holds.

    ``chunk`` counts base steps; 1 is frame by frame. ``partial`` keeps the part of a recurrent set
    that fits. ``pinned`` names components and bytes of theirs that never leave the chip; of an
    encoder layer they are of its recurrent set, and only frame by frame.
    """

    chunk: int = 8
    buffer: int = MIB
    batched_joiner: bool = True
    partial: bool = False
    pinned: tuple[tuple[str, int], ...] = ()


FRAME_BY_FRAME = Plan(chunk=1)


def in_a_row(model: Model, layer: int, plan: Plan) -> int:
    """Steps of a layer in a row; of the joiner for ``layer == layers``."""
    base = model.base_steps(layer)
    assert plan.chunk % base == 0 or base % plan.chunk == 0, "a chunk of whole steps, or a part"
    return max(1, plan.chunk // base)


def layer_bytes(cell: Cell, steps: int, plan: Plan) -> int:
    """Bytes of one layer for ``steps`` of its steps in a row."""
    whole = cell.recurrent_set
    kept = whole if whole <= plan.buffer else plan.buffer if plan.partial else 0
    return cell.input_matrix + kept + (whole - kept) * steps


def frame_bytes(model: Model, plan: Plan) -> dict[str, int]:
    """Bytes of the joiner for its frames in a row."""
    frames = in_a_row(model, model.layers, plan)
    encoder = model.join_encoder * (1 if plan.batched_joiner else frames)
    return {"join_enc": encoder, "join_out": model.join_output * frames}


def token_bytes(model: Model) -> dict[str, int]:
    """Bytes per token by component."""
    return {
        "prediction": sum(cell.parameters for cell in model.prediction()),
        "embedding": model.embedding,
        "join_pred": model.join_prediction,
        "join_out": model.join_output,
    }


def bytes_per_s(model: Model, plan: Plan) -> dict[str, Fraction]:
    """Weight bytes per second of audio by component."""
    found: dict[str, Fraction] = {}
    for layer, cell in enumerate(model.encoder()):
        steps = in_a_row(model, layer, plan)
        size = layer_bytes(cell, steps, plan)
        found[f"encoder {layer}"] = model.steps_per_s(layer) * size / steps
    frames = in_a_row(model, model.layers, plan)
    for name, size in frame_bytes(model, plan).items():
        found[name] = model.frames_per_s * size / frames
    for name, size in token_bytes(model).items():
        found[name] = found.get(name, Fraction(0)) + TOKENS_PER_S * size
    for name, size in plan.pinned:
        found[name] -= size * _reads_per_s(model, plan, name)
    return found


def _reads_per_s(model: Model, plan: Plan, name: str) -> Fraction:
    """How often a second a byte of a component is read where nothing is pinned."""
    if name.startswith("encoder"):
        return model.steps_per_s(int(name.split()[1]))
    if name == "join_enc":
        in_one = in_a_row(model, model.layers, plan) if plan.batched_joiner else 1
        return model.frames_per_s / in_one
    return TOKENS_PER_S + (model.frames_per_s if name == "join_out" else Fraction(0))


def total(model: Model, plan: Plan) -> Fraction:
    """Weight bytes per second of audio."""
    return sum(bytes_per_s(model, plan).values(), Fraction(0))


def power_mw(model: Model, plan: Plan, dram: float, sram: float) -> tuple[float, float, float]:
    """Milliwatts of DRAM, weight buffer and multiply-accumulates, pJ per byte given.

    One byte is read from the weight buffer per multiply-accumulate, which takes 0.23 pJ itself.
    """
    macs = float(model.macs_per_s())
    return float(total(model, plan)) * dram * 1e-9, macs * sram * 1e-9, macs * 0.23e-9


A = Model()
CIFG = Model(gates=3, prediction_gates=3)
TWO_BLOCKS = Model(gates=3, prediction_gates=3, blocks=2)
WIDTH_576 = Model(gates=3, prediction_gates=3, blocks=2, width=576)
JOINT_640 = Model(gates=3, prediction_gates=3, blocks=2, width=576, joint=640)
C = Model(gates=3, prediction_gates=3, blocks=4, prediction_layers=1)
D = Model(gates=3, prediction_gates=3, blocks=2, width=608, prediction_layers=1)
NARROW = Model(width=448, joint=640)
WIDTH_ALONE = Model(width=448)
DEEP = Model(layers=14, width=352, joint=640)
GOOGLE = Model(
    width=2048,
    projection=640,
    vectors=1,
    features=240,
    step_ms=30,
    strides=(1,),
    embedding=128,
    prediction_width=2048,
    prediction_projection=640,
    joint=640,
    vocabulary=4096,
)

GRID_LAYERS = (4, 5, 6, 8, 10, 12, 14, 16, 20)
GRID_STRIDES = ((0, 1), (1, 2), (0, 3), (1, 3))
GRID_CELLS = ((4, 1), (3, 1), (3, 2), (3, 4))
GRID_PARAMETERS = (15_200_000, 16_200_000)


def equal_size_grid() -> list[Model]:
    """Models of nearly equal size: layers, widths, cells and places of the time reductions."""
    low, high = GRID_PARAMETERS
    found = [
        Model(layers, width, gates, blocks, 640, strides, prediction_gates=gates)
        for layers in GRID_LAYERS
        for width in range(256, 1025, 32)
        for gates, blocks in GRID_CELLS
        for strides in GRID_STRIDES
        if strides[-1] < layers - 1
    ]
    return [model for model in found if low <= model.parameters <= high]
