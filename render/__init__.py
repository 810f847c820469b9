"""Turns a scene into pictures: control videos and previews. CPU only, no display, no torch."""
