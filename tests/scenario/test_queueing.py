"""Queues against Lindley's recursion, to the tick, and against the textbook.

D. V. Lindley, "The theory of queues with a single server", Mathematical Proceedings of the
Cambridge Philosophical Society 48, 1952: the wait of the next is the wait of this one plus its
service less the time between the two arrivals, or 0. L. Kleinrock, "Queueing Systems", volume 1,
1975: the mean wait of M/D/1 with service S at load rho is rho S / (2 (1 - rho)).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import islice, pairwise

import pytest
from scenario_case import US, played, scenario, stream, work
from strategies import KIB, Sketch, machine

from codesign.mapping.place import place
from codesign.scenario.arrival import Periodic, Rate
from codesign.scenario.measure import busy_ticks, responses, waits
from codesign.scenario.overload import queued_gaps
from codesign.scenario.poisson import poisson_ticks

SERVICE = 10 * US
CYCLES = 10_000
REPLAYED = 3_000
"""Runs that are replayed: their waits are compared one by one."""

DRAWN, BATCHES = 800_000, 40
"""Arrivals for the textbook's mean: waits follow each other closely, so it takes many."""


def lindley(asked: Sequence[int], service: int) -> list[int]:
    """Waits in a queue with one server, first come, first served."""
    found = [0]
    for earlier, later in pairwise(asked):
        found.append(max(0, found[-1] + service - (later - earlier)))
    return found


def queue(load: float, seed: int) -> Rate:
    """Random arrivals at a load."""
    return Rate(load * 10**12 / SERVICE, seed=seed)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("load", [0.3, 0.5, 0.7, 0.95, 1.2])
def test_every_run_waits_as_long_as_the_recursion_says(load: float, seed: int) -> None:
    arrival = queue(load, seed)
    case = scenario(stream("queue", arrival), duration_s=REPLAYED / arrival.per_s)
    runs = played(case, CYCLES).of("queue")
    assert abs(len(runs) - REPLAYED) < 5 * math.sqrt(REPLAYED)
    assert waits(runs) == lindley([run.asked for run in runs], SERVICE)
    assert all(run.end - run.start == SERVICE for run in runs)


@lru_cache(maxsize=1)
def many_arrivals() -> list[int]:
    """Arrivals with a mean interval of 10 us: the loads differ by their service."""
    return list(islice(poisson_ticks(Fraction(SERVICE), 1952, "queue:0"), DRAWN))


@pytest.mark.parametrize("load", [0.3, 0.5, 0.7])
def test_the_mean_wait_is_that_of_the_textbook_within_2_percent(load: float) -> None:
    """The waits of a scenario are those of the recursion, so the mean of many is taken from there.

    The means of 40 batches give the standard error of the mean; 2 % is at least 2.5 of it.
    """
    service = round(load * SERVICE)
    drawn = lindley(many_arrivals(), service)
    size = DRAWN // BATCHES
    means = [sum(drawn[n * size : (n + 1) * size]) / size for n in range(BATCHES)]
    expected = load * service / (2 * (1 - load))
    assert statistics.stdev(means) / math.sqrt(BATCHES) < 0.02 / 2.5 * expected
    assert abs(statistics.mean(means) - expected) < 0.02 * expected


@pytest.mark.parametrize("load", [0.01, 0.5, 0.999, 1.0])
def test_evenly_spaced_runs_below_full_load_never_wait(load: float) -> None:
    period = SERVICE / load / 10**12
    case = scenario(stream("queue", Periodic(period)), duration_s=200.5 * period)
    runs = played(case, CYCLES).of("queue")
    assert len(runs) == 200
    assert waits(runs) == [0] * 200


@pytest.mark.parametrize("late", [1, 1_000_000, 10 * US])
def test_evenly_spaced_runs_above_full_load_wait_longer_by_the_same_each_time(late: int) -> None:
    period = SERVICE - min(late, SERVICE // 2)
    case = scenario(stream("queue", Periodic(period / 10**12)), duration_s=50 * period / 10**12)
    runs = played(case, CYCLES).of("queue")
    assert waits(runs) == [n * (SERVICE - period) for n in range(50)]


@pytest.mark.parametrize("load", [0.3, 0.8])
def test_two_streams_on_one_engine_wait_as_one_queue_does(load: float) -> None:
    """Equal services and an engine that never idles in vain: the sum of waits has no choice."""
    first, second = queue(load / 2, 5), queue(load / 2, 6)
    case = scenario(stream("a", first), stream("b", second), duration_s=1_000 / first.per_s)
    found = played(case, CYCLES)
    runs = [*found.of("a"), *found.of("b")]
    merged = lindley(sorted(run.asked for run in runs), SERVICE)
    assert sum(waits(runs)) == sum(merged) > 0
    assert busy_ticks(runs) == len(runs) * SERVICE


def test_two_streams_on_two_engines_wait_as_two_queues_do() -> None:
    case = scenario(stream("a", queue(0.7, 5)), stream("b", queue(0.7, 6)), duration_s=5e-3)
    placements = {"a": work(CYCLES), "b": work(CYCLES, engine="npu1")}
    found = played(case, placements, machine(systolics=2))
    for name in ("a", "b"):
        asked = [run.asked for run in found.of(name)]
        assert len(asked) > 200
        assert waits(found.of(name)) == lindley(asked, SERVICE)


def test_runs_that_only_load_queue_at_the_memory() -> None:
    """A link of 1 GB/s serves a load of 10,000 bytes in 10 us."""
    case = scenario(stream("queue", queue(0.7, 4)), duration_s=10e-3)
    loading = work(0, load=10_000)
    runs = played(case, {"queue": loading}, machine(bandwidth=1e9)).of("queue")
    assert len(runs) > 500
    expected = [
        run.asked + wait + SERVICE
        for run, wait in zip(runs, lindley([run.asked for run in runs], SERVICE), strict=True)
    ]
    assert [run.end for run in runs] == expected


# -- models with weights ---------------------------------------------------------------------------


@pytest.mark.parametrize("load", [0.7, 0.95, 1.2])
@pytest.mark.parametrize("tail", [False, True])
@pytest.mark.parametrize(
    ("rows", "bandwidth"),
    [(64, 4e9), pytest.param(64, 1e9, marks=pytest.mark.nightly), (4, 4e9)],
)
def test_runs_that_overlap_wait_less_than_the_recursion_on_their_latency_says(
    load: float, tail: bool, rows: int, bandwidth: float
) -> None:
    """The weights of the next run come while this one computes, and more where it ends elsewhere.

    A tail on the vector unit leaves the array to the next run.
    """
    sketch = Sketch("layers")
    x = sketch.input("x", rows, 64)
    for name in ("first", "second", "third"):
        x = sketch.matmul(name, x, 64)
    if tail:
        sketch.softmax("tail", x)
    hardware = machine(bandwidth=bandwidth, memory_rate=64e9, size=32 * KIB)
    placement = place(sketch.trace(), hardware, "none")
    one = scenario(stream("queue", Periodic(1e-3)))
    (lone,) = played(one, {"queue": placement}, hardware).of("queue")
    latency = lone.end - lone.asked
    arrival = Rate(load * 10**12 / latency, seed=3)
    case = scenario(stream("queue", arrival), duration_s=300 / arrival.per_s)
    runs = played(case, {"queue": placement}, hardware).of("queue")
    gaps = queued_gaps(runs)
    assert len(gaps) > 30
    assert max(gaps) <= latency
    assert statistics.mean(gaps) < latency
    bounds = lindley([run.asked for run in runs], latency)
    for wait, response, bound in zip(waits(runs), responses(runs), bounds, strict=True):
        assert wait <= bound
        # the fetches of the next run take the link from this one, which may end later than alone
        assert response <= bound + (1.15 if tail else 1.01) * latency
    assert sum(waits(runs)) < (0.95 if tail else 1.0) * sum(bounds)
