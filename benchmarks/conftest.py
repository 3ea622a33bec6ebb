"""Prints the table and keeps `results.json` at the end of a benchmark run."""

from __future__ import annotations

from typing import Any

from benchmarks import figures


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table, after everything else."""
    if figures.FIGURES:
        terminalreporter.write_line("")
        terminalreporter.write_line(figures.machine())
        terminalreporter.write_line(figures.table(figures.FIGURES))
        figures.write(figures.FIGURES)
        terminalreporter.write_line(f"kept in {figures.RESULTS.name}")
