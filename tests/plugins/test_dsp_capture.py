"""What a captured streaming layer is called: the words of the table fit what PyTorch writes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import codesign
from codesign.workload.work import movement, product


class Svdf(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """A layer of rank-1 SVDF, its filter in time written as a convolution or as a product."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form
        self.features, self.projection = nn.Linear(32, 64, bias=False), nn.Linear(64, 16)
        self.taps = nn.Parameter(torch.ones(64, 10))
        self.register_buffer("state", torch.zeros(1, 64, 10))

    def forward(self, x: Tensor) -> Tensor:
        state = torch.cat([self.state[:, :, 1:], self.features(x).unsqueeze(-1)], -1)
        self.state.copy_(state)
        if self.form == "convolution":
            taps = self.taps.unsqueeze(1)
            filtered = nn.functional.conv1d(state, taps, groups=64).squeeze(-1)
        else:
            filtered = torch.einsum("bct,ct->bc", state, self.taps)
        return torch.relu(self.projection(filtered))


@pytest.mark.parametrize("form", ["convolution", "product"])
def test_a_captured_layer_shifts_its_state_and_filters_it_in_time(form: str) -> None:
    trace = codesign.trace(Svdf(form), (torch.zeros(1, 32),))
    words = [product(op) if op.kind == "contraction" else movement(op) for op, _ in trace.ops()]
    assert words == ["linear", "state_shift", "temporal_filter", "linear"]
    result = codesign.simulate(trace, "hifi4-dsp")
    assert set(result.operators["engine"]) == {"dsp"}
    cycles = 32 * 64 / 8 + 640 / 4 + 640 / 0.5 + 64 * 16 / 8 + 2 * 16 / 2
    assert result.latency_s >= cycles / 6e8
