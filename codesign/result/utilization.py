"""How much of what components can do they did."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from codesign.hardware.component import Memory
from codesign.hardware.spec import Hardware
from codesign.mapping.paths import NOMINAL
from codesign.mapping.placement import Placement
from codesign.replay.run import Replay
from codesign.result.codecs import decoder_seconds
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
    """Shares of a span that the decoders of links worked: elements over their rate.

    Args:
        machine: the hardware.
        ran: placements with their replays.
        span: ticks, at least 1.
    """
    found = [decoder_seconds(placement, machine, replay) for placement, replay in ran]
    names = [link.name for link in machine.links if link.decoders]
    return {
        decoder_of(name): math.fsum(one[name] for one in found) * PS_PER_S / span for name in names
    }


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
