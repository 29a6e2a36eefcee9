"""What must cross the off-chip port, and how close the replay comes to its closed forms."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import codesign
from codesign.models import resolve_model
from codesign.testing import matmul
from codesign.workload.record import Op, Trace


def alone(op: Op) -> Trace:
    return Trace("alone", (op,), tuple(access.tensor for access in op.operands))


@pytest.mark.parametrize(
    ("m", "k", "n", "compulsory"),
    [(512, 512, 512, 786_432), (1, 4096, 4096, 16_785_408), (64, 64, 64, 12_288)],
)
def test_a_product_that_fits_moves_its_compulsory_bytes(
    m: int, k: int, n: int, compulsory: int
) -> None:
    result = codesign.simulate(alone(matmul(m, k, n)), "edge-npu")
    assert sum(result.offchip_bytes.values()) == compulsory
    assert compulsory == m * k + k * n + m * n


@pytest.mark.parametrize("size", ["8 KiB", "32 KiB", "256 KiB", "4 MiB"])
def test_no_scratchpad_saves_a_compulsory_byte(size: str) -> None:
    trace = alone(matmul(128, 256, 384))
    result = codesign.simulate(trace, "edge-npu", settings={"sram.size": size})
    assert sum(result.offchip_bytes.values()) >= 128 * 256 + 256 * 384 + 128 * 384


def test_a_product_bound_by_the_array_takes_the_closed_form_and_its_transfers() -> None:
    """R + F M + R + C - 2 cycles once the operands are there (weight-stationary, overlapped)."""
    fast = {"bus.bandwidth": "100 TB/s", "dram.bandwidth": "100 TB/s", "sram.bandwidth": "100 TB/s"}
    settings = {**fast, "bus.setup": 0, "sram.size": "64 MiB", "npu.accumulator": "16 MiB"}
    result = codesign.simulate(alone(matmul(512, 512, 512)), "edge-npu", settings=settings)
    folds = (512 // 64) * (512 // 64)
    cycles = 64 + folds * 512 + 64 + 64 - 2
    assert result.replay.busy["npu"] == cycles * 1000
    transfers = 3 * 512 * 512 / (100e12 * 0.949)
    assert cycles * 1e-9 <= result.latency_s <= cycles * 1e-9 + transfers + 1e-9


DIGEST = """
import codesign
result = codesign.simulate("lstm.json", "edge-npu", settings={"sram.size": "128 KiB"})
print(result.digest)
"""


def test_the_hash_seed_does_not_reach_the_digest(tmp_path: Path) -> None:
    codesign.save_trace(resolve_model("lstm_lm", steps=5), tmp_path / "lstm.json")
    digests = set()
    for seed in ("0", "1", "424242", "424242"):
        done = subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout)
    assert len(digests) == 1
