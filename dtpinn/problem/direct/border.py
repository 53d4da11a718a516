"""Constraints in a direct solve: rows that close a singular system, and their multipliers.

Pure Neumann conditions, tractions alone or velocities at every wall leave something of the
solution open, A V = 0; so the equations are one too many for the rest, Z' A = 0, and the data must
be compatible. A constraint brings the row that decides, W, and one more unknown, its multiplier m:

    [A  C] [u]   [b]
    [W  0] [m] = [v]

with C a source in the equation of the domain, constant or as smooth as what the equations are
tested with: the left null vectors Z, taken as functions. It is found, not guessed: which equation
is deficient (the continuity equation of a pressure, the balance of moments of a free body) is what
Z tells. The multiplier is what has to be added to the data to make them compatible: of the order of
the discretisation's error if they are, and otherwise their fault.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import block_array, csc_array, csr_array

from dtpinn.arrays import Floats
from dtpinn.problem.direct.factorise import factorise
from dtpinn.problem.direct.scaling import Scales, equilibrate

# Beside the entries of the equilibrated matrix: what is left of A' z of a left null vector. With
# rounding alone it is 1e-15 to 1e-12, of well-posed problems 1e-7 (a million nodes) and more.
_NULL = 1e-10
INCOMPATIBLE = 0.02
"""Share of the data that may have to be made up for; discretisation errors are below."""

_UNDETERMINED = (
    "equation, conditions and constraints do not determine the solution; pure Neumann conditions "
    "leave a constant free (one constraint, such as dtpinn.Mean(0.0)), tractions alone the motions "
    "of a rigid body (three in the plane, six in space), velocities at every wall a pressure, and "
    "a flow without walls its mean velocity as well"
)


class Incompatible(UserWarning):
    """Data that no solution fits: source and fluxes do not add up, say."""


@dataclass(frozen=True)
class Border:
    """What constraints add to a system.

    Made by :func:`find_border`.

    Attributes
    ----------
    sources : (equations, k) csr_array
        C: what a multiplier of 1 adds to each equation.
    null : (equations, k) array
        Z: the left null vectors.
    """

    sources: csr_array
    null: Floats

    @property
    def count(self) -> int:
        """Number of constraints, k."""
        return int(self.sources.shape[1])

    def around(self, A: csr_array, W: csr_array, *, sources: bool) -> csc_array:
        """Return A with its border; one of rates has no sources."""
        C = self.sources if sources else csr_array(self.sources.shape)
        return csc_array(block_array([[A, C], [W, None]], format="csc"))

    def closes(self, A: csr_array) -> bool:
        """Whether its null vectors are those of A: of another equation's linearisation, say."""
        return _is_null(A, self.null, equilibrate(A))

    def check_compatible(self, data: Floats, rounding: Floats) -> None:
        """Warn if the data (equations,) of a system are not those of any solution.

        `rounding` is the sum of the sizes of the products that they may be the difference of.

        Warns
        -----
        Incompatible
            With the share of the data by which they fail.
        """
        products = self.null * data[:, None]
        whole = (np.abs(self.null) * (np.abs(data) + _NULL * rounding)[:, None]).sum(axis=0)
        share = np.abs(products.sum(axis=0)) / np.where(whole > 0.0, whole, 1.0)
        _warn_of(float(share.max(initial=0.0)))

    def check_small(self, multipliers: Floats, terms: Sequence[Floats], scale: Floats) -> None:
        """Warn if what multipliers (k,) add is not small beside the terms (equations,).

        `scale` (equations,) is the equations'.

        Warns
        -----
        Incompatible
        """
        added = np.linalg.norm(scale * (self.sources @ multipliers))
        whole = sum(np.linalg.norm(scale * part) for part in terms)
        _warn_of(float(added / whole) if whole > 0.0 else 0.0)


def _warn_of(share: float) -> None:
    """Warn of a share of the data that does not balance."""
    if share > INCOMPATIBLE:
        warnings.warn(
            f"solve: the data are not compatible: {100 * share:.2g}% of them do not "
            "balance (of pure Neumann conditions, the integral of the source and that of the "
            "fluxes; of a flow, what comes in and what goes out, and without walls the sum of its "
            "forces), so the equation is solved with a source that is added to make up for it. "
            "Check source and conditions, or use a smaller spacing",
            Incompatible,
            stacklevel=9,
        )


def find_border(A: csr_array, W: csr_array, chosen: csr_array, worth: Floats) -> Border | None:
    """Return what closes a singular system; None if it is none, and the constraints too many.

    Parameters
    ----------
    A : (n, n) csr_array
        At generic values.
    W : (k, n) csr_array
        Constraints.
    chosen : (n, equations) csr_array
        How those of A are made from all that there are.
    worth : (equations,) array
        Of a source in each, in the units that a null vector asks for; 0 for a condition.

    Raises
    ------
    RuntimeError
        If it is not even determined with the constraints.

    Notes
    -----
    One factorisation with a border of random columns C_0: the transposed system
    ``A' z + W' y = 0, C_0' z = 1`` has y = 0 if A is singular, since then V' W' y = 0, and z is a
    left null vector. (Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria, 2000.)
    """
    n, k = A.shape[0], W.shape[0]
    scales = equilibrate(A)
    random = np.random.default_rng(0).choice([-1.0, 1.0], size=(n, k)) / scales.rows[:, None]
    bordered = csc_array(block_array([[A, csr_array(random)], [W, None]], format="csc"))
    factors = factorise(bordered, _UNDETERMINED)
    right = np.zeros((n + k, k))
    right[n:] = np.eye(k)
    Z = factors.solve_transposed(right)[:n]
    if not _is_null(A, Z, scales):
        return None
    natural = Z / scales.rows[:, None]
    of_pde = abs(chosen) @ (worth > 0.0) > 0.0
    C = chosen @ (worth[:, None] * (chosen.T @ Z))
    if not np.linalg.norm(natural[of_pde]) > _NULL * np.linalg.norm(natural):
        C = Z
    rms = np.sqrt((C**2).sum(axis=0) / np.maximum((C != 0.0).sum(axis=0), 1))
    return Border(csr_array(C / rms), Z)


def _is_null(A: csr_array, Z: Floats, scales: Scales) -> bool:
    """Whether Z' A = 0, in natural units."""
    left = scales.columns[:, None] * (A.T @ Z)
    return bool(np.linalg.norm(left) <= _NULL * np.linalg.norm(Z / scales.rows[:, None]))
