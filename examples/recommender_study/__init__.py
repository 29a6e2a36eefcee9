"""The parts of ``recommender_pim.py``: cases, traffic, replays, figure."""
