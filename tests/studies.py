"""The studies in ``examples/``: a session replays what a page and the tests both need once."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from shelf import SHELF

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
if str(EXAMPLES) not in sys.path:
    sys.path.append(str(EXAMPLES))

dram: Any = importlib.import_module("dram_study.measure")
rnnt: Any = importlib.import_module("rnnt_study.measure")
hybrid: Any = importlib.import_module("hybrid_study.measure")
recurrent: Any = importlib.import_module("recurrent_study.measure")
recommender: Any = importlib.import_module("recommender_study.measure")
_ALL_OF_DRAM, _ALL_OF_RNNT = dram.measure_all, rnnt.measure_all
_ALL_OF_HYBRID, _ALL_OF_RECURRENT = hybrid.measure_all, recurrent.measure_all
_ALL_OF_RECOMMENDER = recommender.measure_all


def all_of_dram() -> Any:
    """Every case of the DRAM study."""
    return SHELF.get("dram study", _ALL_OF_DRAM)


def all_of_hybrid() -> Any:
    """Every placement of the hybrid study."""
    return SHELF.get("hybrid study", _ALL_OF_HYBRID)


def all_of_recurrent() -> Any:
    """Every size and machine of the study of recurrent cells."""
    return SHELF.get("recurrent study", _ALL_OF_RECURRENT)


def all_of_recommender() -> Any:
    """Every model and machine of the recommender study."""
    return SHELF.get("recommender study", _ALL_OF_RECOMMENDER)


def all_of_rnnt(tasks: Iterable[Any]) -> Any:
    """What the recogniser study measures, kept task by task."""
    found = _ALL_OF_RNNT(tasks)
    for task, measured in found.items():
        SHELF.put(repr(task), measured)
    return found


ON_THE_SHELF = {
    "dram": all_of_dram,
    "rnnt": all_of_rnnt,
    "hybrid": all_of_hybrid,
    "recurrent": all_of_recurrent,
    "recommender": all_of_recommender,
}
"""What pages call in the place of ``measure_all`` of each study."""
