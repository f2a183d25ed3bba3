"""The delegation catalogue: procedures, places, competence, answers. No Rasa, no Telegram, no web."""
