"""A placement written out step by step: what follows what, from the rules and not from the code."""

from __future__ import annotations

from codesign.mapping.placement import Assignment, Block, Placement, Step


class Order:
    """Every run of a program, setup first, each with the numbers of those it must follow."""

    def __init__(self, placed: Placement, engines: tuple[str, ...]) -> None:
        self.engines = engines
        self.runs: list[tuple[Assignment, set[int]]] = []
        self.writer: dict[str, int] = {}
        self.readers: dict[str, set[int]] = {}
        self.fence: dict[str, set[int]] = {}
        self._steps(placed.setup)
        if placed.setup:
            self._everyone()
        self._steps(placed.program)

    def _steps(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if isinstance(step, Block):
                self._block(step)
            else:
                self._run(step)

    def _everyone(self) -> None:
        self.fence = {lane: set(range(len(self.runs))) for lane in self.engines}

    def _block(self, one: Block) -> None:
        for carry in one.region.carries:
            if carry.initial:
                self._hand([(carry.initial.name, carry.state.name)])
        if one.residences:
            self._everyone()
        self._steps((one.preload,) if one.preload else ())
        for _ in range(one.region.steps):
            self._steps(one.body)
            self._hand([(carry.update.name, carry.state.name) for carry in one.region.carries])
        self._steps((one.writeback,) if one.writeback else ())
        if one.residences:
            self._everyone()

    def _hand(self, pairs: list[tuple[str, str]]) -> None:
        old = [(self.writer.get(source), target) for source, target in pairs if source != target]
        self.writer |= {target: writer for writer, target in old if writer is not None}

    def _run(self, step: Assignment) -> None:
        number = len(self.runs)
        reads = [access.tensor.name for access in step.op.inputs]
        writes = [access.tensor.name for access in step.op.outputs or step.op.inputs]
        after = {self.writer[name] for name in [*reads, *writes, *step.reuses]
                 if name in self.writer}  # fmt: skip
        for name in (*writes, *step.reuses):
            after |= self.readers.get(name, set())
        after |= self.fence.pop(step.engine, set())
        for name in reads:
            self.readers.setdefault(name, set()).add(number)
        for name in writes:
            self.writer[name], self.readers[name] = number, set()
        self.runs.append((step, after - {number}))
