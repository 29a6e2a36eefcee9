"""Trace files that ship with codesign and are read forever; see FORMAT.md."""
