"""Scenario files: strict YAML, every mistake told with file and line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from codesign.errors import (
    OF_OTHERS,
    CodesignError,
    HardwareError,
    PluginError,
    ScenarioError,
    did_you_mean,
    no_file,
)
from codesign.hardware.yaml_source import Node, read_yaml
from codesign.mapping.residency import Residency
from codesign.mistaken import other_than
from codesign.own_code import foreign_model
from codesign.plugins import registry
from codesign.raised import raised
from codesign.scenario.arrival_kinds import ArrivalKind
from codesign.scenario.checks import shown
from codesign.scenario.fit import find_fault
from codesign.scenario.reader import (
    Reader,
    Scalar,
    as_is,
    declared,
    line_of,
    policy,
    quantity,
    switch,
    text,
    texts,
    whole,
    whole_bytes,
)
from codesign.scenario.release import Arrival
from codesign.scenario.spec import OPTIONS, Scenario, Stream

_SCENARIO: Mapping[str, Scalar] = {
    "name": text,
    "duration": quantity("s"),
    "silence": quantity("s"),
    "utterances": whole,
    "outputs": texts,
    "streams": as_is,
}
_STREAM: Mapping[str, Scalar] = {
    "model": text,
    **dict.fromkeys(OPTIONS, whole),
    "arrival": as_is,
    "beam": whole,
    "background": switch,
    "dtype": text,
    "residency": as_is,
    "schedule": text,
    "annotations": declared,
}
_RESIDENCY: Mapping[str, Scalar] = {
    "policy": policy,
    "pins": texts,
    "limits": as_is,
    "partial": switch,
    "across_runs": switch,
}
_FIELDS = {"duration_s": "duration", "silence_s": "silence"}
"""Keys of a file whose fields carry the unit in their name."""


def load_scenario(path: str | Path, plugins: Sequence[Path | str] = ()) -> Scenario:
    """Reads a scenario file.

    Args:
        path: a ``.yaml`` file.
        plugins: folders of plugin files, which may offer further kinds of arrivals.

    Raises:
        ScenarioError: no path or no such file, not YAML, an unknown or missing key, a wrong unit or
            value, or streams that do not fit together; one line with file, line and remedy.
        PluginError: a plugin that cannot be loaded, or offers something else than it should.
    """
    if not isinstance(path, (str, Path)):
        raise ScenarioError(
            f"the path of a scenario file must be a str or a Path, got {shown(path)}; name a file"
        )
    if not Path(path).is_file():
        raise ScenarioError(f"{path}: {no_file(path)}; give the path of a scenario file")
    if told := other_than(path, "scenario"):
        raise ScenarioError(f"{path} is no scenario but seems to be {told}")
    label = str(path)
    try:
        root = read_yaml(Path(path), label, "scenario")
    except HardwareError as error:  # the reader is that of hardware files
        raise ScenarioError(str(error)) from error
    return _File(Reader(label), plugins).scenario(root)


class _File:
    """One file under way."""

    def __init__(self, reader: Reader, plugins: Sequence[Path | str]) -> None:
        self.reader = reader
        self.kinds = _arrival_kinds(plugins)

    def scenario(self, root: Node) -> Scenario:
        reader = self.reader
        values = reader.values(root, "a scenario", _SCENARIO, ("name", "duration", "streams"))
        nodes = reader.entries(values["streams"], "streams")
        values["streams"] = tuple(self.stream(name, node) for name, node in nodes.items())
        fault = find_fault(values["streams"], values.get("outputs", ()))
        if fault:
            raise reader.error(line_of(root, fault.place, fault.word), fault.rule)
        fields = {key: field for field, key in _FIELDS.items()}
        named = {fields.get(key, key): value for key, value in values.items()}
        return reader.make(Scenario, root, named, _FIELDS)

    def stream(self, name: str, node: Node) -> Stream:
        values = self.reader.values(node, f"stream {name}", _STREAM, ("model", "arrival"))
        if told := foreign_model(values["model"]):
            raise self.reader.error(line_of(node, ("model",)), f"model of {name}: {told}")
        values["arrival"] = self.arrival(f"arrival of {name}", values["arrival"])
        if "residency" in values:
            values["residency"] = self.residency(f"residency of {name}", values["residency"])
        options = {key: values.pop(key) for key in OPTIONS if key in values}
        values |= {"name": name, "options": options, "origin": self.reader.place(node.line)}
        return self.reader.make(Stream, node, values)

    def arrival(self, what: str, node: Node) -> Arrival:
        reader = self.reader
        kind = reader.entries(node, what).get("kind")
        if kind is None:
            raise reader.error(node.line, f"{what} needs a kind: {', '.join(self.kinds)}")
        if kind.text not in self.kinds:
            hint = did_you_mean(kind.text[:60], self.kinds)
            raise reader.error(kind.line, f"{what}: unknown kind {kind.text[:60]!r}{hint}")
        chosen = self.kinds[kind.text]
        known = {"kind": text, **{key: one.read for key, one in chosen.keys.items()}}
        needed = [key for key, one in chosen.keys.items() if one.is_needed]
        values = reader.values(node, f"{what} ({kind.text})", known, needed)
        named = {one.field or key: values[key] for key, one in chosen.keys.items() if key in values}
        keys = {one.field: key for key, one in chosen.keys.items()}
        try:
            return reader.make(chosen.make, node, named, keys)
        except CodesignError:
            raise
        except OF_OTHERS as error:  # an arrival may be anybody's; say what it raised
            rule = f"{what} ({kind.text}) raised {raised(error, chosen.make)}; mend it"
            raise reader.error(node.line, rule) from error

    def residency(self, what: str, node: Node) -> Residency:
        reader = self.reader
        if not isinstance(node.value, dict):
            return reader.make(Residency, node, {"policy": reader.value("residency", node, policy)})
        values = reader.values(node, what, _RESIDENCY)
        if "limits" in values:
            memories = reader.entries(values["limits"], f"limits of {what}")
            known = dict.fromkeys(memories, whole_bytes)
            values["limits"] = reader.values(values["limits"], f"limits of {what}", known)
        return reader.make(Residency, node, values)


def _arrival_kinds(plugins: Sequence[Path | str]) -> dict[str, ArrivalKind]:
    offers = registry(plugins).offers("codesign_arrivals")
    for offer in offers.values():
        if not isinstance(offer.value, ArrivalKind):
            raise PluginError(
                f"plugin {offer.owner!r} ({offer.origin}): codesign_arrivals must return a map "
                f"from names to ArrivalKind, got {offer.value!r}"
            )
    return {name: offer.value for name, offer in offers.items()}
