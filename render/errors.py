"""Errors of rendering and of writing pictures."""


class RenderError(ValueError):
    """Something cannot be drawn or written as asked."""
