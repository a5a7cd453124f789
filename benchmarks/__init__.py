"""Comparisons with peer packages: ``make benchmarks``."""
