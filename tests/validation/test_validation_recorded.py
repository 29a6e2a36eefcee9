"""The recorded runs of all families that ship, and the page of the documentation with them.

The runs lie beside the repository; without them, or without the compiler, these tests say so.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign.memory.compiled import has_compiler
from codesign.validation import FamilyResult, validate
from codesign.validation.page import section
from codesign.validation.summary import is_exact
from codesign.validation.wording import summary_cells

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / ".." / "shared" / "references"
FAMILIES = ("dram-kernel", "dram-window", "scalesim", "traffic")

pytestmark = [
    pytest.mark.skipif(not DATA.is_dir(), reason="the recorded runs are not here"),
    pytest.mark.skipif(not has_compiler(), reason="4 million requests need numba"),
]


@pytest.fixture(scope="module")
def results() -> dict[str, FamilyResult]:
    """Every family with its files."""
    return {one.family: one for one in validate(DATA, FAMILIES)}


def counts(result: FamilyResult) -> dict[str, tuple[int, int]]:
    """Cases, and exact ones, of each quantity."""
    return {one.quantity: (one.cases, one.exact) for one in result.summaries}


def test_scale_sim_is_exact_in_every_run_but_one_that_says_why(
    results: dict[str, FamilyResult],
) -> None:
    found = results["scalesim"]
    quantities = ("cycles", "operand reads", "output writes")
    assert counts(found) == dict.fromkeys(quantities, (137, 137))
    (left,) = found.not_run
    assert left.name == "197 gemm 128x128x128 on 16x16 ws 2:8"
    assert left.reason.startswith("weights pruned row by row")


def test_compulsory_traffic_is_exact_to_the_byte(results: dict[str, FamilyResult]) -> None:
    found = results["traffic"]
    assert counts(found) == {"off-chip traffic": (10, 10)}
    assert all(case.ours == case.theirs for case in found.cases)
    assert [one.name for one in found.not_run] == ["eyeriss_mm512"]


def test_the_bank_kernel_is_exact_but_for_the_rounding_of_recorded_latencies(
    results: dict[str, FamilyResult],
) -> None:
    found = counts(results["dram-kernel"])
    latencies, _ = found.pop("read latency")
    assert found == {"bandwidth": (189, 189), "activates": (189, 189), "energy": (102, 102)}
    assert latencies == 179
    worst = max(abs(case.error) for case in results["dram-kernel"].cases)
    assert worst < 2e-4
    assert results["dram-kernel"].not_run == ()


def test_windows_are_near_and_their_errors_are_said(results: dict[str, FamilyResult]) -> None:
    bandwidth, activates = results["dram-window"].summaries
    assert (bandwidth.cases, activates.cases) == (137, 137)
    assert bandwidth.mean_absolute_error < 0.01
    assert abs(bandwidth.worst.error) < 0.05
    assert activates.mean_absolute_error < 0.05
    assert len(results["dram-window"].not_run) == 189 - 137


@pytest.mark.parametrize("family", FAMILIES)
def test_no_case_of_these_families_is_calibrated(
    family: str, results: dict[str, FamilyResult]
) -> None:
    assert not any(case.calibrated for case in results[family].cases)
    assert any(is_exact(case) for case in results[family].cases)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_page_has_the_figures_of_today(family: str, results: dict[str, FamilyResult]) -> None:
    page = (ROOT / "docs" / "validation.md").read_text()
    found = results[family]
    assert section(found) in page, "renew: codesign validate --data DIR -o docs/validation.md"
    for summary in found.summaries:
        start = " | ".join(summary_cells(family, summary)[:-1])
        assert f"| {start} |" in page
