"""The command line: each command calls one public function and prints what it returns.

``codesign --help`` imports neither torch nor numpy; commands import what they need when they run.
"""

from __future__ import annotations

from codesign.cli.app import main

__all__ = ["main"]
