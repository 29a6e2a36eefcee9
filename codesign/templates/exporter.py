"""An exporter: the energy of a result by component, one line each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from codesign import Result, hookimpl

if TYPE_CHECKING:
    from codesign.result.exporters import Exporter


def write_energies(result: Result, path: Path) -> None:
    """Writes the file that it is given, and nothing else."""
    lines = (f"{name}\t{joules}\n" for name, joules in result.energy_by_component_j.items())
    path.write_text("".join(lines), encoding="utf-8")


@hookimpl
def codesign_exporters() -> Mapping[str, Exporter]:
    """The format ``my_plugin``."""
    return {"my_plugin": write_energies}
