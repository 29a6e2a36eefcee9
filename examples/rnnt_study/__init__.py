"""The parts of ``rnnt_memory.py``: designs, what a replay says of them, hardware, figure."""
