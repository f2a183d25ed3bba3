"""Measures the bot against what is known to be right; the formats of the files are in `docs/evaluation.md`."""
