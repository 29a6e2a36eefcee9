"""Two keyword spotters of equal MACs, one frame each, as traces written by hand.

``svdf`` has the layers of ``svdf_354k`` of google-research/kws_streaming: rank-1 SVDF (Nakkiran et
al., Interspeech 2015), whose state is shifted by a frame and filtered in time. ``liconet`` is in
the style of LiCo-Net (Yang et al., 2022): linear layers over a window of frames and pairs of
pointwise ones. Its windows are ring buffers that the layer before writes into, so nothing is moved.
Activation functions, the same in both, are left out.
"""

from __future__ import annotations

from codesign.workload.dtype import DType
from codesign.workload.nest import Axis, LoopNest, matmul_nest
from codesign.workload.record import Access, Carry, Op, Region, Role, Tensor, Trace

INT8 = DType.parse("int8")
SVDF_LAYERS = ((256, 4, 128), (256, 10, 128), (256, 10, 128), (256, 10, 128), (256, 10, 128))
"""Units, taps and projected width; a last layer of 256 units and 10 taps has no projection."""


def tensor(name: str, shape: tuple[int, ...], role: Role = "activation") -> Tensor:
    return Tensor(name, shape, INT8, role)


def linear(name: str, source: Access, target: Access) -> Op:
    """A product of one row by a stored matrix."""
    k, n = source.elements, target.elements
    weight = tensor(f"{name}.weight", (k, n), "weight").access()
    return Op(name, "contraction", (source, weight), (target,), matmul_nest(1, 1, n, k))


def shift(name: str, new: Access, state: Tensor) -> Op:
    """Drops the oldest column of a state and puts a new one behind the others."""
    units, taps = state.shape
    kept = Access(state, (units, taps - 1), (taps, 1), offset=1)
    return Op(name, "move", (kept, new), (state.access(),), functions=("move",))


def temporal_filter(name: str, state: Tensor, target: Access) -> Op:
    """A dot product in time for every unit."""
    units, taps = state.shape
    unit, tap = Axis(((0, 1),)), Axis(((1, 1),))
    nest = LoopNest(("g", "k"), (units, taps), ((unit, tap), (unit, tap), (unit,)))
    weight = tensor(f"{name}.weight", (units, taps), "weight").access()
    return Op(name, "contraction", (state.access(), weight), (target,), nest)


def svdf(frames: int = 1) -> Trace:
    """30 inputs, 6 layers, 12 classes."""
    ops: list[Op] = []
    states: list[Tensor] = []
    features = tensor("features", (1, 30), "input").access()
    for number, (units, taps, projected) in enumerate((*SVDF_LAYERS, (256, 10, 0))):
        layer = f"layer{number}"
        state = tensor(f"{layer}.state", (units, taps), "state")
        column = tensor(f"{layer}.column", (1, units)).access()
        filtered = tensor(f"{layer}.filtered", (units,))
        ops += [
            linear(f"{layer}.features", features, column),
            shift(f"{layer}.shift", Access(column.tensor, (units, 1), (1, 1)), state),
            temporal_filter(f"{layer}.time", state, filtered.access()),
        ]
        features = Access(filtered, (1, units), (units, 1))
        if projected:
            out = tensor(f"{layer}.out", (1, projected)).access()
            ops.append(linear(f"{layer}.projection", features, out))
            features = out
        states.append(state)
    ops.append(linear("classes", features, tensor("scores", (1, 12), "output").access()))
    return _streamed("svdf", ops, states, frames)


def liconet(frames: int = 1) -> Trace:
    """Ten frames of 32 features to 64 channels, then 9 blocks: as many MACs as ``svdf``.

    A block takes a window of 5 frames to 64 channels, expands them to 128 and reduces them to 64,
    which are the newest frame of the window of the next block.
    """
    features = tensor("features", (10, 32), "input")
    rings = [tensor(f"block{number}.window", (5, 64), "state") for number in range(9)]
    targets = [Access(ring, (1, 64), (64, 1)) for ring in rings]
    targets.append(tensor("scores", (1, 64), "output").access())
    ops = [linear("features.window", _flat(features), targets[0])]
    for number, (ring, target) in enumerate(zip(rings, targets[1:], strict=True)):
        block = f"block{number}"
        middle = tensor(f"{block}.middle", (1, 64)).access()
        wide = tensor(f"{block}.wide", (1, 128)).access()
        ops += [
            linear(f"{block}.in", _flat(ring), middle),
            linear(f"{block}.expand", middle, wide),
            linear(f"{block}.reduce", wide, target),
        ]
    return _streamed("liconet", ops, rings, frames)


def _flat(source: Tensor) -> Access:
    return Access(source, (1, source.elements), (source.elements, 1))


def _streamed(name: str, ops: list[Op], states: list[Tensor], frames: int) -> Trace:
    tensors = {a.tensor.name: a.tensor for op in ops for a in op.operands}
    carries = tuple(Carry(state, state) for state in states)
    region = Region("frames", frames, tuple(ops), carries)
    return Trace(name, (region,), tuple(tensors.values()))
