"""Samplers at an equal budget: what is the hypervolume after 60 evaluations, seed by seed?

Every sampler searches the recogniser of ``examples/search_rnnt.py``. A replay is a function of its
point alone, so all searches share one folder and no point is replayed twice. Run
``python benchmarks/search_samplers.py [FOLDER]``; in a folder that is given, what was measured
before is there, and what a run was stopped in goes on.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from codesign.explore.hypervolume import hypervolume
from codesign.explore.journal import read_journal
from codesign.explore.search.searched import Searched, swept_of

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))

from search_rnnt import REFERENCE, rnnt  # lies beside the examples

SAMPLERS = ("random", "tpe", "nsga2", "gp")
BUDGET = 60
SEEDS = range(10)


def search(folder: Path, sampler: str, seed: int) -> Searched:
    """One search."""
    return rnnt().search(
        folder,
        sampler=sampler,
        budget=BUDGET,
        seed=seed,
        reference=REFERENCE,
        resume=True,
    )


def known(folder: Path) -> tuple[float, int]:
    """Hypervolume of all that any search has measured, and how many points those are."""
    found = swept_of(read_journal(folder / "journal.jsonl"))
    signs = {name: -1 if maximise else 1 for name, maximise in found.objectives}
    scores = [[row[name] * sign for name, sign in signs.items()] for row in found.pareto()]
    limits = [REFERENCE[name] * sign for name, sign in signs.items()]
    return hypervolume(scores, limits), len(found.done)


def main() -> None:
    """Searches with every sampler and seed, and prints the table."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(sys.argv[1] if sys.argv[1:] else made)
        table: dict[str, list[float]] = {name: [] for name in SAMPLERS}
        print("seed " + "".join(f"{name:>10}" for name in SAMPLERS), flush=True)
        for seed in SEEDS:
            for name in SAMPLERS:
                table[name].append(search(folder, name, seed).hypervolume)
            row = "".join(f"{table[name][-1]:10.0f}" for name in SAMPLERS)
            print(f"{seed:4} {row}", flush=True)
        best, points = known(folder)
    print("mean " + "".join(f"{statistics.mean(table[name]):10.0f}" for name in SAMPLERS))
    shares = "".join(f"{statistics.mean(table[name]) / best:10.1%}" for name in SAMPLERS)
    print(f"{'':4} {shares}  of {best:.0f}, that of all {points:,} points measured here")
    limits = ", ".join(f"{name} {figure:g}" for name, figure in REFERENCE.items())
    print(f"hypervolume in J x s x parameters after {BUDGET} evaluations, up to {limits}")
    for name in SAMPLERS[1:]:
        pairs = zip(table[name], table["random"], strict=True)
        wins = sum(one > other for one, other in pairs)
        print(f"{name} above random in {wins} of {len(SEEDS)} seeds")


if __name__ == "__main__":
    main()
