"""A journal loses nothing that was written and keeps nothing that was torn."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from codesign.errors import StudyError
from codesign.explore.journal import Journal, read_journal

DIGEST = "d" * 64


def written(path: Path, count: int) -> bytes:
    with Journal(path, DIGEST) as journal:
        for number in range(count):
            journal.append({"point": number, "text": "ü" * number})
    return path.read_bytes()


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    written(tmp_path / "j", 3)
    with Journal(tmp_path / "j", DIGEST) as journal:
        assert [record["point"] for record in journal.records] == [0, 1, 2]
        journal.append({"point": 3})
        assert journal.records[-1] == {"point": 3}
    with Journal(tmp_path / "j", DIGEST) as journal:
        assert len(journal.records) == 4


def test_a_reader_sees_whole_records_and_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    data = written(tmp_path / "j", 3)
    for size in range(data.index(b"\n") + 1, len(data) + 1):
        (tmp_path / "j").write_bytes(data[:size])
        whole = data[:size].count(b"\n") - 1
        assert [record["point"] for record in read_journal(tmp_path / "j")] == list(range(whole))
        assert (tmp_path / "j").read_bytes() == data[:size]


def test_a_reader_reads_what_somebody_writes(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", DIGEST) as journal:
        journal.append({"point": 0})
        assert read_journal(tmp_path / "j") == [{"point": 0}]


@pytest.mark.parametrize("text", ["", "hello\n", '{"format":"other"}\n'])
def test_a_reader_is_told_that_a_file_is_no_journal(text: str, tmp_path: Path) -> None:
    (tmp_path / "j").write_text(text)
    with pytest.raises(StudyError, match=r"not a line of a journal|is no journal of version 1"):
        read_journal(tmp_path / "j")
    with pytest.raises(StudyError, match="cannot be read: No such file"):
        read_journal(tmp_path / "none")


def test_a_line_is_one_json_object_with_sorted_keys(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", DIGEST) as journal:
        journal.append({"b": 1, "a": [1.5, None, "x\ny"]})
    header, line = (tmp_path / "j").read_text().splitlines()
    assert json.loads(header) == {"format": "codesign-journal", "version": 1, "study": DIGEST}
    assert line == '{"a":[1.5,null,"x\\ny"],"b":1}'


def test_a_cut_at_any_byte_loses_the_torn_line_only(tmp_path: Path) -> None:
    data = written(tmp_path / "j", 4)
    ends = [n + 1 for n, byte in enumerate(data) if byte == ord("\n")]
    for size in range(len(data) + 1):
        (tmp_path / "cut").write_bytes(data[:size])
        with Journal(tmp_path / "cut", DIGEST) as journal:
            whole = sum(end <= size for end in ends[1:])
            assert [record["point"] for record in journal.records] == list(range(whole))
            journal.append({"point": whole})
        with Journal(tmp_path / "cut", DIGEST) as journal:
            assert [record["point"] for record in journal.records] == list(range(whole + 1))


def test_a_last_line_of_zeros_is_torn(tmp_path: Path) -> None:
    data = written(tmp_path / "j", 2)
    (tmp_path / "j").write_bytes(data + b"\0" * 40 + b"\n")
    with Journal(tmp_path / "j", DIGEST) as journal:
        assert len(journal.records) == 2
    assert (tmp_path / "j").read_bytes() == data


def test_a_broken_line_in_the_middle_is_told_and_nothing_is_changed(tmp_path: Path) -> None:
    data = written(tmp_path / "j", 3).replace(b'{"point":1', b'"point":1')
    (tmp_path / "j").write_bytes(data)
    with pytest.raises(StudyError, match=r"j:3: not a line of a journal"):
        Journal(tmp_path / "j", DIGEST)
    assert (tmp_path / "j").read_bytes() == data


def test_the_journal_of_another_study_is_left_alone(tmp_path: Path) -> None:
    data = written(tmp_path / "j", 3)
    with pytest.raises(StudyError, match=r"another study \(dddddddddddd, this one is eeee"):
        Journal(tmp_path / "j", "e" * 64)
    assert (tmp_path / "j").read_bytes() == data


@pytest.mark.parametrize("text", ["hello\n", '{"format":"other"}\n', "[1]\n{}\n"])
def test_a_file_that_is_no_journal_is_left_alone(text: str, tmp_path: Path) -> None:
    (tmp_path / "j").write_text(text)
    with pytest.raises(StudyError, match=r"not a line of a journal|is no journal of version 1"):
        Journal(tmp_path / "j", DIGEST)
    assert (tmp_path / "j").read_text() == text


def test_one_writes_at_a_time(tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "j", DIGEST),
        pytest.raises(StudyError, match="is being written by another process"),
    ):
        Journal(tmp_path / "j", DIGEST)
    Journal(tmp_path / "j", DIGEST).close()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_json_cannot_say_is_refused_before_it_is_written(value: float, tmp_path: Path) -> None:
    with Journal(tmp_path / "j", DIGEST) as journal:
        size = os.path.getsize(tmp_path / "j")
        with pytest.raises(ValueError, match="JSON"):
            journal.append({"x": value})
        assert os.path.getsize(tmp_path / "j") == size
        assert journal.records == []


def test_a_killed_writer_lets_go_of_the_lock_and_loses_nothing_it_was_told_of(
    tmp_path: Path,
) -> None:
    code = (
        "import sys; from pathlib import Path; from codesign.explore.journal import Journal\n"
        f"journal = Journal(Path(sys.argv[1]), {DIGEST!r})\n"
        "for number in range(10**6):\n"
        "    journal.append({'point': number}); print(number, flush=True)\n"
    )
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "j")], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(20)]
        child.send_signal(signal.SIGKILL)
        child.wait()
        with Journal(tmp_path / "j", DIGEST) as journal:
            found = [record["point"] for record in journal.records]
        assert found == list(range(len(found)))
        assert len(found) > told[-1]
        (tmp_path / "j").unlink()
