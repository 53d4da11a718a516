"""Linear elasticity: the displacement of a loaded body."""

from __future__ import annotations

import torch
from torch import Tensor

from dtpinn.pde.coefficients import Coefficient, at, checked, vanishes
from dtpinn.pde.conditions import BoundaryCondition, Data
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.field_names import FieldChoice
from dtpinn.pde.forced import Boundary, Forced, Source
from dtpinn.pde.material import Material, Young


class LinearElasticity(Forced):
    """``-div sigma(u) = f``, with displacements or tractions on the parts of the boundary.

    The unknown is the displacement, one field per axis: u is (n, d). Strains are small, the
    material isotropic, the same everywhere or varying smoothly; inertia is left out.

    Parameters
    ----------
    f : callable, number or None
        Body force: x (n, d) -> (n, d), force / volume; None for 0. Evaluated once per point set.
    boundary : BoundaryCondition, list of them, or mapping of part name to these
        ``Dirichlet`` gives the displacement, :class:`Traction` the force on the surface; their data
        are (x, normal) -> (n, d). Somewhere the body has to be held.
    material : Material
        :class:`Lame` or :class:`Young`; for a problem in the plane, Young's says whether plane
        strain or plane stress is meant. Parameters in it are unknown, and learnt; its moduli may be
        functions of the points.
    dimension : 2 or 3
        d.

    Examples
    --------
    A ring that a shaft, too thick by 0.1, pushes open; its displacement is along the radius r, and
    0.02 r + 0.08 / r for this material:

    >>> import torch, dtpinn
    >>> from dtpinn.pde import Dirichlet, Lame, Traction
    >>> ring = Lame(first=0.0, shear=0.5)
    >>> sides = {"inner": Dirichlet(lambda x, n: -0.1 * n), "outer": Traction(ring)}
    >>> pde = LinearElasticity(None, sides, material=ring)
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Annulus(1.0, 2.0), spacing=0.2)
    >>> u = dtpinn.discretize(pde, nodes).solve()
    >>> r = torch.tensor(nodes.collocation).norm(dim=1)
    >>> bool((u.norm(dim=1) - 0.02 * r - 0.08 / r).abs().max() < 1e-3)
    True
    """

    def __init__(
        self,
        f: Source | None,
        boundary: Boundary | None = None,
        *,
        material: Material,
        dimension: int = 2,
    ) -> None:
        super().__init__(f, boundary)
        if not isinstance(material, Material):
            raise TypeError(f"LinearElasticity: material must be a Lame or Young, got {material!r}")
        if dimension not in (2, 3):
            raise ValueError(f"LinearElasticity: dimension must be 2 or 3, got {dimension!r}")
        if isinstance(material, Young) and (material.plane is None) != (dimension == 3):
            wanted = "None" if dimension == 3 else '"strain" or "stress"'
            raise ValueError(
                f"LinearElasticity: in {dimension} dimensions the plane of {material} must be "
                f"{wanted}"
            )
        self.fields, self.material = dimension, material

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return -div sigma(u), for each axis."""
        if D.dimension != self.fields:
            raise ValueError(
                f"LinearElasticity: made for {self.fields} dimensions, and the nodes are in "
                f"{D.dimension}; give dimension={D.dimension}"
            )
        return -self.material.divergence_of_stress(u, D)


class Traction(BoundaryCondition):
    """``sigma(u) n + stiffness u = g``: the force on a surface, perhaps on an elastic bed.

    At a corner the tractions of both sides hold, each with its own normal.

    Parameters
    ----------
    material : Material
        That of the equation.
    g : sequence of numbers or callable, optional
        (x (n, d), normal (n, d)) -> (n, d), force / area. None for a free surface.
    stiffness : float, nn.Parameter or callable
        Of springs that the surface rests on, force / volume; (x, normal) -> (n,) where it varies.
    field : int, str or a tuple of these, optional
        Which components of the force it is for; all of them by default. Beside
        ``Dirichlet(field=1)`` of a body that slides along y = 0, ``Traction(material, field=0)``.

    Examples
    --------
    >>> from dtpinn.pde import Young
    >>> steel = Young(210e9, 0.3, plane="stress")
    >>> pressed = Traction(steel, lambda x, n: -1e6 * n)
    >>> pressed.material is steel
    True
    """

    def __init__(
        self,
        material: Material,
        g: Data | None = None,
        stiffness: Coefficient = 0.0,
        field: FieldChoice | None = None,
    ) -> None:
        super().__init__(g, field)
        if not isinstance(material, Material):
            raise TypeError(f"Traction: material must be a Lame or Young, got {material!r}")
        self.material = material
        self.stiffness = checked("Traction: stiffness", stiffness)

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return sigma(u) n + stiffness u."""
        force = torch.einsum("nij,nj->ni", self.material.stress(u, D), n)
        if vanishes(self.stiffness):
            return force
        return force + at(self.stiffness, u, x, n, *t) * u
