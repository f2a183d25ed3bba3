"""Rasa custom actions: slots in, one turn of the dialogue, an answer out."""
