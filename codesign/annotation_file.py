"""Files of annotations: strict YAML, every mistake told with file, line, pattern and key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from codesign.errors import HardwareError, TraceError, did_you_mean
from codesign.hardware.yaml_source import Node, read_yaml
from codesign.mistaken import other_than
from codesign.workload.annotation import KEYS, Annotation

_EXAMPLE = '"encoder.*": {weight_bits: 4, sparsity: "2:4", codec: "2:4"}'

Source: TypeAlias = "str | Path | Mapping[str, Mapping[str, object]]"
"""A file, or what would stand in it."""


def read_annotations(source: Source) -> tuple[Annotation, ...]:
    """Reads annotations by pattern of operator names.

    Args:
        source: the path of a ``.yaml`` file, or a mapping with its content.

    Raises:
        TraceError: no such file, not YAML, nothing said, an unknown key, or a value of another
            type; one line with file, line and remedy.
    """
    if isinstance(source, Mapping):
        if not source:
            raise TraceError(
                f"annotations must say something, got {{}}; write for example {_EXAMPLE}"
            )
        return tuple(_annotation(str(key), "", one) for key, one in source.items())
    if not isinstance(source, (str, Path)):
        raise TraceError(
            f"annotations must be the path of a file or its content, got {repr(source)[:80]}; "
            "name a .yaml file"
        )
    if Path(source).is_dir():
        raise TraceError(f"{source}: is a folder; name a .yaml file in it")
    try:
        root = read_yaml(Path(source), str(source), "annotations")
    except HardwareError as error:  # the reader is that of hardware files
        raise TraceError(str(error).replace("hardware file or a preset name", "file")) from error
    if not isinstance(root.value, dict) or not root.value:
        raise TraceError(
            f"{source}: must give annotations by operator name; write for example {_EXAMPLE}"
        )
    try:
        return tuple(
            _annotation(pattern, _place(source, node), node.plain())
            for pattern, node in root.value.items()
        )
    except TraceError as error:
        if told := other_than(source):
            raise TraceError(f"{source} has no annotations but seems to be {told}") from error
        raise


def _place(source: str | Path, node: Node) -> str:
    return f"{source}:{node.line}" if node.line else str(source)


def _annotation(pattern: str, place: str, given: Any) -> Annotation:
    where = f"{place}: {pattern}" if place else f"annotations: {pattern}"
    if not isinstance(given, Mapping) or not given:
        raise TraceError(
            f"{where}: must be a map that says something, got {repr(given)[:80]}; write for "
            f"example {_EXAMPLE}"
        )
    for key in given:
        if key not in KEYS:
            raise TraceError(
                f"{where}: unknown key {str(key)[:60]!r}{did_you_mean(str(key), KEYS)}"
            )
    try:
        return Annotation(pattern, **given, place=place)
    except TraceError as error:
        raise TraceError(f"{place}: {error}" if place else str(error)) from error
