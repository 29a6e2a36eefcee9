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
        carries = one.region.carries
        self._hand([(c.initial.name, c.state.name) for c in carries if c.initial])
        if one.residences:
            self._everyone()
        self._steps((one.preload,) if one.preload else ())
        for _ in range(one.region.steps):
            self._steps(one.body)
            self._hand([(c.update.name, c.state.name) for c in carries])
        self._steps((one.writeback,) if one.writeback else ())
        if one.residences:
            self._everyone()

    def _hand(self, pairs: list[tuple[str, str]]) -> None:
        """Values go from the first to the second of each pair, buffers the other way round."""
        pairs = [pair for pair in pairs if pair[0] != pair[1]]
        writer, readers = dict(self.writer), dict(self.readers)
        sources, targets = [s for s, _ in pairs], [t for _, t in pairs]
        for source, target in pairs:
            if source in writer:
                self.writer[target] = writer[source]
            self.readers[target] = readers.get(source, set())
        for source in sources:
            if source in targets:
                continue
            end = source
            while end in sources:
                end = targets[len(sources) - 1 - sources[::-1].index(end)]
            self.readers[source] = readers.get(end, set())

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
            self.readers[name] = self.readers.get(name, set()) | {number}
        for name in writes:
            self.writer[name], self.readers[name] = number, set()
        self.runs.append((step, after - {number}))
