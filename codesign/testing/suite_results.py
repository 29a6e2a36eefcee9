"""The checks of what works on results and studies: exporters, searchers, executors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from codesign.testing.offered import Check, Offered
from codesign.testing.operators import matmul
from codesign.testing.rules import expect
from codesign.workload.record import Trace

if TYPE_CHECKING:
    from codesign.explore.study import Study
    from codesign.result.result import Result

_SEEDS = (0, 1)
_ASKS = 12
"""Points that a searcher is asked for; the space has as many."""


def small_trace() -> Trace:
    """A product of matrices."""
    op = matmul(8, 16, 16)
    return Trace("small", (op,), tuple(access.tensor for access in op.operands))


@lru_cache(maxsize=1)
def small_result() -> Result:
    """A product of matrices on the preset ``edge-npu``."""
    from codesign.simulation import simulate

    return simulate(small_trace(), "edge-npu")


def small_study(plugins: tuple[Path | str, ...] = ()) -> Study:
    """Twelve points of hardware, two objectives."""
    from codesign.explore.study import Study

    space = {"npu.rows": [4, 8, 16, 32], "npu.cols": [4, 8, 16]}
    goals = ["latency_s", "energy_j"]
    return Study(
        model=small_trace(),
        hardware="edge-npu",
        hardware_space=space,
        objectives=goals,
        plugins=plugins,
    )


def exporter_checks(_: Offered, name: str, exporter: Any) -> Iterator[Check]:
    """The checks of one exporter.

    Args:
        _: all that is offered beside it.
        name: its name.
        exporter: what the plugin returned.
    """
    yield Check(f"exporter {name}: writes one file, whole", partial(check_exporter, exporter))


def check_exporter(exporter: Any) -> None:
    """Checks that an exporter writes the file that it is given, the same twice, and nothing else.

    Args:
        exporter: a function of a result and a path.

    Raises:
        AssertionError: says which promise is broken and what to change.
    """
    expect(callable(exporter), f"must be a function of a result and a path, got {exporter!r:.60}")
    result = small_result()
    digest, written = result.digest, []
    with TemporaryDirectory() as folder, chdir(folder):
        for name in ("one", "other"):
            path = Path(folder) / f"folder of {name}" / name
            path.parent.mkdir()
            exporter(result, path)
            # above it and where the process stands, too
            there = sorted(found.name for found in Path(folder).rglob("*") if found.is_file())
            expect(
                path.is_file(),
                f"wrote {there}, not the file {name!r} that it was given; write to the path as it "
                "is, without another ending",
            )
            written.append(path.read_bytes())
            expect(
                len(there) == len(written),
                f"left {there}; write the one file and nothing beside it",
            )
    expect(written[0], "wrote an empty file; write the result")
    expect(written[0] == written[1], "two runs wrote two contents; write no time and no path")
    expect(replace(result).digest == digest, "the result changed; only read it")


def searcher_checks(_: Offered, name: str, searcher: Any) -> Iterator[Check]:
    """The checks of one searcher.

    Args:
        _: all that is offered beside it.
        name: its name.
        searcher: what the plugin returned.
    """
    yield Check(f"searcher {name}: asks for points of the space", partial(check_searcher, searcher))


def check_searcher(searcher: Any) -> None:
    """Checks a searcher on a space of twelve points: it asks only for these, and again the same.

    Args:
        searcher: what a plugin returns from ``codesign_searchers``.

    Raises:
        AssertionError: says which promise is broken and what to change.
    """
    from codesign.explore.search.searchers import Searcher

    expect(
        isinstance(searcher, Searcher),
        f"must be a codesign.explore.search.searchers.Searcher, got {searcher!r:.60}; write "
        "Searcher(make)",
    )
    for seed in _SEEDS:
        asked = _asked(searcher, seed)
        expect(asked, "asks for no point at all; return one until all are known")
        fresh = len({repr(sorted(point.items())) for point in asked})
        expect(
            2 * fresh >= len(asked),
            f"asks for {fresh} points of {len(asked)}, the others again; ask for points that "
            "tell() has not told of",
        )
        expect(
            _asked(searcher, seed) == asked,
            f"asks for other points with seed {seed} again; draw from a generator of that seed",
        )


def _asked(searcher: Any, seed: int) -> list[dict[str, Any]]:
    """Points asked for, two at a time, each of them told."""
    from codesign.explore.search.choices import choices_of
    from codesign.explore.search.outcome import Outcome
    from codesign.explore.search.searchers import make_searcher
    from codesign.plugins import Offer

    study = small_study()
    offer = Offer("codesign_searchers", "searcher", "plugin", "the kit", searcher)
    rest = {"keeps": lambda _: True, "reference": None, "storage": None, "owner": ""}
    optimiser = make_searcher(offer, study, seed=seed, **rest)
    found: list[dict[str, Any]] = []
    while len(found) < _ASKS:
        points = [optimiser.ask(), optimiser.ask()]
        for point in points:
            if point is None:
                return found
            index = study.space.index(choices_of(study.space, point))
            figures = {"latency_s": 1 / (1 + index % 4), "energy_j": 1.0 + index}
            optimiser.tell(point, Outcome(point, index, "done", figures))
            found.append(dict(point))
    return found


def executor_checks(offered: Offered, name: str, _: Any) -> Iterator[Check]:
    """The checks of one executor.

    Args:
        offered: all that is offered beside it.
        name: its name.
        _: what the plugin returned.
    """
    title = f"executor {name}: measures what one process measures"
    yield Check(title, partial(_check_executor, offered, name))


def _check_executor(offered: Offered, name: str) -> None:
    from codesign.explore.executors import find_executor

    study = small_study(offered.words)
    with TemporaryDirectory() as folder:
        here = study.run(Path(folder) / "serial", executor=find_executor("serial"))
        made = find_executor(name, plugins=offered.words)
        there = study.run(Path(folder) / "other", executor=made)
    expect(
        [row["index"] for row in there.done] == [row["index"] for row in here.done],
        f"told {len(there.done)} points of {len(here.done)}; tell every point once",
    )
    expect(
        there.done == here.done,
        "figures differ from those of one process; measure with codesign's Evaluator, and give "
        "back what it gives",
    )
