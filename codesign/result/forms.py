"""The files of a saved result as typed values: all else is refused before anybody uses it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from codesign.errors import ReportError

MOST_BYTES = 1 << 28
"""Bytes of a file that are read: files of results are far below (assumed)."""
SMALLEST, LARGEST = 1e-60, 1e60
"""Sizes beside 0 that are read: quotients and products of any two of them are finite (assumed)."""


def _check_amount(value: float) -> float:
    if value and not SMALLEST <= value <= LARGEST:
        raise ValueError(f"it must be 0 or from {SMALLEST:g} to {LARGEST:g}")
    return value


def _check_number(value: object) -> object:
    if isinstance(value, (bool, str)):
        raise ValueError("it must be a number")
    return value


_Number = BeforeValidator(_check_number)
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False), _Number, AfterValidator(_check_amount)]
Count = Annotated[int, Field(ge=0, lt=2**63), _Number]
_Ticks = Annotated[int, Field(ge=0, le=2**62), _Number]
_Seconds = Annotated[Amount, Field(le=2**62 / 1e12)]
_Made = TypeVar("_Made")


class _Form(BaseModel):
    # a later version may say more
    model_config = ConfigDict(frozen=True, extra="ignore")


class Summary(_Form):
    """``summary.json``, see ``Result.summary``."""

    model: str
    hardware: str
    trace_digest: str
    hardware_digest: str
    digest: str
    version: str
    latency_s: _Seconds
    lower_bound_s: Amount
    serial_bound_s: Amount
    energy_j: Amount
    dynamic_energy_j: Amount = 0.0
    leakage_energy_j: Amount = 0.0
    background_energy_j: Amount = 0.0
    energy_by_component_j: dict[str, Amount]
    background_by_state_j: dict[str, dict[str, Amount]] = {}
    offchip_bytes: dict[str, Count]
    macs: Count
    mac_slots: dict[str, Count]
    coverage: Amount
    utilization: dict[str, Amount]
    tiles: Count
    fabric_events: Count
    assumed_energy_share: Amount | None = None
    own_kinds: list[str] = []
    assumptions: list[str]


class Value(_Form):
    """One row of ``hardware.json``: a value, its source and its status."""

    component: str
    field: str
    value: str
    source: str
    status: str
    note: str = ""


class Part(_Form):
    """One row of ``components.json``, see ``codesign.result.parts``."""

    name: str
    kind: str
    sort: Literal["engine", "memory", "link", "other"]
    notes: list[str] = []
    macs_per_s: Amount | None = None
    bytes_per_s: Amount | None = None
    size_bytes: Count | None = None
    off_chip: bool = False
    device: str = ""
    channels: Count = 0
    burst_bytes: Count = 0
    states: dict[str, _Ticks] = {}


class Cause(_Form):
    """One part of the critical path."""

    cause: str
    component: str = ""
    op: str = ""
    role: str = ""
    ps: _Ticks


class Segment(_Form):
    """One stretch of the critical path, in picoseconds."""

    start_ps: _Ticks
    end_ps: _Ticks
    cause: str
    component: str = ""
    op: str = ""
    role: str = ""
    times: Count = 1
    stretch: Count | None = None

    @model_validator(mode="after")
    def _check_order(self) -> Segment:
        if self.start_ps > self.end_ps:
            raise ValueError("a segment ends before it begins")
        return self


class Why(_Form):
    """``why.json``: the critical path of the run."""

    makespan_ps: _Ticks
    parts: list[Cause]
    segments: list[Segment] = []


def check_file(path: Path) -> None:
    """Looks at a file before it is read.

    Raises:
        ReportError: it is missing, no file, or larger than ``MOST_BYTES``.
    """
    try:
        is_file, size = path.is_file(), path.stat().st_size
    except OSError as error:
        raise ReportError(
            f"{path}: cannot be read: {error.strerror}; save the result anew"
        ) from error
    if not is_file:
        raise ReportError(f"{path}: cannot be read: it is no file; save the result anew")
    if size > MOST_BYTES:
        raise ReportError(
            f"{path}: it is larger than {MOST_BYTES:,} B; simulate a part of the model, or open "
            "the file with another tool"
        )


def read_form(path: Path, form: type[_Made] | Any) -> _Made:
    """Reads a JSON file.

    Args:
        path: of the file.
        form: type of what it holds.

    Raises:
        ReportError: it cannot be read, is no JSON, or holds something else.
    """
    check_file(path)
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise ReportError(
            f"{path}: cannot be read: {error.strerror}; save the result anew"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path}: damaged, it is no JSON; save the result anew") from error
    try:
        made: _Made = TypeAdapter(form).validate_python(found, strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        told = first["msg"].removeprefix("Value error, ")
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ReportError(
            f"{path}: damaged at {place[:80]!r}: {told}; save the result anew"
        ) from error
    return made
