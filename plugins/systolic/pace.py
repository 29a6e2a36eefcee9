"""Cycles of a fold, alone and between others, by the conventions that an array may follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from codesign.mapping.tiling import Array

if TYPE_CHECKING:
    from .engine import Systolic


class Fold(NamedTuple):
    """Blocks of cells in use, one entry per candidate tile.

    Attributes:
        stream: cycles in which operands enter, one step a cycle.
        down: cells r in use along a column.
        across: cells c in use along a row.
        follows: cycles that the load of the next fold takes.
        whole: stream of a fold with all of the reduction. What ``os`` pays to fill and to empty
            the array it pays once for that, so a part of the reduction has its share of it.
    """

    stream: Array
    down: Array
    across: Array
    follows: Array
    whole: int

    @property
    def skew(self) -> Array:
        """Cycles from the first cell's last step to the last cell's: r + c - 2."""
        return self.down + self.across - 2

    def share(self, cycles: Array) -> Array:
        """The part of ``cycles`` for this part of the reduction, rounded up."""
        part: Array = -(-cycles * self.stream // self.whole)
        return part


class Ends(NamedTuple):
    """Cycles of an operator beside the steady ones of its tiles.

    Attributes:
        fill: before its first fold.
        drain: after its last.
        skew: how many of the two fill and empty the array; the others load it.
    """

    fill: int
    drain: int
    skew: int

    @property
    def cycles(self) -> int:
        """Both."""
        return self.fill + self.drain


def steady(engine: Systolic, fold: Fold) -> Array:
    """Cycles from one fold to the next.

    For ``ws`` and ``is`` (``follows``, r cycles, loads the next fold):

        serial                      r + S + r + c - 2
        shadow, folds apart         max(S + r + c - 2, follows)
        shadow, folds overlap       max(S, r)

    The last charges each fold its own load, which comes to the same as the next one's. A skewed
    load takes ``lag`` cycles more, but where folds overlap it follows the one before without a
    gap. For ``os``:

        hidden, folds apart         K + r + c - 2
        shift, folds apart          K + r + c - 2 + r
        hidden, folds overlap       max(K, r)
        shift, folds overlap        K + r

    The first of each are those of SCALE-Sim (Samajdar et al., ISPASS 2020, with r = R, c = C).
    """
    if engine.dataflow == "os":
        return _output_stationary(engine, fold)
    if engine.weight_preload == "serial":
        return fold.down + fold.stream + fold.skew
    if engine.fold_overlap:
        return np.maximum(fold.stream, fold.down)
    apart: Array = np.maximum(fold.stream + fold.skew, fold.follows + lag(engine))
    return apart


def _output_stationary(engine: Systolic, fold: Fold) -> Array:
    if engine.fold_overlap and engine.output_drain == "hidden":
        return np.maximum(fold.stream, fold.share(fold.down))
    idle = np.zeros_like(fold.down) if engine.fold_overlap else fold.skew
    if engine.output_drain == "shift":
        idle = idle + fold.down
    cycles: Array = fold.stream + fold.share(idle)
    return cycles


def skew(engine: Systolic, fold: Fold) -> Array:
    """Those of the steady cycles of a fold in which the array fills and empties."""
    if engine.dataflow == "os":
        return fold.share(fold.skew) * (not engine.fold_overlap)
    return fold.skew * (engine.weight_preload == "serial" or not engine.fold_overlap)


def lag(engine: Systolic) -> int:
    """Cycles by which a load reaches the last column after the first: C - 1 where it is skewed."""
    return (engine.cols - 1) * (engine.weight_preload == "skewed")


def ends(engine: Systolic, load: int, last: Fold) -> Ends:
    """What the steady cycles of all folds leave out or count too much.

    Args:
        engine: the array.
        load: cycles to load the first fold of an operator, the lag of its columns aside.
        last: its last fold.
    """
    stream, wave, late = int(last.stream[0]), int(last.skew[0]), lag(engine)
    if engine.dataflow == "os":
        return _output_stationary_ends(engine, last)
    if engine.weight_preload == "serial":
        return Ends(0, 0, 0)
    if not engine.fold_overlap:
        # nothing is loaded behind the last fold
        wait = max(0, int(last.follows[0]) + late - stream - wave)
        return Ends(max(0, load + late - wait), 0, 0)
    # each fold was charged the longer of its stream and its own load: where streams are the
    # longer, the first load is left over; where loads are, the last stream is
    if stream >= load:
        return Ends(load + late, wave, wave)
    return Ends(late, stream + wave, wave)


def _output_stationary_ends(engine: Systolic, last: Fold) -> Ends:
    if not engine.fold_overlap:
        return Ends(0, 0, 0)
    wave = int(last.skew[0])
    if engine.output_drain == "hidden":
        # the last fold waits for no other to take its place
        wave -= max(0, int(last.down[0]) - last.whole)
    return Ends(0, wave, wave)
