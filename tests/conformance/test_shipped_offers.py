"""Every shipped plugin passes ``codesign plugins check``, by the same door as anybody's."""

from __future__ import annotations

import json

import pytest
from broken_plugins import outcomes
from conftest import Codesign

from codesign.plugins import registry

SHIPPED = sorted(one.name for one in registry().sources() if one.distribution == "codesign")
ONE_OF_THEM = {
    "aten_attention": "aten.scaled_dot_product_attention",
    "aten_constant": "aten.zeros_like",
    "aten_contraction": "aten.addmm",
    "aten_control": "cond",
    "aten_convolution": "aten.convolution",
    "aten_elementwise": "aten.tanh",
    "aten_gather": "aten.embedding",
    "aten_normalize": "aten.native_layer_norm",
    "aten_pool": "aten.avg_pool2d",
    "aten_quantise": "*quantize_per_tensor*",
    "aten_recurrent": "*gru_cell*",
    "aten_reduce": "aten.sum",
    "aten_view": "aten.permute",
    "zoo": "lstm_lm",
}
"""Captures take long, and other tests have one of every lowering and model: one of each here."""
LONG = ("validate_dram",)
"""Compares with every row of a table, for which ``codesign memory validate`` has its own test."""
SKIPPED = {"dram", "pim", "hwcomponents"}
"""Kinds with a field that is read from a file, which no plain value gives back; and an estimator
whose packages are not installed everywhere."""


@pytest.mark.parametrize("plugin", [name for name in SHIPPED if name not in LONG])
def test_a_shipped_plugin_passes_the_checks_of_any_other(plugin: str) -> None:
    found = outcomes(plugin, ONE_OF_THEM.get(plugin, "*"))
    assert [one for one in found if one.state == "failed"] == []
    assert any(one.state == "passed" for one in found)
    skipped = [one for one in found if one.state == "skipped"]
    assert plugin in {*SKIPPED, *ONE_OF_THEM} or not skipped


def test_the_command_tells_every_check_in_a_line(codesign: Codesign) -> None:
    ran = codesign("plugins", "check", "link")
    assert ran.code == 0
    *lines, last = ran.out.splitlines()
    assert all(line.startswith("passed  ") for line in lines)
    assert last == f"{len(lines)} passed, 0 failed, 0 skipped"
    assert "passed  kind link (defaults): reads back from YAML" in lines


def test_the_command_prints_json(codesign: Codesign) -> None:
    found = json.loads(codesign("plugins", "check", "exporters", "--json").out)
    assert {one["state"] for one in found} == {"passed"}
    assert all(set(one) == {"title", "state", "message"} for one in found)
