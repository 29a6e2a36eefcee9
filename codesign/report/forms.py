"""The files of a saved result as typed values: all else is refused before anything is drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from codesign.errors import ReportError

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
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
    latency_s: Amount
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
    states: dict[str, Count] = {}


class Cause(_Form):
    """One part of the critical path."""

    cause: str
    component: str = ""
    op: str = ""
    role: str = ""
    ps: Count


class Segment(_Form):
    """One stretch of the critical path, in picoseconds."""

    start_ps: Count
    end_ps: Count
    cause: str
    component: str = ""
    op: str = ""
    role: str = ""


class Why(_Form):
    """``why.json``: the critical path of the run."""

    makespan_ps: Count
    parts: list[Cause]
    segments: list[Segment] = []


def read_form(path: Path, form: type[_Made] | Any) -> _Made:
    """Reads a JSON file.

    Args:
        path: of the file.
        form: type of what it holds.

    Raises:
        ReportError: it cannot be read, is no JSON, or holds something else.
    """
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
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ReportError(
            f"{path}: damaged at {place[:80]!r}: {first['msg']}; save the result anew"
        ) from error
    return made
