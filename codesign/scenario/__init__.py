"""Scenarios: several traces with arrivals of their own on one piece of hardware."""
