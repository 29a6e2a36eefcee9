"""The hardware presets that ship with codesign, offered through the same hook as anyone's."""

from pathlib import Path

from codesign.hookspecs import hookimpl


@hookimpl
def codesign_hardware_folders() -> list[Path]:
    """This folder."""
    return [Path(__file__).parent]
