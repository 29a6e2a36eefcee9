"""Files of fixed mappings: strict YAML, every mistake told with file, line, operator and key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from codesign.errors import HardwareError, MappingError, did_you_mean
from codesign.hardware.yaml_source import Node, read_yaml
from codesign.mistaken import other_than

KEYS = ("engine", "tile", "order", "hold", "unroll", "inside")
_EXAMPLE = "{tile: {m: 64, n: 32}, order: [n, m], hold: [weight]}"


Sizes: TypeAlias = "tuple[tuple[str, int], ...]"
"""Steps by loop."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a file, in the words of its author.

    Attributes:
        pattern: of operator names, or behind ``kind:`` of kinds, with ``*``, ``?`` and ``[...]``
            as in file names.
        place: file and line.
        engine: name of the engine; any if empty.
        tile: extent of a tile by loop.
        order: loops over tiles from the outermost to the innermost.
        hold: operands whose tiles stay once loaded; None where that is left open.
        unroll: by axis of an array, loops with how many of their steps run side by side.
        inside: loops inside a tile from the outermost to the innermost.
    """

    pattern: str
    place: str
    engine: str = ""
    tile: Sizes = ()
    order: tuple[str, ...] = ()
    hold: tuple[str, ...] | None = None
    unroll: tuple[tuple[str, Sizes], ...] = ()
    inside: tuple[str, ...] = ()


Source: TypeAlias = "str | Path | Mapping[str, object]"
"""A file, or what would stand in it."""


def read_mappings(source: Source) -> tuple[Entry, ...]:
    """Reads fixed mappings.

    Args:
        source: the path of a ``.yaml`` file, or a mapping with its content.

    Raises:
        MappingError: no such file, not YAML, an unknown key, or a value of another type; one line
            with file, line and remedy.
    """
    if isinstance(source, Mapping):
        return _File("mapping").entries(_node(source))
    if not isinstance(source, (str, Path)):
        raise MappingError(
            f"a mapping must be the path of a file or its content, got {repr(source)[:80]}; "
            "name a .yaml file"
        )
    try:
        root = read_yaml(Path(source), str(source), "mapping")
    except HardwareError as error:  # the reader is that of hardware files
        raise MappingError(str(error).replace("hardware file or a preset name", "file")) from error
    try:
        return _File(str(source)).entries(root)
    except MappingError as error:
        if told := other_than(source):
            raise MappingError(f"{source} has no mappings but seems to be {told}") from error
        raise


def _node(value: object) -> Node:
    """Plain content as a file would give it, without lines."""
    if isinstance(value, Mapping):
        return Node({str(key): _node(one) for key, one in value.items()}, 0)
    if isinstance(value, (list, tuple)):
        return Node([_node(one) for one in value], 0)
    return Node(value, 0, str(value))  # type: ignore[arg-type]  # checked where it is read


@dataclass(frozen=True, slots=True)
class _File:
    """One file under way; ``label`` is what errors call it."""

    label: str

    def place(self, node: Node) -> str:
        return f"{self.label}:{node.line}" if node.line else self.label

    def entries(self, root: Node) -> tuple[Entry, ...]:
        if not isinstance(root.value, dict) or not root.value:
            raise MappingError(
                f"{self.place(root)}: must give mappings by operator name; write for example "
                f"conv1: {_EXAMPLE}"
            )
        return tuple(self.entry(pattern, node) for pattern, node in root.value.items())

    def entry(self, pattern: str, node: Node) -> Entry:
        where = f"{self.place(node)}: {pattern}"
        if not isinstance(node.value, dict) or not node.value:
            raise MappingError(
                f"{where}: must be a map that decides something, got {_shown(node)}; write for "
                f"example {_EXAMPLE}"
            )
        for key in node.value:
            if key not in KEYS:
                raise MappingError(f"{where}: unknown key {key[:60]!r}{did_you_mean(key, KEYS)}")
        given = node.value
        return Entry(
            pattern,
            self.place(node),
            self.text(where, "engine", given["engine"]) if "engine" in given else "",
            self.tile(where, given["tile"]) if "tile" in given else (),
            self.loops(where, "order", given["order"]) if "order" in given else (),
            self.texts(where, "hold", given["hold"]) if "hold" in given else None,
            self.axes(where, given["unroll"]) if "unroll" in given else (),
            self.loops(where, "inside", given["inside"]) if "inside" in given else (),
        )

    def tile(self, where: str, node: Node) -> Sizes:
        found = self.sizes(where, "tile", node)
        if not found:
            raise MappingError(
                f"{where}: tile must give sizes by loop, got {{}}; write for example "
                "{m: 64, n: 32}, or remove tile"
            )
        return found

    def loops(self, where: str, key: str, node: Node) -> tuple[str, ...]:
        found = self.texts(where, key, node)
        if not found:
            raise MappingError(
                f"{where}: {key} must name a loop, got []; name one, or remove {key}"
            )
        return found

    def axes(self, where: str, node: Node) -> tuple[tuple[str, Sizes], ...]:
        if not isinstance(node.value, dict) or not node.value:
            raise MappingError(
                f"{where}: unroll must give steps of loops by axis, got {_shown(node)}; write for "
                "example {x: {n: 32}}"
            )
        return tuple(
            (axis, self.sizes(where, f"unroll: {axis}", one)) for axis, one in node.value.items()
        )

    @staticmethod
    def text(where: str, key: str, node: Node) -> str:
        if not isinstance(node.value, str) or not node.value:
            raise MappingError(f"{where}: {key} must be a name, got {_shown(node)}; write a word")
        return node.value

    def texts(self, where: str, key: str, node: Node) -> tuple[str, ...]:
        if not isinstance(node.value, list):
            raise MappingError(
                f"{where}: {key} must be a list of names, got {_shown(node)}; write [{_word(node)}]"
            )
        found = tuple(self.text(where, key, one) for one in node.value)
        for name in found:
            if found.count(name) > 1:
                raise MappingError(f"{where}: {key} names {name!r} twice; keep one")
        return found

    @staticmethod
    def sizes(where: str, key: str, node: Node) -> Sizes:
        if not isinstance(node.value, dict):
            raise MappingError(
                f"{where}: {key} must give sizes by loop, got {_shown(node)}; write for example "
                "{m: 64, n: 32}"
            )
        found = []
        for loop, size in node.value.items():
            value = size.value
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise MappingError(
                    f"{where}: {key}: {loop} must be a whole number of at least 1, "
                    f"got {_shown(size)}; correct it"
                )
            found.append((loop, value))
        return tuple(found)


def _word(node: Node) -> str:
    return node.value if isinstance(node.value, str) and node.value.isidentifier() else "n, m"


def _shown(node: Node) -> str:
    return repr(node.plain())[:80]
