"""Pins: what they name, and what is refused before anything is planned."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from recurrent_layer import layer, study_machine, weight_bytes
from test_residency import STAYS, STEPS, WIDTH, recurrent
from toy_machine import Priced, machine, priced

from codesign.errors import MappingError
from codesign.hardware.spec import Hardware
from codesign.mapping.pins import check_limits
from codesign.mapping.place import place
from codesign.mapping.placement import Placement
from codesign.mapping.residency import Residency
from codesign.simulation import simulate
from codesign.testing.operators import whole
from codesign.workload.record import Op, Tensor, Trace

MATRIX = WIDTH * WIDTH


@pytest.fixture(autouse=True)
def _forget() -> None:
    Priced.asked.clear()


def toy(buffer: int = 1 << 12) -> Hardware:
    return machine(priced(contraction=5, move=5, elementwise=5), buffer=buffer)


def pinned(*pins: str, trace: Trace | None = None, hardware: Hardware | None = None) -> Placement:
    return place(trace or recurrent(), hardware or toy(), Residency("pinned", pins))


def refused(*pins: str, hardware: Hardware | None = None, **asked: object) -> str:
    """The only line of the error; nothing has been planned by then."""
    with pytest.raises(MappingError) as caught:
        place(recurrent(), hardware or toy(), Residency("pinned", pins, **asked))  # type: ignore[arg-type]
    assert Priced.asked == []
    message = str(caught.value)
    assert "\n" not in message
    return message


def stays(placement: Placement) -> dict[str, tuple[str, int]]:
    return {stay.tensor.name: (stay.memory, stay.bytes) for stay in placement.stays}


# -- what pins name -------------------------------------------------------------------------------


def test_a_pinned_weight_is_fetched_once_for_all_steps() -> None:
    placement = pinned("u")
    assert stays(placement) == {"u": ("sram", MATRIX)}
    assert weight_bytes(placement) == MATRIX
    assert weight_bytes(pinned("h")) == STEPS * MATRIX


def test_a_pattern_and_a_role_name_all_that_they_match() -> None:
    assert stays(pinned("h*")) == dict.fromkeys(["h", "h.next", "h0"], ("sram", WIDTH))
    assert set(stays(pinned("role:weight"))) == {"u"}
    assert set(stays(pinned("role:input"))) == {"x", "h0"}
    assert set(stays(pinned("[ux]"))) == {"u", "x"}


def test_a_state_that_is_pinned_takes_its_update_along() -> None:
    assert set(stays(pinned("h"))) == set(stays(pinned("h.next"))) == {"h", "h.next"}


def test_a_state_and_its_update_stay_together_or_not_at_all_where_parts_may_stay() -> None:
    for room in range(2 * WIDTH + 1):
        asked = Residency("pinned", ("h",), partial=True, limits={"sram": room})
        kept = set(stays(place(recurrent(), toy(), asked)))
        assert kept == ({"h", "h.next"} if room == 2 * WIDTH else set())


def test_of_several_pins_that_match_the_first_counts() -> None:
    hardware = study_machine(4096)
    asked = ("*.recurrent@weights", "role:weight@queue")
    placement = pinned(*asked, trace=layer("l", 8, 8, 4), hardware=hardware)
    assert stays(placement) == {"l.recurrent": ("weights", 4 * 8 * 8)}
    homes = {
        access.tensor.name: home
        for one, _ in placement.assignments()
        for access, home in zip(one.op.operands, one.homes, strict=True)
        if ".preload" not in one.op.name
    }
    assert (homes["l.recurrent"], homes["l.input"], homes["l.bias"]) == (
        "weights",
        "queue",
        "queue",
    )


def test_pins_leave_less_to_tiles_and_say_so() -> None:
    placement = pinned("u")
    (cell,) = [one for one, _ in placement.assignments() if one.op.name == "cell"]
    assert cell.budget_bytes == (1 << 12) - MATRIX
    assert "but 1 tensor pinned to sram stays there: 256 B at most at once" in placement.notes


def test_pins_go_with_a_policy_for_the_rest() -> None:
    placement = place(recurrent(), toy(), Residency("greedy", ("u",)))
    assert set(stays(placement)) >= {"u", "h", "h.next"}


# -- what is refused ------------------------------------------------------------------------------


def test_a_pin_that_matches_nothing_is_refused_with_the_nearest_name() -> None:
    assert refused("h.nxt") == (
        "pin 'h.nxt' matches no tensor that an operator uses; did you mean 'h.next'? "
        "(listed by 'codesign trace MODEL --tensors')"
    )
    assert refused("joiner.*") == (
        "pin 'joiner.*' matches no tensor that an operator uses; "
        "take a name from the trace, or drop it (listed by 'codesign trace MODEL --tensors')"
    )


def test_a_tensor_that_no_operator_uses_cannot_be_pinned() -> None:
    trace = recurrent()
    idle = replace(trace, tensors=(*trace.tensors, whole("idle", (4,), "weight").tensor))
    with pytest.raises(MappingError, match=r"pin 'idle' matches no tensor that an operator uses"):
        pinned("idle", trace=idle)


def test_an_unknown_role_is_refused_with_the_nearest_one() -> None:
    assert refused("role:wieght") == (
        "pin 'role:wieght' names the unknown role 'wieght'; did you mean 'weight'? "
        "known: activation, constant, input, output, state, weight"
    )


@pytest.mark.parametrize(
    ("pin", "said"),
    [
        ("u@srm", "names the unknown memory 'srm'; did you mean 'sram'?"),
        ("u@cpu", "names the unknown memory 'cpu'"),
        (
            "u@dram",
            "names dram, which is not on chip or not in reach of all engines; name one of sram",
        ),
    ],
)
def test_a_memory_that_nothing_can_be_pinned_to_is_refused(pin: str, said: str) -> None:
    assert refused(pin).startswith(f"pin {pin!r} {said}")


def test_a_pin_that_does_not_fit_is_refused_with_all_its_bytes() -> None:
    assert refused("u", hardware=toy(MATRIX)) == (
        "pin 'u' takes 256 B in sram, where residents may take 255 B (1 B is left to tiles); "
        "pin less, enlarge sram or its limit, or let part stay with partial"
    )
    assert stays(pinned("u", hardware=toy(MATRIX + 1)))


def test_a_pin_is_held_to_a_limit_to_the_byte() -> None:
    assert "where residents may take 255 B;" in refused("u", limits={"sram": MATRIX - 1})
    asked = Residency("pinned", ("u",), limits={"sram": MATRIX})
    assert stays(place(recurrent(), toy(), asked)) == {"u": ("sram", MATRIX)}


def test_of_pins_that_do_not_fit_together_the_one_too_many_is_named() -> None:
    message = refused("h", "u", hardware=toy(STAYS))
    assert message == (
        "pin 'u' takes 256 B in sram, where residents may take 287 B (1 B is left to tiles) "
        "beside pin 'h' (32 B); pin less, enlarge sram or its limit, or let part stay with partial"
    )


def test_pins_that_leave_no_room_to_tiles_are_refused_with_what_they_take() -> None:
    hardware = machine(priced(contraction=5, tile=64), buffer=STAYS + 63)
    with pytest.raises(MappingError) as caught:
        pinned("u", "h", hardware=hardware)
    assert str(caught.value) == "cpu: cell: no room for 64 B; pins take 288 B of sram"


def test_a_pin_without_a_memory_is_refused_where_engines_share_no_buffer() -> None:
    hardware = toy()
    (sram,) = [part for part in hardware.memories if part.name == "sram"]
    (bus,) = hardware.links
    more = {
        "two": priced("two", contraction=5),
        "sram2": replace(sram, name="sram2"),
        "bus2": replace(bus, name="bus2", connects=("dram", "sram2")),
    }
    more["two"] = replace(more["two"], buffer="sram2")  # type: ignore[call-arg]
    split = Hardware("split", "", None, {**hardware.components, **more})
    assert refused("u", hardware=split) == (
        "pin 'u' must name a memory, since not all engines share a buffer: write 'u@sram'"
    )


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"srm": 5}, "limits name the unknown memory 'srm'; did you mean 'sram'?"),
        ({"dram": 5}, "limits name dram, where tensors live anyway; limit one of sram"),
    ],
)
def test_a_limit_of_no_on_chip_memory_is_refused(limits: dict[str, int], said: str) -> None:
    assert refused("u", limits=limits).startswith(said)


@pytest.mark.parametrize("most", [-1, 2.5, True, "1 KiB"])
def test_a_limit_that_is_no_number_of_bytes_is_refused(most: object) -> None:
    with pytest.raises(MappingError) as caught:
        Residency("greedy", limits={"sram": most})  # type: ignore[dict-item]
    assert str(caught.value) == (
        f"limits['sram'] must be whole bytes of at least 0, got {most!r}; "
        "write for example 524288, or 0 to keep nothing there"
    )


def test_a_limit_above_the_memory_is_refused_where_the_hardware_is_known() -> None:
    check_limits(Residency(limits={"sram": 1 << 12}), toy(1 << 12))
    with pytest.raises(MappingError) as caught:
        simulate(recurrent(), toy(1 << 12), residency=Residency(limits={"sram": 1 + (1 << 12)}))
    assert str(caught.value) == (
        "limits['sram'] must be at most the 4,096 B of sram, got 4,097 B; "
        "lower it, or enlarge sram.size"
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"partial": "yes"},
            "partial of a residency must be True or False, got 'yes'; give one of them",
        ),
        (
            {"across_runs": 1},
            "across_runs of a residency must be True or False, got 1; give one of them",
        ),
        ({"pins": "abc"}, "pins must be a list of patterns, got 'abc'; write ['abc']"),
        (
            {"pins": ("u", 3)},
            "pins must be a list of patterns, got 3; write for example ['joiner.*']",
        ),
        (
            {"pins": None},
            "pins must be a list of patterns, got None; write for example ['joiner.*']",
        ),
        (
            {"limits": 5},
            "limits must be bytes by memory, got 5; write for example {'sram': 524288}",
        ),
        (
            {"policy": "gredy"},
            "residency must be one of region, none, pinned, greedy, optimal, got 'gredy'; "
            "did you mean 'greedy'?",
        ),
        (
            {"policy": None},
            "residency must be one of region, none, pinned, greedy, optimal, got None; "
            "take one of them",
        ),
    ],
)
def test_a_residency_of_other_types_is_refused_in_one_line(
    asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(MappingError) as caught:
        Residency(**asked)
    assert str(caught.value) == said


def test_a_list_of_pins_is_kept_as_a_tuple() -> None:
    assert Residency(pins=["u", "h"]).pins == ("u", "h")  # type: ignore[arg-type]


def test_the_policy_pinned_without_pins_is_refused() -> None:
    with pytest.raises(MappingError) as caught:
        Residency("pinned")
    assert str(caught.value) == "residency 'pinned' needs at least one pin, such as 'encoder.*'"


def test_optimal_in_parts_is_refused_with_the_way_out() -> None:
    with pytest.raises(MappingError) as caught:
        Residency("optimal", partial=True)
    assert str(caught.value) == (
        "residency 'optimal' keeps whole tensors, got partial=True; "
        "drop it or take the policy 'greedy'"
    )


def test_an_activation_that_is_pinned_stays_while_it_is_used_and_no_longer() -> None:
    made = [whole(f"t{n}", (100,), "activation") for n in range(3)]
    x, y = whole("x", (100,), "input"), whole("y", (100,), "output")
    flow = [x, *made, y]
    pairs = itertools.pairwise(flow)
    ops = [Op(f"op{n}", "elementwise", (a,), (b,)) for n, (a, b) in enumerate(pairs)]
    tensors: tuple[Tensor, ...] = tuple(access.tensor for access in flow)
    placement = pinned("t*", trace=Trace("chain", tuple(ops), tensors), hardware=toy(201))
    assert [(s.tensor.name, s.first, s.last) for s in placement.stays] == [
        ("t0", "op0", "op1"),
        ("t1", "op1", "op2"),
        ("t2", "op2", "op3"),
    ]
    assert placement.home_bytes == 200  # x in, y out
