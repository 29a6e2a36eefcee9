"""The parts of ``dram_duty.py``: cases, what a replay says of them, figure."""
