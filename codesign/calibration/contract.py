"""What an engine kind offers to be calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from codesign.hardware.plan import Budget

if TYPE_CHECKING:
    from codesign.calibration.fit import Fit
    from codesign.calibration.measurements import Measurements

Seconds = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Constant:
    """A field that is fitted.

    Attributes:
        lowest: its least value.
        highest: its largest.
        unit: of both, such as ``s``; empty for a plain number.
    """

    lowest: float
    highest: float
    unit: str = ""

    def clip(self, value: float) -> float:
        """The nearest value of the range."""
        return min(self.highest, max(self.lowest, value))


@runtime_checkable
class Calibratable(Protocol):
    """An engine whose constants can be fitted to measured operators."""

    protocols: ClassVar[tuple[str, ...]]
    """Ways of measuring that it can stand for, as the column ``protocol`` names them."""

    def measures(self, kind: str, formats: str) -> str | None:
        """None if it predicts operators of a kind and formats, else the reason why not.

        Args:
            kind: of operators.
            formats: of a contraction a pair such as ``fp16*fp16``, else one format.
        """

    def constants_of(self, table: Measurements) -> Mapping[str, Constant]:
        """The fields that such measurements may tell, with their ranges; an entry is ``table.key``.

        Those that an earlier fit has set, and that operators which are not measured now rest on,
        are none of them.

        Raises:
            CalibrationError: an earlier fit leaves nothing that could be fitted beside it.
        """

    def predict_s(self, table: Measurements, budget: Budget) -> Seconds:
        """Seconds of every operator, all at once: a pure function of the engine's fields.

        They are those that its plan takes for the operator alone, see ``operator``.

        Args:
            table: the operators.
            budget: rates between the home of the operands, the buffer and the engine.
        """

    def learned(self, fit: Fit) -> Mapping[str, object]:
        """Values of further fields that follow from a fit, such as the range that it holds for.

        The engine is as it was before the fit: what an earlier one has said of operators that are
        not measured now goes on to hold, with its protocol.
        """
