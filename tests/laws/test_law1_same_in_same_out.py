"""Law 1: the same trace, hardware and version give the same result, bit for bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from strategies import Sketch, machine, machines, traces

from codesign import simulate
from codesign.hardware.spec import Hardware
from codesign.mapping.residency import Policy
from codesign.result.result import Result
from codesign.workload.record import Trace

TESTS = Path(__file__).parent.parent
NUMBERS = (
    "latency_s",
    "energy_j",
    "energy_by_component_j",
    "offchip_bytes",
    "macs",
    "mac_slots",
    "utilization",
    "tiles",
    "lower_bound_s",
    "serial_bound_s",
)


def numbers(result: Result) -> dict[str, object]:
    """The figures of a result, without names and digests."""
    return {name: getattr(result, name) for name in NUMBERS}


def mixed_trace() -> Trace:
    """A convolution, matrix products on a diamond, a softmax and a recurrent region."""
    sketch = Sketch("mixed")
    sketch.conv("conv", sketch.input("image", 3, 12, 12), 8, 3)
    x = sketch.input("x", 12, 48)
    left, right = sketch.matmul("left", x, 32), sketch.matmul("right", x, 32)
    joined = sketch.pointwise("join", left, right, function="add")
    sketch.softmax("soft", sketch.recurrent("rnn", joined, 32))
    return sketch.trace()


@settings(max_examples=15, deadline=None, derandomize=True)
@given(traces(), machines())
def test_two_runs_are_equal_to_the_bit(trace: Trace, hardware: Hardware) -> None:
    first, second = simulate(trace, hardware), simulate(trace, hardware)
    assert first.summary() == second.summary()
    assert first.to_arrow().equals(second.to_arrow())


SCRIPT = """
from test_law1_same_in_same_out import mixed_trace
from strategies import machine
from codesign import simulate
for hardware in (machine(systolics=2, buffers=2, setup=3e-9), "edge-npu"):
    result = simulate(mixed_trace(), hardware)
    print(result.digest, result.trace_digest, result.hardware_digest)
    print(result.summary())
"""


def test_other_hash_seeds_print_the_same_digests() -> None:
    path = os.pathsep.join([str(TESTS), str(TESTS / "laws")])
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("0", "1", "12345")
    ]
    printed = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert printed[0].count("\n") == 4
    assert printed[0] == printed[1] == printed[2]


@pytest.mark.parametrize("order", [[-1, -2, -3, -4, -5], [2, 4, 3, 1, 0], [3, 0, 4, 2, 1]])
@pytest.mark.parametrize("residency", ["region", "none"])
def test_the_order_of_components_in_the_file_changes_no_number(
    order: list[int], residency: Policy
) -> None:
    whole = machine(setup=3e-9, leakage=1e-3)
    names = list(whole.components)
    shuffled = {names[place]: whole.components[names[place]] for place in order}
    base, other = (
        simulate(mixed_trace(), hardware, residency=residency)
        for hardware in (whole, Hardware(whole.name, "", None, shuffled))
    )
    assert list(shuffled) != names
    assert numbers(other) == numbers(base)


def test_the_digest_tells_results_apart() -> None:
    trace = mixed_trace()
    hardware = [machine(), machine(bandwidth=15e9), machine(leakage=1e-3), machine(rows=8)]
    digests = {simulate(trace, one).digest for one in hardware}
    digests.add(simulate(trace.replace(name="other"), machine()).digest)
    digests.add(simulate(trace, machine(), residency="none").digest)
    assert len(digests) == 6
