"""Quadrature on scattered nodes: weights of the domain and of its boundary, by the matrices.

For every function u, the integral of its Laplacian is that of its normal derivative along the
boundary. With L and B, RBF-FD's matrices for both, weights w of the nodes and v of the sides that
fulfil ``w' L u = v' B u`` for all nodal values u integrate as accurately as L and B differentiate:
a smooth f is the Laplacian of some u, so w' f is v' of u's flux. (Davydov and Degli Esposti, Adv.
Comput. Math. 49, 2023, do so with the divergence.) There are more weights than nodal values; taken
are those nearest to a plain guess, the nodes' spacing to the power of the dimension.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, csr_array, diags_array, hstack
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from dtpinn.arrays import Floats
from dtpinn.nodes import Nodes
from dtpinn.nodes.side_sizes import side_sizes
from dtpinn.operators import Space, laplacian, normal
from dtpinn.rbffd.assembly import assemble


@dataclass(frozen=True, eq=False)
class Quadrature:
    """Weights of integrals; made by :func:`quadrature`.

    Attributes
    ----------
    domain : (Ni + Nb,) array
        Of the values on X: ``domain @ f`` is the integral of f over the domain.
    sides : (sides,) array
        Of values on ``nodes.sides``: at a corner one for each piece that meets there.
    """

    domain: Floats
    sides: Floats

    def __repr__(self) -> str:
        return f"Quadrature(domain {self.domain.sum():.6g}, boundary {self.sides.sum():.6g})"


def quadrature(nodes: Nodes, order: int = 4) -> Quadrature:
    """Return the weights with which values at the nodes add up to integrals.

    Parameters
    ----------
    nodes : Nodes
        Ghosts play no part.
    order : int
        Of the matrices, p >= 2: integrals of smooth functions are accurate to O(h^p) or better, in
        the mean; what is common to all of them, the measure of the whole, comes from the length or
        area of the boundary (:func:`~dtpinn.nodes.side_sizes.side_sizes`) and is accurate to
        O(h^4) in the plane and to O(h^2) with a small factor on curved surfaces in space.

    Returns
    -------
    Quadrature
        Weights are positive or nearly so: the sum of their sizes is 1.00 to 1.01 times their sum
        in the plane, up to 1.1 in space.

    Raises
    ------
    ValueError
        As :func:`~dtpinn.rbffd.assemble`.

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1)
    >>> weights = quadrature(nodes)
    >>> x, y = nodes.collocation.T
    >>> bool(abs(weights.domain @ x**2 - np.pi / 4) < 1e-4)
    True
    >>> bool(abs(weights.sides.sum() - 2 * np.pi) < 1e-4)
    True
    """
    cloud = nodes.with_ghosts_of(np.arange(0))
    sides, d = cloud.sides, cloud.dimension
    at = cloud.interior_count + sides.point
    L = assemble(cloud, {"L": laplacian}, "collocation", order).matrices["L"]
    outward = {"B": normal.terms_at(Space(d, sides.normals))}
    B = assemble(cloud, outward, at, order).matrices["B"]
    sizes = side_sizes(cloud)
    guess = np.concatenate([cloud.local_spacing**d, sizes])
    guess[cloud.interior_count : cloud.count] /= 2.0
    weights = _nearest(csr_array(hstack([L.T, -B.T])), guess)
    # Equations without a right-hand side: each piece of the domain is scaled by its boundary.
    piece = connected_components(L, directed=False)[1]
    of_weights = np.concatenate([piece, piece[at]])
    known, found = (
        np.bincount(piece[at], weights=v, minlength=piece.max() + 1)
        for v in (sizes, weights[cloud.count :])
    )
    weights *= (known / found)[of_weights]
    return Quadrature(weights[: cloud.count], weights[cloud.count :])


def _nearest(equations: csr_array, guess: Floats) -> Floats:
    """Return the q with ``equations @ q = 0`` that is nearest to a guess, relative to it."""
    scaled = csr_array(equations @ diags_array(guess))
    size = np.sqrt(np.asarray(scaled.multiply(scaled).sum(axis=1)))
    scaled = csr_array(diags_array(1.0 / size) @ scaled)
    # A constant has neither Laplacian nor flux, so in each piece one equation follows from others.
    piece = connected_components(abs(scaled) @ abs(scaled).T, directed=False)[1]
    redundant = np.unique(piece, return_index=True)[1]
    scaled = csr_array(scaled[np.setdiff1d(np.arange(len(size)), redundant)])
    normal_matrix = csc_array(scaled @ scaled.T)
    factors = splu(
        normal_matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )  # fmt: skip
    change = np.zeros(len(guess))
    for _ in range(2):  # once more for what rounding left
        change -= scaled.T @ factors.solve(scaled @ (1.0 + change))
    return np.asarray(guess * (1.0 + change))
