"""The layer between the cubes of a domain and its boundary: what the divergence theorem asks of it.

Fields F are given on some of its nodes. Their divergence, weighed by the nodes of the layer, is the
flux through the sides of the boundary and through the faces of the cubes.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy.sparse import csr_array, diags_array, vstack

from dtpinn.arrays import Floats, Integers
from dtpinn.nodes import Nodes
from dtpinn.nodes.cubes import Cubes
from dtpinn.nodes.thinning import thinned
from dtpinn.operators import identity, partial
from dtpinn.rbffd.from_some import from_some
from dtpinn.rbffd.rule import choose_rule

# Distance between the nodes that fields are given on, in those of all nodes: the first that leaves
# enough of them. The fewer equations, the nearer the weights stay to the guess.
_THINNED = {1: (1.2,), 2: (1.6, 1.25), 3: (2.0, 1.6, 1.35)}
_ENOUGH = 3.0
# How far into the cubes the layer's nodes reach, in spacings: a stencil of fewer rows of nodes than
# its degree is none.
_MARGIN = {1: 4.0, 2: 4.0, 3: 3.0}


def rows_outside(nodes: Nodes, cubes: Cubes) -> Integers:
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


def layer_equations(
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
