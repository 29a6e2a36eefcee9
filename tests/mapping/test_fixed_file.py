"""Files of fixed mappings: read as written, and every mistake in one line with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign.errors import MappingError
from codesign.mapping.fixed_file import KEYS, Entry, read_mappings

FILE = """
# two operators
layers.*.q_proj: {engine: npu, tile: {m: 64, n: 32}, order: [n, m], hold: [weight]}
conv1:
  tile:
    oy: 8
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "maps.yaml"
    path.write_text(text)
    return path


def refused(source: object) -> str:
    with pytest.raises(MappingError) as caught:
        read_mappings(source)  # type: ignore[arg-type]
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_an_entry_holds_what_its_author_wrote(tmp_path: Path) -> None:
    path = written(tmp_path, FILE)
    assert read_mappings(path) == (
        Entry(
            "layers.*.q_proj",
            f"{path}:3",
            "npu",
            (("m", 64), ("n", 32)),
            ("n", "m"),
            ("weight",),
        ),
        Entry("conv1", f"{path}:4", tile=(("oy", 8),)),
    )


def test_a_path_may_be_text(tmp_path: Path) -> None:
    path = written(tmp_path, FILE)
    assert read_mappings(str(path)) == read_mappings(path)


def test_content_reads_as_a_file_does_but_for_the_lines(tmp_path: Path) -> None:
    content = {
        "layers.*.q_proj": {
            "engine": "npu",
            "tile": {"m": 64, "n": 32},
            "order": ["n", "m"],
            "hold": ("weight",),
        },
        "conv1": {"tile": {"oy": 8}},
    }
    entries = read_mappings(content)
    assert [entry.place for entry in entries] == ["mapping", "mapping"]
    again = read_mappings(written(tmp_path, FILE))
    for one, other in zip(entries, again, strict=True):
        assert (one.pattern, one.engine, one.tile) == (other.pattern, other.engine, other.tile)
        assert (one.order, one.hold) == (other.order, other.hold)


def test_axes_of_an_array_have_loops_of_their_own() -> None:
    (entry,) = read_mappings({"a": {"unroll": {"D1": {"co": 32}, "D2": {"ci": 8, "kx": 3}}}})
    assert entry.unroll == (("D1", (("co", 32),)), ("D2", (("ci", 8), ("kx", 3))))


def test_nothing_held_is_not_the_same_as_nothing_said() -> None:
    none, silent = read_mappings({"a": {"hold": []}, "b": {"engine": "npu"}})
    assert none.hold == ()
    assert silent.hold is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("{}", "must give mappings by operator name"),
        ("[1, 2]", "must give mappings by operator name"),
        ("a: {tile: {m: 1}\nb", "not valid YAML"),
        ("a: {}", "a: must be a map that decides something, got {}; write for example {tile"),
        ("a: {tile: {}}", "a: tile must give sizes by loop, got {}; write for example {m: 64"),
        ("a: {order: []}", "a: order must name a loop, got []; name one, or remove order"),
        ("a: {inside: []}", "a: inside must name a loop, got []; name one, or remove inside"),
        ("a: {tile: {m: 1}}\na: {}", "duplicate key 'a'"),
        ("a: &x {tile: {m: 1}}", "anchors and aliases are not read"),
        ("a: !!python/object {m: 1}", "tags such as"),
        ("\n\na: 5", ":3: a: must be a map that decides something, got 5; write for example {tile"),
        ("a: {tiles: {m: 1}}", "a: unknown key 'tiles'; did you mean 'tile'?"),
        ("a: {Tile: {m: 1}}", "unknown key 'Tile'; did you mean 'tile'?"),
        ("a: {tile: 5}", "tile must give sizes by loop, got 5"),
        ("a: {tile: [m, 5]}", "tile must give sizes by loop, got ['m', 5]"),
        ("a: {tile: {m: 0}}", "tile: m must be a whole number of at least 1, got 0"),
        ("a: {tile: {m: -4}}", "tile: m must be a whole number of at least 1, got -4"),
        ("a: {tile: {m: 2.5}}", "tile: m must be a whole number of at least 1, got 2.5"),
        ("a: {tile: {m: true}}", "tile: m must be a whole number of at least 1, got True"),
        ("a: {tile: {m: many}}", "tile: m must be a whole number of at least 1, got 'many'"),
        ("a: {tile: {m: }}", "tile: m must be a whole number of at least 1, got None"),
        ("a: {order: n}", "order must be a list of names, got 'n'; write [n]"),
        ("a: {order: {n: 1}}", "order must be a list of names, got {'n': 1}"),
        ("a: {order: [n, 3]}", "order must be a name, got 3"),
        ("a: {order: [n, m, n]}", "order names 'n' twice; keep one"),
        ("a: {hold: weight}", "hold must be a list of names, got 'weight'; write [weight]"),
        ("a: {hold: [w, w]}", "hold names 'w' twice"),
        ("a: {unroll: 3}", "unroll must give steps of loops by axis, got 3"),
        ("a: {unroll: {}}", "unroll must give steps of loops by axis, got {}"),
        ("a: {unroll: {x: 3}}", "unroll: x must give sizes by loop, got 3"),
        ("a: {unroll: {x: {m: 0}}}", "unroll: x: m must be a whole number of at least 1, got 0"),
        ("a: {inside: n}", "inside must be a list of names, got 'n'; write [n]"),
        ("a: {engine: [npu]}", "engine must be a name, got ['npu']"),
        ("a: {engine: }", "engine must be a name, got None"),
        ("a: {engine: 5}", "engine must be a name, got 5"),
    ],
)
def test_a_mistake_in_a_file_is_one_line_with_its_place(
    tmp_path: Path, text: str, words: str
) -> None:
    path = written(tmp_path, text)
    message = refused(path)
    assert message.startswith(f"{path}:")
    assert words in message


def test_a_missing_file_is_told_without_the_words_of_hardware(tmp_path: Path) -> None:
    message = refused(tmp_path / "none.yaml")
    assert message == f"{tmp_path / 'none.yaml'}: no such file; give a file"
    assert "hardware" not in message


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"{tmp_path}: is a folder; give a file"


@pytest.mark.parametrize("source", [3, 2.5, ["a"], b"a.yaml"])
def test_a_source_of_another_type_is_refused(source: object) -> None:
    assert "must be the path of a file or its content, got " in refused(source)


def test_a_mistake_in_content_has_no_line() -> None:
    assert refused({"conv1": {"tile": {"oy": 0}}}).startswith("mapping: conv1: tile: oy must be")


@pytest.mark.parametrize("key", KEYS)
def test_every_key_stands_for_itself_alone(key: str) -> None:
    content: dict[str, object] = {
        "engine": "npu",
        "tile": {"m": 3},
        "order": ["m"],
        "hold": ["w"],
        "unroll": {"x": {"m": 2}},
        "inside": ["m"],
    }
    (entry,) = read_mappings({"a": {key: content[key]}})
    given = {
        "engine": bool(entry.engine),
        "tile": bool(entry.tile),
        "order": bool(entry.order),
        "hold": entry.hold is not None,
        "unroll": bool(entry.unroll),
        "inside": bool(entry.inside),
    }
    assert [name for name, is_given in given.items() if is_given] == [key]


def test_values_of_strange_types_are_shown_short() -> None:
    assert len(refused({"a": {"engine": ["x" * 1000]}})) < 200
