"""The delegation report for leaders and staff: what is delegated on a day, where, and by which process.

Pure: a catalogue and a day in, figures out. Two kinds of figures are kept apart. Computed ones come from the
records of the catalogue alone. Announced ones are what the city and the press said in 2022 and 2023
(`announced.csv`, with the source of each); they are only ever compared with each other.
"""

from bot.catalogue.report.announced import announced_figures, check_figures
from bot.catalogue.report.computed import build
from bot.catalogue.report.render import Table, tables, write_csv, write_xlsx
from bot.catalogue.report.shapes import Check, Coverage, Entry, Figure, Pair, Report

__all__ = [
    "Check", "Coverage", "Entry", "Figure", "Pair", "Report", "Table",
    "announced_figures", "build", "check_figures", "tables", "write_csv", "write_xlsx",
]  # fmt: skip
