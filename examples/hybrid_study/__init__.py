"""The study of an NPU with compute-in-memory macros: cases, what is measured, the figure."""
