"""Quadrature on scattered nodes: weights of the domain and of its boundary, by the matrices.

The integral of a divergence is that of the flux through the boundary. With RBF-FD's matrices D_k of
the derivatives, from values at some nodes to all of them, and E to the sides, weights w of the
nodes and v of the sides that fulfil ``sum_k w' D_k F_k = sum_k v' n_k E F_k`` for all nodal values
of vector fields F integrate as accurately as D_k and E differentiate and interpolate: a smooth f is
the divergence of some F (Davydov and Degli Esposti, *Meshless moment-free quadrature formulas
arising from numerical differentiation*, 2023). The fields are given on fewer nodes than there are
weights; of all that fulfil the equations the weights are nearest to a plain guess, the nodes'
spacing to the power of the dimension.

With gradients alone for fields, ``w' L u = v' B u``, the nodes' own matrices would do, but where
the boundary has corners such a potential is singular, and weights were accurate to 1e-3 only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, csr_array, diags_array, eye_array, hstack, vstack
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from dtpinn.arrays import Floats
from dtpinn.nodes import Nodes
from dtpinn.nodes.side_sizes import side_sizes
from dtpinn.nodes.thinning import thinned
from dtpinn.operators import identity, partial
from dtpinn.rbffd.assembly import assemble
from dtpinn.rbffd.rule import choose_rule

# Distance between the nodes that fields are given on, in those of all nodes: so that equations are
# about 0.6 of the weights in the plane and in space.
_THINNED = {1: 1.2, 2: 1.25, 3: 1.35}
# Beside the equations, each of size 1: what they may miss. Fields without divergence and flux make
# equations that only hold rounding and truncation.
_MISSED = 1e-7


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
        Of the matrices, p >= 2 (lower, where nodes are too few for it): integrals of smooth
        functions are accurate to O(h^p) or better, beside each other. The measure of the whole
        comes from the length or area of the boundary
        (:func:`~dtpinn.nodes.side_sizes.side_sizes`): to O(h^4) in the plane, and in space to
        O(h^2) where surfaces are curved, 6e-4 on a ball of ten spacings.

    Returns
    -------
    Quadrature
        Most weights are positive: the sum of their sizes is 1.0 to 1.2 times their sum. They take
        one sparse factorisation, of about as many equations as there are nodes.

    Raises
    ------
    ValueError
        If the nodes are periodic: by the divergence theorem a period has what comes out of its
        walls, and the measure of the period itself does not. Or as
        :func:`~dtpinn.rbffd.assemble`.

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
    if nodes.cell.periodic:
        raise ValueError(
            "quadrature: integrals over periodic nodes are not there yet, and neither are Mean, "
            "Integral and Flux; dtpinn.Pin(point, value) fixes what a period leaves open"
        )
    d, sizes = nodes.dimension, side_sizes(nodes)
    at = nodes.interior_count + nodes.sides.point
    fields = thinned(nodes, _THINNED[d])
    while order > 2 and choose_rule(order, 1, d).stencil_size > fields.count:
        order -= 1
    asked = {**{str(k): partial(k) for k in range(d)}, "value": identity}
    matrices = assemble(fields, asked, nodes.collocation, order).matrices
    to_sides = csr_array(matrices["value"][at])
    equations = vstack(
        [
            hstack([matrices[str(k)].T, -(diags_array(normal) @ to_sides).T])
            for k, normal in enumerate(nodes.sides.normals.T)
        ],
        format="csr",
    )
    guess = np.concatenate([nodes.local_spacing**d, sizes])
    guess[nodes.interior_count : nodes.count] /= 2.0
    weights = _nearest(csr_array(equations), guess)
    # Equations without a right-hand side: each piece of the domain is scaled by its boundary.
    piece = connected_components(abs(equations).T @ abs(equations), directed=False)[1]
    known, found = (
        np.bincount(piece[nodes.count :], weights=v, minlength=piece.max() + 1)
        for v in (sizes, weights[nodes.count :])
    )
    weights *= (known / found)[piece]
    return Quadrature(weights[: nodes.count], weights[nodes.count :])


def _nearest(equations: csr_array, guess: Floats) -> Floats:
    """Return the q with ``equations @ q = 0`` that is nearest to a guess, relative to it."""
    scaled = csr_array(equations @ diags_array(guess))
    size = np.sqrt(np.asarray(scaled.multiply(scaled).sum(axis=1)))
    size = np.where(size > 0.0, size, 1.0)  # a field's value that no stencil takes
    scaled = csr_array(diags_array(1.0 / size) @ scaled)
    missed = _MISSED**2 * eye_array(len(size))
    factors = splu(
        csc_array(scaled @ scaled.T + missed), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )  # fmt: skip
    change = np.zeros(len(guess))
    for _ in range(2):  # once more for what rounding left
        change -= scaled.T @ factors.solve(scaled @ (1.0 + change))
    return np.asarray(guess * (1.0 + change))
