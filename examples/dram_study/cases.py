"""The cases of the DRAM study: two models, three memories, two idle policies, three duties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from codesign import Hardware, Trace, load_hardware
from codesign.models import resolve_model
from codesign.workload.as_run import as_run
from codesign.zoo.transducer import PRESETS

PRESET = "edge-npu-lpddr5"
PRECISION = "int8"
DUTIES = (1.0, 0.1, 0.01)
"""Shares of the time in which the machine runs an inference."""


@dataclass(frozen=True)
class Policy:
    """When an idle memory rests.

    Attributes:
        name: what tables call it.
        power_down_after: idle seconds until the banks are closed and powered down; 0 is never.
        self_refresh_after: idle seconds until the device refreshes itself; 0 is never.
    """

    name: str
    power_down_after: float
    self_refresh_after: float


RESTS = Policy("rests", 100e-9, 100e-6)
AWAKE = Policy("awake", 0.0, 0.0)
POLICIES = (RESTS, AWAKE)


@dataclass(frozen=True)
class MemoryChoice:
    """A memory that the machine may have.

    Attributes:
        name: what tables call it.
        device: name of its device file.
        channels: how many channels of it.
    """

    name: str
    device: str
    channels: int

    def machine(self, policy: Policy) -> Hardware:
        """The preset with this memory and an idle policy; all else as the preset has it."""
        settings: Mapping[str, object] = {
            "dram.device": self.device,
            "dram.channels": self.channels,
            "dram.power_down_after": policy.power_down_after,
            "dram.self_refresh_after": policy.self_refresh_after,
        }
        machine = load_hardware(PRESET)
        for path, value in settings.items():
            machine = machine.with_(path, value)
        return machine


LPDDR4X = MemoryChoice("LPDDR4X", "lpddr4x-4266", 2)
LPDDR5 = MemoryChoice("LPDDR5", "lpddr5-6400", 2)
HBM2 = MemoryChoice("HBM2", "hbm2", 8)
MEMORIES = (LPDDR4X, LPDDR5, HBM2)


def resnet50() -> Trace:
    """ResNet-50 for one image of 224 x 224 pixels."""
    return as_run(resolve_model("resnet50"), PRECISION)


def rnnt_chunk() -> Trace:
    """The encoder of a large RNN-T over 240 ms of sound, with the joiner's encoder matrix.

    8 steps of 30 ms through 8 LSTM layers of 2048 projected to 640, layer by layer: the dimensions
    that He et al., ICASSP 2019, made public, as in the large model of ``rnnt_memory.py``.
    """
    encoder = PRESETS["rnnt_google_2019"].encoder(8, join=True)
    return as_run(encoder, PRECISION, schedule="layer-major:8")


MODELS: Mapping[str, Callable[[], Trace]] = {
    "ResNet-50": resnet50,
    "RNN-T encoder, 240 ms": rnnt_chunk,
}
IMAGE, CHUNK = MODELS
