"""Boundary surfaces in space: sampling them, their creases and corners, and nodes all over them."""
