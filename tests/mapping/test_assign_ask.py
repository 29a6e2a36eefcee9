"""What may be asked of engines, and what rules mean."""

from __future__ import annotations

from typing import Any

import pytest

from codesign import Engines
from codesign.errors import MappingError
from codesign.mapping.assign.ask import CHOOSING, as_engines, find_ruled
from codesign.testing import elementwise, matmul, softmax

OPS = (matmul(2, 3, 4), elementwise((8,)), softmax(4, 4))
NAMES = [op.name for op in OPS]
KNOWN = ("npu", "vector")


@pytest.mark.parametrize("policy", CHOOSING)
def test_a_policy_name_stands_for_engines_without_rules(policy: str) -> None:
    assert as_engines(policy) == Engines(policy)  # type: ignore[arg-type]


def test_engines_stay_as_they_are() -> None:
    asked = Engines(rules={"*": "npu"}, split=True)
    assert as_engines(asked) is asked


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"policy": "earlyest"},
            "engines must be a policy, got 'earlyest'; did you mean 'earliest'",
        ),
        ({"policy": 3}, "engines must be a policy, got 3; known: alone, earliest, optimal"),
        ({"policy": "alone", "split": True}, "engines 'alone' runs each operator on one engine"),
        ({"split": 1}, "split of engines must be True or False, got 1"),
        ({"rules": ["npu"]}, "rules of engines must name an engine by pattern, got .*'npu'"),
        ({"rules": {"a": 1}}, "rules of engines must name an engine by pattern"),
    ],
)
def test_what_means_nothing_is_refused_in_a_line(values: dict[str, Any], words: str) -> None:
    with pytest.raises(MappingError, match=words) as caught:
        Engines(**values)
    assert "\n" not in str(caught.value)


def test_rules_are_a_copy() -> None:
    mine = {"*": "npu"}
    asked = Engines(rules=mine)
    mine["*"] = "vector"
    assert asked.rules == {"*": "npu"}


def test_of_several_rules_that_match_the_first_counts() -> None:
    rules = {NAMES[0]: "npu", "*": "vector"}
    assert find_ruled(rules, OPS, KNOWN) == ["npu", "vector", "vector"]


def test_a_rule_may_name_a_kind_and_leaves_others_free() -> None:
    assert find_ruled({"kind:soft*": "vector"}, OPS, KNOWN) == ["", "", "vector"]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"*": "npv"}, r"the rule '\*' names the unknown engine 'npv'; did you mean 'npu'"),
        ({"softmaks*": "npu"}, "'softmaks.*' matches no operator; did you mean 'softmax"),
        (
            {"kind:softmaxx": "npu"},
            "names an unknown kind; did you mean 'softmax'.* known: attention",
        ),
        ({"kind:sort": "npu"}, "matches no operator; did you mean 'kind:soft"),
        ({"zzz": "npu"}, "matches no operator; take a name from the trace, or drop it"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(rules: dict[str, str], words: str) -> None:
    with pytest.raises(MappingError, match=words):
        find_ruled(rules, OPS, KNOWN)


def test_a_rule_behind_one_that_matches_all_is_no_mistake() -> None:
    """It matches, though another goes first."""
    assert find_ruled({"*": "npu", "kind:softmax": "vector"}, OPS, KNOWN) == ["npu"] * 3
