"""Residuals and their Jacobians: in the nodal values, S, and in what is learnt, A = S J."""
