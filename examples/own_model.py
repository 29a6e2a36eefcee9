"""A model of one's own on edge-npu, with the scratchpad it ships with and with a smaller one.

Run ``python examples/own_model.py``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

import codesign


class KeywordSpotter(nn.Module):
    """Two strided convolutions over 80 features, an LSTM of 640 and a classifier of 12 words."""

    def __init__(self) -> None:
        super().__init__()
        self.frames = nn.Sequential(
            nn.Conv1d(80, 256, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv1d(256, 256, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.lstm = nn.LSTM(256, 640, batch_first=True)
        self.words = nn.Linear(640, 12)

    def forward(self, features: Tensor) -> Tensor:
        """Scores of shape ``[batch, 12]`` from features of shape ``[batch, 80, frames]``."""
        steps, _ = self.lstm(self.frames(features).transpose(1, 2))
        scores: Tensor = self.words(steps[:, -1])
        return scores


def main() -> None:
    """Simulates one second of sound."""
    with torch.device("meta"):  # shapes are enough: no weights are made
        model, features = KeywordSpotter(), torch.empty(1, 80, 100)
    trace = codesign.trace(model, (features,))
    hardware = codesign.load_hardware("edge-npu")
    for size in ("4 MiB", "1 MiB", "256 KiB"):
        result = codesign.simulate(trace, hardware.with_("sram.size", size))
        weights = result.offchip_bytes["weight"]
        print(
            f"scratchpad {size:>7}: {result.latency_s * 1e3:6.2f} ms, "
            f"{result.energy_j * 1e6:7.1f} uJ, {weights / 1e6:6.2f} MB of weights fetched"
        )


if __name__ == "__main__":
    main()
