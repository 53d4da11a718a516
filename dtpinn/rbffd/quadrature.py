"""Quadrature on scattered nodes: weights of the domain and of its boundary, by the matrices.

Inside, a domain is cut into cubes (:mod:`dtpinn.nodes.cubes`). The integral over one is a
differential operator at its middle, whose RBF-FD weights are local: to an accuracy of O(h^p).

Between the cubes and the boundary is a layer a few spacings wide. Its weights come from the
divergence theorem: the integral of a divergence is the flux through the boundary. With RBF-FD's
matrices D_k of the derivatives, from values at some nodes to all of them, and E to the boundary,
weights w of the nodes and v of the sides are to fulfil ``sum_k w' D_k F_k = sum_k v' n_k E F_k``
for all nodal values of vector fields F; then they integrate as accurately as D_k and E
differentiate and interpolate, since a smooth f is the divergence of some F (Davydov and Degli
Esposti, *Meshless moment-free quadrature formulas arising from numerical differentiation*, 2023).
The fields are given on fewer nodes than there are weights; of all that fulfil the equations the
weights are nearest to a plain guess, the nodes' spacing to the power of the dimension. The sparse
factorisation is that of the layer, a line in the plane and a sheet in space; small sets are all
layer.

What is known of the boundary is kept: its weights (:func:`~dtpinn.nodes.along_curves.side_weights`)
hardly move where they are accurate, and add up to the areas of its pieces where they are not. With
weights of the boundary that were free the divergence theorem alone put some percents of a hole's
length on the outer wall, as no field of order 4 on a few nodes tells them apart.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, csr_array, diags_array, eye_array, hstack, vstack
from scipy.sparse.linalg import splu

from dtpinn.arrays import Floats
from dtpinn.nodes import Nodes
from dtpinn.nodes.along_curves import doubtful_sides, side_weights
from dtpinn.nodes.cubes import Cubes, cubes_inside
from dtpinn.nodes.smooth_pieces import smooth_pieces, volume_of_holes
from dtpinn.operators import Operator, identity, partial
from dtpinn.rbffd.assembly import assemble
from dtpinn.rbffd.layer import layer_equations, rows_outside
from dtpinn.rbffd.rule import choose_rule

# A layer of fewer nodes than so many stencils is made wider: the whole domain.
_WIDE = 4
# How unwilling weights of the boundary are to change, beside those of the domain.
_HELD = {1: 1e6, 2: 1e6, 3: 1.0}
# Beside the equations, each of size 1: what they may miss. Fields without divergence and flux make
# equations that only hold rounding and truncation.
_MISSED = {1: 1e-7, 2: 1e-7, 3: 1e-3}
# If the sizes of the weights are more than so many times their sum, they may miss this instead.
_WILD = 1.5
_MISSED_AT_MOST = 1e-2


@dataclass(frozen=True, eq=False)
class Quadrature:
    """Weights of integrals; made by :func:`quadrature`.

    Attributes
    ----------
    domain : (Ni + Nb,) array
        Of the values on X: ``domain @ f`` is the integral of f over the domain, of periodic nodes
        over one cell of it.
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
        functions are accurate to O(h^p), and to O(h^4) where the boundary is curved.

    Returns
    -------
    Quadrature
        Most weights are positive: of those of the domain up to one in twelve is not, all beside
        the boundary, and the sum of their sizes is 1.00 to 1.05 times their sum.

    Raises
    ------
    ValueError
        As :func:`~dtpinn.rbffd.assemble`, if the nodes are too few.

    Warns
    -----
    UserWarning
        If the weights are wild and had to be held: nodes too few beside the boundary, or normals
        that do not fit it.

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1)
    >>> weights = quadrature(nodes)
    >>> x, y = nodes.collocation.T
    >>> bool(abs(weights.domain @ x**2 - np.pi / 4) < 1e-4)
    True
    >>> bool(abs(weights.sides.sum() - 2 * np.pi) < 1e-9)
    True

    One period of the space around an array of cylinders:

    >>> around = dtpinn.geometry.Rectangle(periodic=True) - dtpinn.geometry.Disk(0.3)
    >>> weights = quadrature(dtpinn.place_nodes(around, spacing=0.05))
    >>> bool(abs(weights.domain.sum() - (1 - 0.09 * np.pi)) < 1e-8)
    True
    """
    cubes = cubes_inside(nodes)
    if not nodes.boundary_count:
        return Quadrature(_over_cubes(nodes, cubes, order), np.zeros(0))
    layer = rows_outside(nodes, cubes)
    if len(layer) < _WIDE * choose_rule(order, 1, nodes.dimension).stencil_size:
        cubes, layer = cubes.none(), np.arange(nodes.count)
    inside, sides = _over_cubes(nodes, cubes, order), side_weights(nodes)
    d, ni = nodes.dimension, nodes.interior_count
    divergence, flux, beyond = layer_equations(nodes, cubes, layer, order)
    full = nodes.local_spacing**d
    full[ni:] /= 2.0
    full *= _density(nodes, cubes, full, sides)
    plain = np.concatenate([np.maximum(full - inside, 0.0)[layer], sides])
    held = np.where(doubtful_sides(nodes), 1.0, _HELD[d])
    moving = np.concatenate([full[layer], sides / held])
    pieces = smooth_pieces(nodes)
    equations, wanted = [hstack([divergence, flux])], [beyond]
    if d == 3:  # the areas of the pieces of the boundary, which are known better than its weights
        equations.append(hstack([csr_array((pieces.shape[0], len(layer))), pieces]))
        wanted.append(pieces @ sides)
    if len(nodes.cell.axes) == d:
        equations.append(np.append(np.ones(len(layer)), volume_of_holes(nodes, pieces))[None])
        wanted.append(np.array([np.prod(nodes.cell.periods) - inside.sum()]))
    system, value = csr_array(vstack(equations)), np.concatenate(wanted)
    scaled, left = csr_array(system @ diags_array(moving)), value - system @ plain
    found = plain + moving * _smallest(scaled, left, _MISSED[d])
    if np.abs(found).sum() > _WILD * found.sum():
        found = plain + moving * _smallest(scaled, left, _MISSED_AT_MOST)
        warnings.warn(
            f"quadrature: near the boundary {nodes!r} are too few, or their normals do not fit it, "
            "for weights that fulfil the divergence theorem: integrals, and with them Mean, "
            "Integral and Flux, may be wrong by a percent. Use a smaller spacing there, and give "
            "corners once for each side",
            stacklevel=2,
        )
    inside[layer] += found[: len(layer)]
    return Quadrature(inside, found[len(layer) :])


def _over_cubes(nodes: Nodes, cubes: Cubes, order: int) -> Floats:
    """Weights of the integral over the cubes."""
    if not len(cubes):
        return np.zeros(nodes.count)
    # f + a^2 / 24 (second derivatives): of a cube of sides a, to a^4 / 1920 of the fourth ones.
    whole: Operator = identity
    for k, side in enumerate(cubes.sides.T):
        whole = whole + (side**2 / 24.0) * partial(k, k)
    without = nodes.with_ghosts_of(np.arange(0))
    rows = assemble(without, {"mean": whole}, cubes.centres, max(2, order - 2)).matrices["mean"]
    return np.asarray(rows.T @ cubes.sides.prod(axis=1))


def _density(nodes: Nodes, cubes: Cubes, full: Floats, sides: Floats) -> float:
    """How much of the domain a node stands for, beside its spacing to the power of d."""
    if len(cubes):
        within = cubes.hold(nodes.collocation)
        return float(cubes.sides.prod(axis=1).sum() / full[within].sum()) if within.any() else 1.0
    place = nodes.boundary[nodes.sides.point]
    volume = sides @ np.einsum("si,si->s", place, nodes.sides.normals) / nodes.dimension
    return float(volume / full.sum())


def _smallest(equations: csr_array, known: Floats, missed: float) -> Floats:
    """Return the smallest q with ``equations @ q = known``, of equations of size 1 to `missed`."""
    size = np.sqrt(np.asarray(equations.multiply(equations).sum(axis=1)))
    size = np.where(size > 0.0, size, 1.0)  # a field's value that no stencil takes
    scaled = csr_array(diags_array(1.0 / size) @ equations)
    known = known / size
    square = scaled @ scaled.T + missed**2 * eye_array(len(size))
    factors = splu(
        csc_array(square), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )  # fmt: skip
    found = np.zeros(equations.shape[1])
    for _ in range(2):  # once more for what rounding left
        found += scaled.T @ factors.solve(known - scaled @ found)
    return found
