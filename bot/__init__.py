"""Hỏi Một Cửa: which office handles this procedure, for me, here, today, by what decision."""
