"""Rasa graph components: underthesea tokens, places, facets, topics, and what they add up to."""
