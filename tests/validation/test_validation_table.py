"""Reference tables: rows as they are written, and one line for everything that is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesign.errors import ValidationError
from codesign.validation import TableRow, parse_table, read_table, table


def row(cell: str) -> TableRow:
    return TableRow("runs.csv", 7, {"cycles": cell})


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "runs.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_rows_keep_their_cells_and_their_lines(tmp_path: Path) -> None:
    path = written(tmp_path, 'case,cycles,note\n1, 4991.0 ,\n2,7,"a, ""b""\nc"\n3,8,x\n')
    first, second, third = read_table(path, ("case", "cycles"))
    assert (first.whole("case"), first.whole("cycles"), first.text("note")) == (1, 4991, "")
    assert second.text("note") == 'a, "b"\nc'
    assert (first.line, third.line) == (2, 5)
    assert first.file == str(path)


def test_typed_rows_are_read_as_a_file_is(tmp_path: Path) -> None:
    text = "case,cycles\n1,2\n3,4\n"
    typed, read = parse_table(text, ("case",), "x"), read_table(written(tmp_path, text), ("case",))
    assert [dict(one.cells) for one in typed] == [dict(one.cells) for one in read]


@given(st.integers(0, 2**53))
def test_whole_numbers_come_back_with_or_without_a_fraction(number: int) -> None:
    assert row(str(number)).whole("cycles") == number
    assert row(f"{number}.0").whole("cycles") == number


@pytest.mark.parametrize("cell", ["", "fast", "nan", "inf", "-inf", "1,5", "0x10"])
def test_what_is_no_finite_number_is_told_with_its_place(cell: str) -> None:
    with pytest.raises(ValidationError) as caught:
        row(cell).number("cycles")
    assert str(caught.value) == (
        f"runs.csv:7: cycles must be a finite number, got {cell!r}; correct it or take the row out"
    )


@pytest.mark.parametrize("cell", ["1.5", "-1", "1e-3"])
def test_what_is_no_whole_number_is_told_with_its_place(cell: str) -> None:
    with pytest.raises(ValidationError, match=r"^runs.csv:7: cycles must be a whole number of at"):
        row(cell).whole("cycles")


def test_a_long_cell_is_cut_in_the_message() -> None:
    with pytest.raises(ValidationError) as caught:
        row("x" * 10_000).number("cycles")
    assert len(str(caught.value)) < 200


BROKEN = {
    "": "runs.csv:1: no column 'case'; known: none",
    "case,cycle\n1,2\n": "runs.csv:1: no column 'cycles'; did you mean 'cycle'? known: case, cycle",
    "case;cycles\n1;2\n": "runs.csv:1: no column 'case'; separate the cells by commas",
    "case\tcycles\n1\t2\n": "runs.csv:1: no column 'case'; separate the cells by commas",
    "case,cycles,cycles\n1,2,3\n": "runs.csv:1: 2 columns are called 'cycles'; keep one",
    "case,cycles,,\n1,2,,\n": "runs.csv:1: 2 columns are called ''; keep one",
    "case,cycles\n": "runs.csv has no row below its header; replace it",
    "case,cycles\n1,2\n1\n": "runs.csv:3: a row must have as many cells as the header; correct it",
    "case,cycles\n1,2,3\n": "runs.csv:2: a row must have as many cells as the header; correct it",
    'case,cycles\n1,"2\n': "runs.csv:2 is no CSV: unexpected end of data; correct it",
    'case,cycles\n1,"2"3\n': "runs.csv:2 is no CSV: ',' expected after '\"'; correct it",
    f"case,cycles\n1,{'9' * 200_000}\n": "runs.csv:2 is no CSV: field larger than field limit",
}


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_file_is_one_line(content: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as caught:
        read_table(written(tmp_path, content), ("case", "cycles"))
    message = str(caught.value).removeprefix(f"{tmp_path}/")
    assert message.startswith(BROKEN[content])
    assert "\n" not in message


def test_a_file_that_is_not_text_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"runs.csv is no text in UTF-8; replace it"):
        read_table(written(tmp_path, b"case\n\xff\xfe\n"), ("case",))


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"none.csv cannot be read: No such file or direct"):
        read_table(tmp_path / "none.csv", ("case",))
    with pytest.raises(ValidationError, match="cannot be read: Is a directory; replace it"):
        read_table(tmp_path, ("case",))


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    (first,) = read_table(written(tmp_path, "\ufeffcase,cycles\n1,2\n"), ("case",))
    assert first.whole("case") == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_system_ends_them(tmp_path: Path, end: str) -> None:
    first, second = read_table(written(tmp_path, f"case,note{end}1,a{end}2,b{end}"), ("case",))
    assert (first.text("note"), second.text("note"), second.line) == ("a", "b", 3)


def test_a_pipe_or_a_device_is_not_waited_for(tmp_path: Path) -> None:
    """Its length is 0, and its end may never come."""
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", Path("/dev/zero")):
        with pytest.raises(ValidationError, match="is a pipe or a device; save what it gives to a"):
            read_table(path, ("case",))


def test_a_header_without_end_is_one_short_line() -> None:
    header = ",".join(f"column{number}" for number in range(20_000))
    with pytest.raises(ValidationError) as caught:
        parse_table(f"{header}\n{header}\n", ("case",), "runs.csv")
    assert len(str(caught.value)) < 1000


def test_a_file_that_is_too_long_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MAX_BYTES", 1 << 20)
    with pytest.raises(ValidationError, match=r"runs.csv is longer than 1 MiB; cut it"):
        read_table(written(tmp_path, "x" * ((1 << 20) + 1)), ("case",))


@given(st.text(max_size=60))
def test_any_text_is_a_table_or_one_clear_line(text: str) -> None:
    try:
        assert parse_table(text, (), "runs.csv")
    except ValidationError as error:
        assert str(error).startswith("runs.csv")  # noqa: PT017
