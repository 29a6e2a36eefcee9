"""Scenario files: strict YAML, every mistake told with file and line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from codesign.errors import HardwareError, ScenarioError, did_you_mean
from codesign.hardware.yaml_source import Node, read_yaml
from codesign.mapping.residency import Residency
from codesign.scenario.arrival import After, Periodic, Rate
from codesign.scenario.fit import find_fault
from codesign.scenario.reader import (
    Reader,
    Scalar,
    as_is,
    quantity,
    switch,
    text,
    texts,
    whole,
    whole_bytes,
)
from codesign.scenario.release import Arrival
from codesign.scenario.spec import Scenario, Stream

_SCENARIO: Mapping[str, Scalar] = {
    "name": text,
    "duration": quantity("s"),
    "silence": quantity("s"),
    "utterances": whole,
    "outputs": texts,
    "streams": as_is,
}
_OPTIONS = ("batch", "seq_len", "steps")
_STREAM: Mapping[str, Scalar] = {
    "model": text,
    **dict.fromkeys(_OPTIONS, whole),
    "arrival": as_is,
    "beam": whole,
    "background": switch,
    "dtype": text,
    "residency": as_is,
    "schedule": text,
}
_RESIDENCY: Mapping[str, Scalar] = {
    "policy": text,
    "pins": texts,
    "limits": as_is,
    "partial": switch,
    "across_runs": switch,
}
# class and keys of each kind; the first key is required
_ARRIVALS: Mapping[str, tuple[Callable[..., Arrival], Mapping[str, Scalar]]] = {
    "periodic": (Periodic, {"period": quantity("s"), "first": quantity("s")}),
    "rate": (Rate, {"rate": quantity("/s"), "seed": whole, "within": text}),
    "after": (After, {"streams": texts, "times": whole}),
}
# keys of a file whose fields carry the unit in their name
_FIELDS = {
    "duration": "duration_s",
    "silence": "silence_s",
    "period": "period_s",
    "first": "first_s",
    "rate": "per_s",
}


def load_scenario(path: str | Path) -> Scenario:
    """Reads a scenario file.

    Args:
        path: a ``.yaml`` file.

    Raises:
        ScenarioError: no such file, not YAML, an unknown or missing key, a wrong unit or value, or
            streams that do not fit together; one line with file, line and remedy.
    """
    label = str(path)
    if not Path(path).is_file():
        raise ScenarioError(f"{label}: no such file; give the path of a scenario file")
    try:
        root = read_yaml(Path(path), label)
    except HardwareError as error:  # the reader is that of hardware files
        raise ScenarioError(str(error)) from error
    return _scenario(Reader(label), root)


def _scenario(reader: Reader, root: Node) -> Scenario:
    values = reader.values(root, "a scenario", _SCENARIO, ("name", "duration", "streams"))
    entries, nodes = reader.entries(root, ""), reader.entries(values["streams"], "streams")
    values["streams"] = tuple(_stream(reader, name, node) for name, node in nodes.items())
    fault = find_fault(values["streams"], values.get("outputs", ()))
    if fault:
        place, rule = fault
        raise reader.error((entries | nodes)[place].line, rule)
    return reader.make(Scenario, root.line, _named(values))


def _stream(reader: Reader, name: str, node: Node) -> Stream:
    values = reader.values(node, f"stream {name}", _STREAM, ("model", "arrival"))
    values["arrival"] = _arrival(reader, f"arrival of {name}", values["arrival"])
    if "residency" in values:
        values["residency"] = _residency(reader, f"residency of {name}", values["residency"])
    options = {key: values.pop(key) for key in _OPTIONS if key in values}
    return reader.make(Stream, node.line, {"name": name, "options": options, **values})


def _arrival(reader: Reader, what: str, node: Node) -> Arrival:
    kind = reader.entries(node, what).get("kind")
    if kind is None:
        raise reader.error(node.line, f"{what} needs a kind: {', '.join(_ARRIVALS)}")
    if kind.text not in _ARRIVALS:
        hint = did_you_mean(kind.text[:60], _ARRIVALS)
        raise reader.error(kind.line, f"{what}: unknown kind {kind.text[:60]!r}{hint}")
    make, keys = _ARRIVALS[kind.text]
    known = {"kind": text, **keys}
    values = reader.values(node, f"{what} ({kind.text})", known, list(keys)[:1])
    del values["kind"]
    return reader.make(make, node.line, _named(values))


def _residency(reader: Reader, what: str, node: Node) -> Residency:
    if not isinstance(node.value, dict):
        return reader.make(Residency, node.line, {"policy": node.plain()})
    values = reader.values(node, what, _RESIDENCY)
    if "limits" in values:
        memories = reader.entries(values["limits"], f"limits of {what}")
        known = dict.fromkeys(memories, whole_bytes)
        values["limits"] = reader.values(values["limits"], f"limits of {what}", known)
    return reader.make(Residency, node.line, values)


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a file as the fields of its class."""
    return {_FIELDS.get(key, key): value for key, value in values.items()}
