"""What a time is: of the device, of a host that waits, and of one that runs ahead by a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from gpu_runs import PRESET, chain, closed_form_s, of, run
from hypothesis import given, settings
from hypothesis import strategies as st

from codesign import Hardware, Op, load_hardware
from codesign.testing import elementwise, matmul

TINY, BIG = 16, 1 << 26
"""Elements of kernels that take less than a launch and far more."""


@pytest.fixture(scope="module")
def queued() -> Hardware:
    return load_hardware(PRESET).with_("gpu.protocol", "queue")


def kernels(*sizes: int) -> list[Op]:
    return chain([elementwise((size,), dtype="fp16") for size in sizes])


def max_plus_s(work: Sequence[float], launch: float, depth: int) -> float:
    """The end of the last kernel: each waits for the one before and for its launch.

    The host launches one after the other, and starts a launch when no more than ``depth`` kernels
    before it have not begun.
    """
    begun: list[float] = []
    launched = ended = 0.0
    for number, seconds in enumerate(work):
        room = begun[number - depth] if number >= depth else 0.0
        launched = max(launched, room) + launch
        begun.append(max(launched, ended))
        ended = begun[-1] + seconds
    return ended


def test_launches_count_only_where_the_host_waits(queued: Hardware) -> None:
    op = matmul(64, 64, 64, dtype="fp16")
    kernel, host = (
        run(queued.with_("gpu.protocol", protocol), op).latency_s for protocol in ("kernel", "host")
    )
    assert host - kernel == pytest.approx(of(queued).launch_overhead, rel=1e-3)


@pytest.mark.parametrize(
    "sizes", [(TINY,), (TINY, BIG), (BIG, TINY), (TINY, BIG, TINY, TINY), (BIG, BIG)], ids=str
)
def test_a_run_takes_the_max_plus_of_host_and_device(
    queued: Hardware, sizes: tuple[int, ...]
) -> None:
    ops = kernels(*sizes)
    work, launch = [closed_form_s(queued, op) for op in ops], of(queued).launch_overhead
    wanted = max_plus_s(work, launch, depth=1)
    assert run(queued, *ops).latency_s == pytest.approx(wanted, rel=5e-3)


@settings(max_examples=20, deadline=None)
@given(sizes=st.lists(st.sampled_from([TINY, 1 << 20, 1 << 24, 3 << 24, BIG]), min_size=1))
def test_a_host_that_runs_further_ahead_is_never_slower(sizes: list[int]) -> None:
    queued = load_hardware(PRESET).with_("gpu.protocol", "queue")
    ops = kernels(*sizes)
    work, launch = [closed_form_s(queued, op) for op in ops], of(queued).launch_overhead
    ours = run(queued, *ops).latency_s
    assert ours == pytest.approx(max_plus_s(work, launch, depth=1), rel=1e-2)
    assert max_plus_s(work, launch, depth=len(ops)) <= ours * 1.01
    assert ours <= run(queued.with_("gpu.protocol", "host"), *ops).latency_s * 1.01


def test_a_network_of_tiny_kernels_takes_its_launches(queued: Hardware) -> None:
    engine = of(queued)
    wanted = 20 * engine.launch_overhead + engine.t0
    assert run(queued, *kernels(*[TINY] * 20)).latency_s == pytest.approx(wanted, rel=1e-3)


def test_a_network_of_large_kernels_hides_all_launches_but_the_first(queued: Hardware) -> None:
    ops = kernels(*[BIG] * 5)
    device = run(queued.with_("gpu.protocol", "kernel"), *ops).latency_s
    wanted = device + of(queued).launch_overhead
    assert run(queued, *ops).latency_s == pytest.approx(wanted, rel=1e-4)


def test_the_host_waits_for_every_output_of_the_network(queued: Hardware) -> None:
    """It cannot launch ahead of a figure that it reads."""
    first, second = kernels(BIG, BIG)
    (access,) = first.outputs
    read = replace(access, tensor=replace(access.tensor, role="output"))
    once, twice = (
        run(queued, replace(first, outputs=(found,)), second).latency_s for found in (access, read)
    )
    assert twice - once == pytest.approx(of(queued).launch_overhead, rel=0.01)
