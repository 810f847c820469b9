"""The reference world: a picture of a scene as a camera would take it, the same for the same seed."""
