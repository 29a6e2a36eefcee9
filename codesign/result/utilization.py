"""How much of what components can do they did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from codesign.hardware.component import Memory
from codesign.hardware.spec import Hardware
from codesign.mapping.codec import find_decoder
from codesign.mapping.paths import NOMINAL
from codesign.mapping.placement import Assignment, Placement
from codesign.replay.run import Replay
from codesign.result.ledger import runs_of
from codesign.units import PS_PER_S


def peak_bytes_per_s(memory: Memory) -> int:
    """The most that a plain transfer may ever reach: what the utilisation of a memory refers to.

    Of a kind with a flat rate that is the rate it is said to reach, of one with banks the rate of
    its data buses.
    """
    return max(memory.ceiling(one) for one in NOMINAL)


def decoder_of(link: str) -> str:
    """What the decoder at the end of a link is called in a table of utilisations."""
    return f"{link}.decoder"


def decoders(
    machine: Hardware, ran: Iterable[tuple[Placement, Replay]], span: int
) -> dict[str, float]:
    """Shares of a span that the decoders of links worked: bytes decoded over their rate.

    Bytes are those of the codec, in whole ones for each tile, as the links carry them.

    Args:
        machine: the hardware.
        ran: placements with their replays.
        span: ticks, at least 1.
    """
    found = {link.name: 0.0 for link in machine.links if link.decoders}
    for placement, replay in ran if found else ():
        for one, times in runs_of(placement, replay):
            for name, seconds in _decoded(one, machine):
                found[name] += seconds * times
    return {decoder_of(name): seconds * PS_PER_S / span for name, seconds in found.items()}


def _decoded(one: Assignment, machine: Hardware) -> Iterator[tuple[str, float]]:
    """Links that decode what an operator loads, and for how many seconds."""
    engine = machine.engine(one.engine)
    for operand in one.plan.loaded if one.plan else ():
        tensor = one.op.operands[operand].tensor
        link = find_decoder(one.homes[operand], one.stage(operand, engine), tensor, machine)
        if link is None or tensor.stored is None or one.plan is None:
            continue
        moves = (
            tensor.home_bytes(move.bytes) * times
            for tile, times in one.plan.counts
            for move in tile.loads
            if move.operand == operand
        )
        rate = link.decoders[tensor.stored.codec] * float(tensor.stored.bits) / 8
        yield link.name, sum(moves) / rate


def utilization(machine: Hardware, replay: Replay) -> dict[str, float]:
    """Shares: of the makespan that an engine computed, of its peak that a link or memory moved.

    Of a link with a channel each way the busier channel counts. Of a memory the bytes that
    transfers asked it for count, over ``peak_bytes_per_s`` times the makespan: neither what is
    moved beyond that in whole bursts, nor what an engine reads and writes through a port of its
    own.
    """
    span = max(1, replay.makespan)
    found = {name: busy / span for name, busy in replay.busy.items()}
    buffers = {engine.buffer for engine in machine.engines}
    channels: Counter[tuple[str, bool]] = Counter()
    served: Counter[str] = Counter()
    for (source, target), size in replay.moved.items():
        crossed = machine.crossed(source, target)
        served.update(dict.fromkeys((source, target), size))
        served.update(dict.fromkeys(crossed, 2 * size))
        for name in machine.route(source, target):
            channels[(name, target in buffers)] += size
    for link in machine.links:
        loads = channels[(link.name, False)], channels[(link.name, True)]
        carried = max(loads) if link.separate else sum(loads)
        found[link.name] = carried * PS_PER_S / (link.bytes_per_s * span)
    for memory in machine.memories:
        found[memory.name] = served[memory.name] * PS_PER_S / (peak_bytes_per_s(memory) * span)
    return found
