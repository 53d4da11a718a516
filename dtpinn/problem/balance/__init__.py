"""The sizes of equations, conditions and unknowns: what a loss and a network are scaled by."""
