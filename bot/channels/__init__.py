"""Ways in: the page to try the bot; Rasa's REST channel comes from `credentials.yml`."""
