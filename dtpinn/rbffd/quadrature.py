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

import itertools
import warnings
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, csr_array, diags_array, eye_array, hstack, vstack
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from dtpinn.arrays import Floats, Integers
from dtpinn.nodes import Nodes
from dtpinn.nodes.along_curves import doubtful_sides, side_weights
from dtpinn.nodes.cubes import Cubes, cubes_inside
from dtpinn.nodes.thinning import thinned
from dtpinn.operators import Operator, identity, partial
from dtpinn.rbffd.assembly import assemble
from dtpinn.rbffd.from_some import from_some
from dtpinn.rbffd.rule import choose_rule

# Distance between the nodes that fields are given on, in those of all nodes: the first that leaves
# enough of them. The fewer equations, the nearer the weights stay to the guess.
_THINNED = {1: (1.2,), 2: (1.6, 1.25), 3: (2.0, 1.6, 1.35)}
_ENOUGH = 3.0
# A layer of fewer nodes than so many stencils is made wider: the whole domain.
_WIDE = 4
# How far into the cubes the layer's nodes reach, in spacings: a stencil of fewer rows of nodes than
# its degree is none.
_MARGIN = {1: 4.0, 2: 4.0, 3: 3.0}
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
    layer = _layer(nodes, cubes)
    if len(layer) < _WIDE * choose_rule(order, 1, nodes.dimension).stencil_size:
        cubes, layer = cubes.none(), np.arange(nodes.count)
    inside, sides = _over_cubes(nodes, cubes, order), side_weights(nodes)
    d, ni = nodes.dimension, nodes.interior_count
    divergence, flux, beyond = _equations(nodes, cubes, layer, order)
    full = nodes.local_spacing**d
    full[ni:] /= 2.0
    full *= _density(nodes, cubes, full, sides)
    plain = np.concatenate([np.maximum(full - inside, 0.0)[layer], sides])
    held = np.where(doubtful_sides(nodes), 1.0, _HELD[d])
    moving = np.concatenate([full[layer], sides / held])
    pieces = _pieces(nodes)
    equations, wanted = [hstack([divergence, flux])], [beyond]
    if d == 3:  # the areas of the pieces of the boundary, which are known better than its weights
        equations.append(hstack([csr_array((pieces.shape[0], len(layer))), pieces]))
        wanted.append(pieces @ sides)
    if len(nodes.cell.axes) == d:
        equations.append(np.append(np.ones(len(layer)), _holes(nodes, pieces))[None])
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


def _layer(nodes: Nodes, cubes: Cubes) -> Integers:
    """Rows of X outside of the cubes or near to where they end."""
    outside = ~cubes.hold(nodes.collocation)
    if len(cubes):
        faces, widths, _ = cubes.faces()
        if not len(faces):
            return np.flatnonzero(outside)
        gap, near = nodes.cell.tree(faces).query(nodes.collocation)
        reach = (
            _MARGIN[nodes.dimension] * nodes.local_spacing
            + np.linalg.norm(widths[near], axis=1) / 2.0
        )
        outside |= gap < reach
    return np.flatnonzero(outside)


def _equations(
    nodes: Nodes, cubes: Cubes, layer: Integers, order: int
) -> tuple[csr_array, csr_array, Floats]:
    """What fields on some of the layer's nodes make of its weights, the sides' and the cubes.

    Returns
    -------
    divergence : (equations, layer) matrix
    flux : (equations, sides) matrix
        The flux through the sides, inwards.
    beyond : (equations,) array
        The flux out of the layer into the cubes.
    """
    d = nodes.dimension
    fields, order = _fields(nodes, layer, order)
    x = nodes.collocation
    faces, widths, outward = cubes.faces() if len(cubes) else (x[:0], x[:0], x[:0])
    points, areas, normals = _on_faces(faces, widths, outward)
    places = np.concatenate([x[layer], points])
    asked = {**{str(k): partial(k) for k in range(d)}, "value": identity}
    matrices = from_some(nodes, fields, asked, places, order)
    values = matrices["value"]
    # The layer ends with the boundary, all of it.
    on_sides = len(layer) - nodes.boundary_count + nodes.sides.point
    to_sides, to_faces = csr_array(values[on_sides]), csr_array(values[len(layer) :])
    divergence = vstack([csr_array(matrices[str(k)][: len(layer)]).T for k in range(d)])
    flux = vstack([-(diags_array(n) @ to_sides).T for n in nodes.sides.normals.T])
    beyond = np.concatenate([-(to_faces.T @ (areas * n)) for n in normals.T])
    return csr_array(divergence), csr_array(flux), beyond


def _fields(nodes: Nodes, layer: Integers, order: int) -> tuple[Integers, int]:
    """The rows of X on which fields are given, and the order of their derivatives."""
    for factor in _THINNED[nodes.dimension]:
        fields = thinned(nodes, factor, layer)
        if len(fields) >= _ENOUGH * choose_rule(order, 1, nodes.dimension).stencil_size:
            break
    while order > 2 and choose_rule(order, 1, nodes.dimension).stencil_size > len(fields):
        order -= 1
    return fields, order


def _on_faces(centres: Floats, widths: Floats, outward: Floats) -> tuple[Floats, Floats, Floats]:
    """Gauss's points on the cubes' faces, their shares of the area, and the normals there."""
    d = centres.shape[1]
    corners = np.array(list(itertools.product((-0.5, 0.5), repeat=d - 1))) / np.sqrt(3.0)
    corners = corners.reshape(2 ** (d - 1), d - 1)
    axis = np.abs(outward).argmax(axis=1)
    offsets = np.zeros((len(centres), len(corners), d))
    for k in range(d):
        offsets[axis == k] = np.insert(corners, k, 0.0, axis=1)
    points = centres[:, None] + offsets * widths[:, None]
    area = np.where(np.arange(d) == axis[:, None], 1.0, widths).prod(axis=1) / len(corners)
    every = len(corners)
    return points.reshape(-1, d), np.repeat(area, every), np.repeat(outward, every, axis=0)


def _density(nodes: Nodes, cubes: Cubes, full: Floats, sides: Floats) -> float:
    """How much of the domain a node stands for, beside its spacing to the power of d."""
    if len(cubes):
        within = cubes.hold(nodes.collocation)
        return float(cubes.sides.prod(axis=1).sum() / full[within].sum()) if within.any() else 1.0
    place = nodes.boundary[nodes.sides.point]
    volume = sides @ np.einsum("si,si->s", place, nodes.sides.normals) / nodes.dimension
    return float(volume / full.sum())


def _pieces(nodes: Nodes) -> csr_array:
    """Which sides make up each smooth piece of the boundary, as rows of ones: (pieces, sides)."""
    sides = nodes.sides
    place, normals, part = nodes.boundary[sides.point], sides.normals, sides.part
    each, count = np.arange(len(part)), min(8, len(part))
    near = nodes.cell.tree(place).query(place, k=count)[1].reshape(-1, count)
    alike = np.einsum("ski,si->sk", normals[near], normals) > 0.5
    alike &= part[near] == part[:, None]
    links = csr_array(
        (np.ones(int(alike.sum())), (np.repeat(each, count)[alike.ravel()], near[alike])),
        shape=(len(each), len(each)),
    )
    number, piece = connected_components(links, directed=False)
    return csr_array((np.ones(len(each)), (piece, each)), shape=(number, len(each)))


def _holes(nodes: Nodes, pieces: csr_array) -> Floats:
    """What sides contribute to the volume of the holes in a cell: ``holes @ v``.

    A field that grows with the distance from a hole is no periodic one, so the others do not tell.
    """
    place = nodes.boundary[nodes.sides.point]
    apart = np.zeros_like(place)
    for row in range(pieces.shape[0]):
        members = pieces.indices[pieces.indptr[row] : pieces.indptr[row + 1]]
        for k, period in enumerate(nodes.cell.periods):
            # From the widest gap on, the piece is as far as it goes within one period.
            x = np.sort(place[members, k])
            gaps = np.diff(x, append=x[0] + period)
            start = x[(gaps.argmax() + 1) % len(x)]
            apart[members, k] = np.mod(place[members, k] - start, period)
    inward: Floats = -np.einsum("si,si->s", apart, nodes.sides.normals) / nodes.dimension
    return inward


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
