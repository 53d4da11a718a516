"""The Helmholtz equation: waves of one frequency."""

from __future__ import annotations

from torch import Tensor

from dtpinn.pde.coefficients import Coefficient, at, checked
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.forced import Boundary, Forced, Source


class Helmholtz(Forced):
    """``Laplacian u + k^2 u = f`` with a condition on the boundary.

    The wavelength is 2 pi / k, and a dozen nodes to each is little. At the resonances of a domain,
    -k^2 an eigenvalue of its Laplacian, there is no unique solution, and near them the discrete
    system is badly conditioned. A wave that leaves the domain is complex, :class:`Complex` of this
    equation, and the condition of its boundary ``Robin(1.0, -1j * k)``, du/dn = ik u.

    Parameters
    ----------
    f : callable, number or None
        Source: x (n, d) -> (n,); None for 0. Evaluated once per point set.
    boundary : BoundaryCondition, list of them, or mapping of part name to these
        The condition on the whole boundary, or one for every named part of it.
    wavenumber : float, nn.Parameter or callable
        k, 1 / length. A scalar Parameter is unknown, and learnt; a function x (n, d) -> (n,) is
        that of a medium that varies, and an ``nn.Module`` an unknown medium.

    Examples
    --------
    >>> import torch, dtpinn
    >>> wave = lambda x: torch.sin(3 * x[:, 0])
    >>> pde = Helmholtz.from_solution(wave, wavenumber=3.0)
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1)
    >>> u = dtpinn.discretize(pde, nodes).solve()
    >>> exact = wave(torch.tensor(nodes.collocation))
    >>> bool((u - exact).norm() < 1e-2 * exact.norm())
    True
    """

    def __init__(
        self,
        f: Source | None,
        boundary: Boundary | None = None,
        *,
        wavenumber: Coefficient,
    ) -> None:
        super().__init__(f, boundary)
        self.wavenumber = checked("Helmholtz: wavenumber", wavenumber)

    def operator(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return Laplacian u + k^2 u."""
        return D.laplacian(u) + at(self.wavenumber, u, x) ** 2 * u
