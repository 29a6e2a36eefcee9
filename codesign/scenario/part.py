"""What one stream of a scenario did and was charged, over all its runs."""

from __future__ import annotations

from codesign.errors import ScenarioError
from codesign.result.result import Result


class StreamPart(Result):
    """Placement, replay and ledger of one stream.

    Bytes, energy and operators are those of all runs of the stream, leakage and background left
    out. Ticks count from tick 0 of the scenario and not from when a run was asked for:
    ``replay.makespan`` is the last tick of the whole session, whatever the stream, and engine and
    link use are those of all streams, that of decoders its own. So there is no latency here, and
    what rests on one, ``summary``, ``digest`` and ``save``, belongs to the result of the scenario.
    """

    def __repr__(self) -> str:
        runs = len(self.replay.invocations)
        return (
            f"<StreamPart of {self.model} on {self.hardware}: {runs:,} runs, {self.energy_j:.4g} J>"
        )

    @property
    def latency_s(self) -> float:
        """Refused: the makespan of a session is no latency of a stream.

        Raises:
            ScenarioError: always; it says where latencies are.
        """
        raise ScenarioError(
            f"a part of a scenario has no latency, got that of {self.model}: its ticks count from "
            "tick 0 of the scenario; read response or end_to_end of ScenarioResult.streams"
        )
