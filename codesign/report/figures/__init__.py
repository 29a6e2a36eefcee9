"""Figures of a saved result, drawn by matplotlib; each is drawn once, for pages and for papers."""
