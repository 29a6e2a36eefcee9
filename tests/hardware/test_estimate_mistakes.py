"""Estimates in hardware files that are written wrong: the line, the rule and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign import load_hardware
from codesign.errors import HardwareError

FILE = """\
name: m
components:
  npu:
    kind: systolic
    buffer: sram
    mac_energy: MAC
  sram:
    kind: sram
    size: 1 MiB
    read_energy: READ
"""
MAC = "{int8*int8: 0.3 pJ}"
WORDS = "component: sram, action: read, size: 1 MiB, node: 22 nm"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(read: str = "1 pJ/B", mac: str = MAC) -> str:
    Path("m.yaml").write_text(FILE.replace("READ", read).replace("MAC", mac))
    with pytest.raises(HardwareError) as caught:
        load_hardware("m.yaml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (
            f"{{estimte: {{{WORDS}}}}}",
            "m.yaml:10: sram.read_energy: unknown key 'estimte'; did you mean 'estimate'? "
            "known: estimate",
        ),
        (
            f"{{estimate: {{{WORDS}}}, source: me}}",
            "m.yaml:10: sram.read_energy has 'source' beside an estimate, which brings its own "
            "source and status; remove it, or write it within the braces of the estimate",
        ),
        (
            f"{{estimate: {{{WORDS}}}, node: 22 nm}}",
            "m.yaml:10: sram.read_energy has 'node' beside an estimate, which brings its own "
            "source and status; remove it, or write it within the braces of the estimate",
        ),
        (
            f"{{value: {{estimate: {{{WORDS}}}}}, source: me, status: assumed}}",
            "m.yaml:10: sram.read_energy: an estimate brings its own source and status; write "
            "{estimate: ...} alone",
        ),
        (
            "{estimate: sram}",
            "m.yaml:10: sram.read_energy.estimate must be a map; write {component: sram, ...}",
        ),
        (
            "{valu: 1 pJ/B, source: me, status: assumed}",
            "m.yaml:10: sram.read_energy: unknown key 'valu'; did you mean 'value'? known: note, "
            "source, status, value",
        ),
    ],
)
def test_what_is_nearly_an_estimate_or_a_value_is_told_so(read: str, message: str) -> None:
    assert refused(read) == message


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("action: read", "action: raed", "action"),
        ("action: read", "action: read\ntype: none", "type"),
        ("action: read", "action: read\nbits: 8", "bits"),
        ("node: 22 nm", "node: 22 mm", "node"),
        ("node: 22 nm", "node: 22 nm\nnoed: 22 nm", "noed"),
        ("component: sram", "component: srma", "component"),
        ("component: sram", "component: sram\nestimator: nobody", "estimator"),
    ],
)
def test_the_line_is_that_of_the_wrong_word(old: str, new: str, line: str) -> None:
    words = WORDS.replace(old, new).replace(", ", "\n").split("\n")
    at = next(n for n, word in enumerate(words) if word.partition(":")[0] == line)
    text = refused("\n".join(["", "      estimate:", *(f"        {word}" for word in words)]))
    assert text.startswith(f"m.yaml:{12 + at}: sram.read_energy.estimate: ")
    assert "did you mean" in text or "known:" in text or "write" in text or "it takes" in text


def test_the_line_of_a_wrong_key_around_a_value_is_its_own() -> None:
    text = refused("\n      value: 1 pJ/B\n      sorce: me\n      status: assumed")
    assert text.startswith("m.yaml:12: sram.read_energy has the unknown key 'sorce'; did you mean")


def test_a_table_takes_estimates_at_its_entries() -> None:
    text = refused(mac="{estimate: {component: mac, node: 22 nm, bits: 8}}")
    assert text == (
        "m.yaml:6: npu.mac_energy.estimate: npu.mac_energy is a table; write the estimate in the "
        "place of one of its entries"
    )
    mac = "{int8*int8: {estimate: {component: mac, node: 22 nm, bits: 8}}}"
    Path("m.yaml").write_text(FILE.replace("READ", "1 pJ/B").replace("MAC", mac))
    assert load_hardware("m.yaml").components["npu"].mac_energy.keys() == {"int8*int8"}  # type: ignore[attr-defined]


def test_an_entry_of_a_table_may_be_called_as_an_estimate_is() -> None:
    for entry in ("2 pJ", "{value: 2 pJ, source: me, status: fitted}"):
        # no estimate, but no pair of formats either
        assert "mac_energy['estimate'] must name two formats" in refused(
            mac=f"{{int8*int8: 1 pJ, estimate: {entry}}}"
        )
