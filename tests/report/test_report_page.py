"""The page of a result: what stands in it, and what it may do."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from page_reader import Page, page_of
from report_case import OLD, banked, generated, small, with_why

from codesign.report import write_report
from codesign.report.names import shown

RESULT = cache(banked)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Page, str]:
    folder = tmp_path_factory.mktemp("made")
    result = RESULT()
    result.save(folder / "result")
    with_why(folder / "result", result.replay.makespan)
    return page_of(folder / "result", folder / "page.html")


def test_the_sections_stand_in_order(made: tuple[Page, str]) -> None:
    assert made[0].headings == [
        "At a glance", "Timeline", "Energy", "Bytes", "Roofline", "What lies where",
        "Memory off the chip", "Critical path", "Checks", "Expected errors", "Assumptions",
        "Hardware values", "Provenance",
    ]  # fmt: skip


def test_the_headline_has_figures_with_units(made: tuple[Page, str]) -> None:
    result = RESULT()
    words = " ".join(made[0].texts["dd"])
    assert f"{result.latency_s * 1e6:.2f} µs" in words
    assert re.search(r"at least [\d.]+ µs, [\d.]+ µs if nothing overlapped", words)
    for unit in ("J ", " W in the mean", " kB", " GB/s", " %", "MMAC"):
        assert unit in words, unit


def test_it_says_where_no_error_is_known(made: tuple[Page, str]) -> None:
    words = " ".join(made[0].texts["p"])
    assert "no error is known of the latency and the energy as a whole" in words
    assert "Of npu and dram there are statements" in words
    assert "Of vector, sram and bus no error is known." in words
    assert any("uncalibrated" in text for text in made[0].texts["td"])


def test_every_figure_has_a_name_a_description_and_a_table_or_caption(
    made: tuple[Page, str],
) -> None:
    page = made[0]
    ids = set(page.values("id"))
    figures = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(figures) == 7
    for attributes in figures:
        labels = str(attributes["aria-labelledby"]).split()
        assert attributes["role"] == "img"
        assert len(labels) == 2
        assert set(labels) <= ids
    assert len(page.texts["figcaption"]) == 6


def test_marks_are_named_for_who_points_at_them(made: tuple[Page, str]) -> None:
    titles = made[0].texts["title"]
    assert any(re.match(r"first: .* MAC/B$", title) for title in titles)
    assert any("first.weight (weight, home)" in title for title in titles)
    assert any(title.startswith("dram · dynamic: ") for title in titles)
    assert any(title.startswith("second: from ") for title in titles)


def test_no_id_is_there_twice_and_every_reference_leads_somewhere(made: tuple[Page, str]) -> None:
    page, text = made
    counts = Counter(page.values("id"))
    assert [name for name, count in counts.items() if count > 1] == []
    links = page.values("href") + page.values("xlink:href")
    targets = {link[1:] for link in links if link.startswith("#")}
    targets |= set(re.findall(r"url\(#([^)]+)\)", text))
    assert targets <= set(counts)
    assert [link for link in links if not link.startswith("#")] == []


def test_the_policy_allows_its_one_script_and_no_network(made: tuple[Page, str]) -> None:
    page, _ = made
    (policy,) = [g["content"] for _, g in page.tags if g.get("http-equiv")]
    rules = dict(rule.strip().split(" ", 1) for rule in str(policy).split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    script = page.texts["script"][-1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert [tag for tag, attributes in page.tags if "src" in attributes] == []


def test_the_data_of_the_timeline_is_json(made: tuple[Page, str]) -> None:
    data = json.loads(made[0].texts["script"][0])
    assert [track["name"] for track in data["tracks"]] == [
        "npu", "vector", "critical path", "sram", "bus", "dram",
    ]  # fmt: skip
    assert data["makespan"] == RESULT().replay.makespan


def test_each_cause_on_the_path_is_explained(made: tuple[Page, str]) -> None:
    cells = made[0].texts["td"]
    assert "an engine computed, or its units had nothing to do meanwhile" in cells
    assert (
        "a memory with banks stayed below its peak: row misses, turnarounds, refresh" not in cells
    )


def test_a_flat_memory_is_busy_and_never_idle(tmp_path: Path) -> None:
    result = small()
    result.save(tmp_path / "result")
    page, text = page_of(tmp_path / "result", tmp_path / "page.html")
    words = " ".join(page.texts["p"])
    assert "No rows and no power states are modelled of dram (flat_dram)" in words
    assert "Power states are times" not in words
    assert "A burst that finds" not in words
    dram = text[text.index('id="dram-heading"') : text.index('id="path-heading"')]
    assert "idle" not in dram
    used = f"{100 * result.utilization['dram']:.1f} %"
    assert f"{used} of the peak of " in dram
    assert f"{used} of it used in the mean" in dram


def test_what_is_modelled_of_a_memory_is_explained(made: tuple[Page, str]) -> None:
    words = " ".join(made[0].texts["p"])
    assert "A burst that finds its row open" in words
    assert "Power states are times of the whole run" in words
    assert "No rows and no power states" not in words


def test_a_page_says_one_peak_of_a_memory(made: tuple[Page, str]) -> None:
    page, text = made
    told = set(re.findall(r"(?:peak of|dram: peak|Slope of dram:) ([\d.]+ GB/s)", text))
    assert told == {"25.60 GB/s"}
    tracks = json.loads(page.texts["script"][0])["tracks"]
    assert [track["full"] for track in tracks if track["name"] == "dram"] == [25_600_000_000]


def test_a_little_use_is_not_told_as_none(tmp_path: Path) -> None:
    folder = generated(tmp_path / "result", 3)
    path = folder / "summary.json"
    used = {"npu": 0.5, "sram": 0.0, "bus": 0.0001, "dram": 0.15}
    change = {"utilization": used, "assumed_energy_share": 1e-5}
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    page, _ = page_of(folder, tmp_path / "page.html")
    words = page.texts["dd"]
    assert "sram\u00a00.0\u00a0%, bus\u00a0<\u00a00.1\u00a0%, dram\u00a015.0\u00a0%" in words
    assert any("nearly none of it rests on assumed prices" in one for one in words)


def test_checks_assumptions_values_and_digests_are_listed(made: tuple[Page, str]) -> None:
    page, result = made[0], RESULT()
    cells = page.texts["td"]
    assert "BROKEN" not in cells
    assert cells.count("holds") >= 9
    assert {result.digest, result.trace_digest, result.hardware_digest} <= set(cells)
    assert set(result.assumptions) <= set(page.texts["li"])
    values = {row.value for row in result.machine.sources}
    assert {shown(value, 600) for value in values if value} <= set(cells)


def test_a_broken_law_is_said(tmp_path: Path) -> None:
    folder = generated(tmp_path / "result", 3)
    path = folder / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"lower_bound_s": 1.0}))
    page, _ = page_of(folder, tmp_path / "page.html")
    assert page.texts["td"].count("BROKEN") == 1
    assert any(re.match(r"\d+ of \d+ laws hold", words) for words in page.texts["p"])


def test_without_a_critical_path_one_sentence_says_which_command_makes_it(tmp_path: Path) -> None:
    page, _ = page_of(generated(tmp_path / "result", 3), tmp_path / "page.html")
    assert any("The command codesign why makes it" in words for words in page.texts["p"])
    assert "figure-critical-path" not in page.values("id")


def test_a_folder_of_the_version_before_gives_a_page_that_says_what_it_lacks(
    tmp_path: Path,
) -> None:
    page, _ = page_of(OLD, tmp_path / "page.html")
    words = " ".join(page.texts["p"])
    for name in ("components.json", "residency.parquet", "spans.parquet"):
        assert name in words
    assert "The folder does not say which tensor lies in which memory" in words
    assert "there is no roof" in words
    assert len([tag for tag, _ in page.tags if tag == "svg"]) == 4


def test_the_same_folder_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    folder = generated(tmp_path / "result", 5)
    write_report(folder, tmp_path / "here.html")
    program = "import sys; from codesign.report import write_report; write_report(*sys.argv[1:])"
    words = [sys.executable, "-c", program, str(folder), str(tmp_path / "there.html")]
    subprocess.run(words, check=True, env={"PYTHONHASHSEED": "17", "PATH": ""})
    assert (tmp_path / "here.html").read_bytes() == (tmp_path / "there.html").read_bytes()


def test_a_page_of_a_thousand_operators_is_small(tmp_path: Path) -> None:
    folder = generated(tmp_path / "result", 1000, runs=20)
    with_why(folder, 20_000 * 1_000_000, 3000)
    page, text = page_of(folder, tmp_path / "page.html")
    assert len(text.encode()) < 3_000_000
    assert any("of 1,000" in summary for summary in page.texts["summary"])
    assert any("folded" in words for words in page.texts["p"])
    assert len([tag for tag, _ in page.tags]) < 25_000


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    _, text = page_of(generated(tmp_path / "result", 400), tmp_path / "page.html")
    assert "Energy by operator and component; 381 more: " in text
    assert "250 smaller ones" in text
