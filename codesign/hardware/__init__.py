"""Stage two: components, their plans, and the hardware file."""
