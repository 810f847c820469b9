"""The scenario language: a world from a log or a road, edited in YAML, resolved to a Scene."""
