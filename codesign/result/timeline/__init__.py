"""The timeline of a run as a Chrome trace-event file, which Perfetto opens."""

from codesign.result.timeline.document import LIMIT, chrome_trace
from codesign.result.timeline.runs import Part

__all__ = ["LIMIT", "Part", "chrome_trace"]
