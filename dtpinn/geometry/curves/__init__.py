"""Boundary curves in the plane: tracing them, asking them for distances, and walking along them."""
