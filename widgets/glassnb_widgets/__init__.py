"""Inspectors for notebooks: build a glass, look at a structure."""
