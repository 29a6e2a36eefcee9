"""Random programs of many small operators on few tensors: full windows, nested and held regions."""

from __future__ import annotations

from random import Random

from hand_built import block, operator, placement, tensor
from random_work import Visit, Work
from strategies import machine, uniform

from codesign.hardware.spec import Hardware
from codesign.mapping.placement import Assignment, Block, Placement, Step
from codesign.workload.record import Carry, Role

MOST_TILES = 2500
"""Tiles of one run of a program, so that exact replays stay quick."""

ROLES: list[Role] = ["activation", "state", "input"]


class Crowd:
    """Writes one program; its operators share few plans, and often what they read or write."""

    def __init__(self, draw: Random, name: str, engines: int) -> None:
        self.draw, self.name, self.engines = draw, name, engines
        self.plans = [
            uniform(
                draw.choice([1, 1, 2, 3, 40]),
                draw.choice([0, 64, 100]),
                draw.choice([0, 10, 100]),
                draw.choice([0, 50]),
            )
            for _ in range(draw.randint(1, 2))
        ]
        self.shared = [
            tensor(f"{name}.t{number}", draw.choice(ROLES)) for number in range(draw.randint(1, 4))
        ]
        self.count = 0

    def op(self) -> Assignment:
        draw, name = self.draw, f"{self.name}.{self.count}"
        self.count += 1
        plan = draw.choice(self.plans)
        return operator(
            name,
            plan,
            reads=draw.choice(self.shared) if draw.random() < 0.5 else None,
            writes=draw.choice(self.shared) if draw.random() < 0.6 else None,
            engine=f"npu{draw.randrange(self.engines)}",
            budget=plan.buffer_bytes + draw.choice([0, 500, 2**20]),
            reuses=(draw.choice(self.shared).name,) if draw.random() < 0.1 else (),
        )

    def block(self, depth: int) -> Block:
        draw, name = self.draw, f"{self.name}.r{self.count}"
        body: list[Step] = [
            self.block(depth - 1) if depth and draw.random() < 0.4 else self.op()
            for _ in range(draw.randint(1, 3))
        ]
        carries = []
        if draw.random() < 0.5:
            first, *_, last = draw.sample(self.shared, min(2, len(self.shared))) * 2
            carries = [Carry(first, last, draw.choice([None, *self.shared]))]
            carries += [Carry(last, first)] * (first is not last and draw.random() < 0.5)
        steps = draw.choice([1, 2, 3, 7, 40] if depth else [1, 5, 60, 90])
        if draw.random() < 0.6:
            return block(name, steps, *body, carries=carries)
        ends = [draw.choice([None, self.op()]) for _ in range(2)]
        stays = self.shared[0] if draw.random() < 0.5 else None
        return block(
            name, steps, *body, carries=carries, preload=ends[0], writeback=ends[1], stays=stays
        )

    def placement(self) -> Placement:
        draw = self.draw
        steps: list[Step] = []
        for _ in range(draw.randint(1, 4)):
            if draw.random() < 0.5:
                steps.append(self.block(draw.choice([0, 1, 2])))
            else:
                steps += [self.op() for _ in range(draw.choice([1, 3, 10, 40]))]
        setup = tuple(self.op() for _ in range(draw.choice([0, 0, 0, 1, 2])))
        return placement(*steps, setup=setup)


def tiles(placed: Placement) -> int:
    return sum(one.plan.tiles * times for one, times in placed.assignments() if one.plan)


def hardware(draw: Random) -> Hardware:
    engines = draw.randint(1, 3)
    buffers = draw.randint(1, engines)
    return machine(
        systolics=engines,
        formats=("int8",) * engines,
        buffers=buffers,
        links=draw.randint(1, buffers),
        bandwidth=draw.choice([1e9, 3.7e9]),
        duplex=draw.choice(["half", "full"]),
        setup=draw.choice([0.0, 32e-9]),
        memory_rate=draw.choice([1e14, 2e9]),
    )


def crowded(seed: int) -> Work:
    """One to three engines, one or two programs asked for up to six times, 0-2 foreigners."""
    draw = Random(seed)
    parts = hardware(draw)
    engines = sum(engine.name.startswith("npu") for engine in parts.engines)
    programs: dict[str, Placement] = {}
    for name in ["a", "b"][: draw.choice([1, 1, 2])]:
        while name not in programs or tiles(programs[name]) > MOST_TILES:
            programs[name] = Crowd(draw, name, engines).placement()
    arrivals = {
        name: sorted(draw.choice([0, 0, draw.randint(0, 10**7)]) for _ in range(times))
        for name, times in zip(programs, draw.choices([1, 1, 3, 6], k=2), strict=False)
    }
    foreigners: list[list[Visit]] = [
        [
            (draw.randint(0, 10**7), draw.randint(1, 5000), draw.random() < 0.7)
            for _ in range(draw.randint(1, 4))
        ]
        for _ in range(draw.choice([0, 0, 1, 2]))
    ]
    return Work(parts, programs, arrivals, foreigners)
