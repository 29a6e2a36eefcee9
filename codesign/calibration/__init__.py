"""Calibration: the constants of an engine fitted to measured operators, and how well they fit.

An engine kind that is ``Calibratable`` says which of its fields are constants and predicts a table
of operators at once; everything else is here. ``calibrate`` is the whole of it.
"""

from codesign.calibration.contract import Calibratable, Constant
from codesign.calibration.errors_by_band import BANDS, Errors, errors_by_band, errors_by_work
from codesign.calibration.fit import Fit, fit_constants, stratified
from codesign.calibration.least import least_deviations
from codesign.calibration.measurements import Measurements, tabulate
from codesign.calibration.operators import Point, operator
from codesign.calibration.read import read_measurements
from codesign.calibration.run import Calibration, budget_of, calibrate, with_constants
from codesign.calibration.write import write_hardware

__all__ = [
    "BANDS",
    "Calibratable",
    "Calibration",
    "Constant",
    "Errors",
    "Fit",
    "Measurements",
    "Point",
    "budget_of",
    "calibrate",
    "errors_by_band",
    "errors_by_work",
    "fit_constants",
    "least_deviations",
    "operator",
    "read_measurements",
    "stratified",
    "tabulate",
    "with_constants",
    "write_hardware",
]
