"""Designs of a streaming recogniser: a transducer, a schedule, and what may stay on chip.

What a design does with a window of audio is a scenario of streams: the encoder per chunk of sound,
the joiner for each of its frames, the prediction network and the joiner for each token.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from codesign import Access, After, Periodic, Rate, Residency, Scenario, Stream, Trace
from codesign.scenario.release import Arrival
from codesign.workload import view
from codesign.zoo.transducer import Transducer

MIB = 1 << 20
TOKENS_PER_S = 4


@dataclass(frozen=True)
class Design:
    """One way to run one model.

    Attributes:
        name: what it is called in tables; designs of two names may be equal.
        model: the transducer.
        chunk: feature steps of a layer-major chunk; 1 is frame by frame.
        buffer: bytes of weights that may stay in the weight buffer at a time.
        per_frame: whether the joiner's encoder matrix is read for every frame (rule F) instead of
            once per chunk (rule S).
        partial: whether part of a matrix may stay where the whole does not fit.
        pinned: modules whose weights never leave the chip once they are there.
        aside: bytes of the buffer that are theirs, of which they keep what fits; None for a memory
            of their own beside the buffer.
        step_s: seconds of a feature step.
    """

    name: str = field(compare=False)
    model: Transducer
    chunk: int = 8
    buffer: int = MIB
    per_frame: bool = False
    partial: bool = False
    pinned: tuple[str, ...] = ()
    aside: int | None = None
    step_s: float = 0.01

    @property
    def steps(self) -> int:
        """Feature steps of one run of the encoder: a chunk; two frames if frame by frame."""
        frame = self.model.reduction
        return max(self.chunk, frame if self.chunk > 1 else 2 * frame)

    @property
    def frames(self) -> int:
        """Encoder frames of one run of the encoder."""
        return self.steps // self.model.reduction

    @property
    def schedule(self) -> str:
        """The schedule in words."""
        milliseconds = round(self.chunk * self.step_s * 1e3)
        return "frame by frame" if self.chunk == 1 else f"{milliseconds} ms chunks"

    @property
    def rule(self) -> str:
        """How the joiner's encoder matrix is read; frame by frame the rules are the same."""
        return "any" if self.chunk == 1 else "F" if self.per_frame else "S"

    def residency(self, trace: Trace) -> Residency:
        """What stays where while a trace runs: all but weights on chip, and of those what may.

        Frame by frame nothing stays by itself: each step reads every weight.
        """
        roles = dict.fromkeys(t.role for t in trace.tensors if t.role != "weight")
        pins = [f"role:{role}@activations" for role in roles]
        names = [tensor.name for tensor in trace.tensors]
        mine = [module for module in self.pinned if any(n.startswith(module) for n in names)]
        memory = "extra" if self.aside is None else "buffer"
        pins += [f"{module}.*@{memory}" for module in mine]
        aside = self.aside or 0
        return Residency(
            "none" if self.chunk == 1 else "region",
            tuple(pins),
            {"buffer": aside if mine and aside else self.buffer - aside},
            partial=self.partial or bool(mine and aside),
            across_runs=bool(mine),
        )


def scenario(design: Design, window_s: float = 2.0) -> Scenario:
    """A window of audio as streams.

    Args:
        design: the design.
        window_s: seconds of audio, a whole number of chunks and of tokens.
    """

    def stream(name: str, trace: Trace, arrival: Arrival, schedule: str | None = None) -> Stream:
        kept = design.residency(trace)
        return Stream(name, trace, arrival, residency=kept, schedule=schedule)

    model = design.model
    encoder = model.encoder(design.steps, join=not design.per_frame)
    schedule = "time-major" if design.chunk == 1 else f"layer-major:{design.chunk}"
    frames = After(("chunk",), times=design.frames)
    streams = [stream("chunk", encoder, Periodic(design.steps * design.step_s), schedule)]
    if design.per_frame:
        streams.append(stream("join", model.join_encoder(), frames))
        frames = After(("join",))
    streams.append(stream("frame", model.join_output(), frames))
    streams.append(stream("token", token_trace(model), Rate(TOKENS_PER_S, within="chunk")))
    return Scenario(design.name, tuple(streams), window_s, outputs=("frame", "token"))


def token_trace(model: Transducer) -> Trace:
    """The prediction network for one token, then the joiner's output layer."""
    token = model.token()
    (predicted,) = [tensor.access() for tensor in token.tensors if tensor.role == "output"]
    return chained("token", token, _fed(model.join_output(), "joined_prediction", predicted))


def chained(name: str, *parts: Trace) -> Trace:
    """Traces one after the other."""
    tensors = {tensor.name: tensor for part in parts for tensor in part.tensors}
    items = tuple(item for part in parts for item in part.items)
    return Trace(name, items, tuple(tensors.values()))


def _fed(trace: Trace, name: str, source: Access) -> Trace:
    """A trace of operators alone that reads one of its inputs from elsewhere."""

    def read(access: Access) -> Access:
        return view.reshape(source, access.shape) or access

    items = [
        dataclasses.replace(
            op, inputs=tuple(read(a) if a.tensor.name == name else a for a in op.inputs)
        )
        for op, _ in trace.ops()
    ]
    return trace.replace(items=tuple(items))
