"""The flux through a whole wall as an integral over the domain: no derivative at the wall alone.

With chi harmonic, 1 on the wall and 0 on every other part of the boundary, the divergence theorem
makes of the flux of a field q through the wall

    integral over the wall of q . n  =  integral over the domain of  q . grad chi + chi div q.

Where the wall's nodes have no ghosts a derivative there is one-sided, and beside a small hole wrong
by percents; here it counts no more than others. Of a solution of div(k grad u) = f the stencils
fulfil div q = f at the nodes inside to rounding, but not on the wall, where a condition stands in
its place: div q is taken there from the nodes inside. And as chi is harmonic, an error e of the
solution, 0 on the walls, adds (for constant k) only the integral of grad chi . k grad e = 0. (The
extraction of Babuska and Miller, The post-processing approach in the finite element method, Int. J.
Numer. Meth. Engng. 20, 1984, with this chi as the extraction function.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, eye_array, vstack
from scipy.sparse.linalg import splu

from dtpinn.arrays import Floats
from dtpinn.nodes import Nodes
from dtpinn.operators import identity, laplacian, partial
from dtpinn.rbffd.assembly import assemble
from dtpinn.rbffd.from_some import from_some

# A wall whose nodes come nearer to those of other parts, in spacings, meets them.
_APART = 2.0


@dataclass(frozen=True, eq=False)
class WallFlux:
    """Weights of the flux of a field q through a wall; made by :func:`wall_flux`.

    Attributes
    ----------
    field : (Ni + Nb, d) array
        Of q on X.
    divergence : (Ni + Nb,) array
        Of div q on X; 0 on the boundary.
    """

    field: Floats
    divergence: Floats


def stands_apart(nodes: Nodes, part: str) -> bool:
    """Return whether no other part of the boundary meets this one.

    Examples
    --------
    >>> import dtpinn
    >>> ring = dtpinn.place_nodes(dtpinn.geometry.Annulus(0.4, 1.0), spacing=0.1)
    >>> square = dtpinn.place_nodes(dtpinn.geometry.Rectangle(), spacing=0.1)
    >>> stands_apart(ring, "inner"), stands_apart(square, "top")
    (True, False)
    """
    own = nodes.part_rows(part)
    others = np.unique(nodes.sides.point[nodes.sides.part != nodes.parts.index(part)])
    if not len(others):
        return True
    gap = nodes.cell.tree(nodes.boundary[others]).query(nodes.boundary[own])[0]
    spacing = nodes.local_spacing[nodes.interior_count + own]
    return bool((gap > _APART * spacing).all())


def wall_flux(nodes: Nodes, part: str, domain: Floats, order: int = 4) -> WallFlux:
    """Return the weights of the flux out of the domain through a part of its boundary.

    Parameters
    ----------
    nodes : Nodes
        Ghosts play no part.
    part : str
        That no other part meets: :func:`stands_apart`.
    domain : (Ni + Nb,) array
        Of integrals over the domain, :func:`~dtpinn.rbffd.quadrature`'s.
    order : int
        Of the matrices; to be that of those that q comes from.

    Returns
    -------
    WallFlux
        It takes one sparse factorisation.

    Examples
    --------
    The potential log r of a line inside a pipe, whose flux through every circle is 2 pi:

    >>> import dtpinn
    >>> from dtpinn.rbffd import quadrature
    >>> ring = dtpinn.place_nodes(dtpinn.geometry.Annulus(0.4, 1.0), spacing=0.05)
    >>> weights = wall_flux(ring, "outer", quadrature(ring).domain)
    >>> x = ring.collocation
    >>> q = x / (x**2).sum(axis=1, keepdims=True)
    >>> bool(abs((weights.field * q).sum() / (2 * np.pi) - 1) < 3e-3)
    True
    """
    without, ni, d = nodes.with_ghosts_of(np.arange(0)), nodes.interior_count, nodes.dimension
    inside, wall = np.arange(ni), ni + nodes.part_rows(part)
    asked = {"laplacian": laplacian, **{str(k): partial(k) for k in range(d)}}
    matrices = assemble(without, asked, "collocation", order).matrices
    given = np.zeros(nodes.count)
    given[wall] = 1.0
    system = vstack([matrices["laplacian"][:ni], eye_array(nodes.count, format="csr")[ni:]])
    chi = splu(csc_array(system)).solve(given)
    gradient = np.stack([matrices[str(k)] @ chi for k in range(d)], axis=1)
    divergence = domain * chi
    to_wall = from_some(nodes, inside, {"value": identity}, nodes.collocation[wall], order)["value"]
    divergence[:ni] += to_wall.T @ divergence[wall]
    divergence[ni:] = 0.0
    return WallFlux(domain[:, None] * gradient, divergence)
