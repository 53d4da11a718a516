"""PDE: an equation as a pointwise residual, written once for every kind of derivative."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from torch import Tensor, nn

from dtpinn.arrays import Floats
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.field_names import names_of
from dtpinn.pde.value_jumps import ValueJump

if TYPE_CHECKING:
    from typing_extensions import Self

Condition = Callable[..., Tensor]


class PDE(nn.Module):
    """An equation and its boundary conditions, as residuals that vanish at the solution.

    Subclass it and write `residual` and `boundary`, the latter unless there is no boundary, all
    directions being periodic. Both are pointwise: row i of the result depends
    on row i of u, of its derivatives and of the points. Unknown coefficients are ``nn.Parameter``
    members, which ``fit`` trains along with the network.

    Attributes
    ----------
    fields : int or sequence of str
        Number of unknowns, or their names: ``fields = ("u", "v", "p")``. u is (n,) for one field
        and (n, fields) for more.

    Examples
    --------
    >>> import torch
    >>> class Bratu(PDE):
    ...     def residual(self, u, D, x):
    ...         return D.laplacian(u) + torch.exp(u)
    ...     def boundary(self, u, D, x, n):
    ...         return u
    >>> Bratu().fields
    1
    """

    fields: int | Sequence[str] = 1

    @property
    def field_names(self) -> tuple[str, ...]:
        """Names of the unknowns: those given, or u, and u_1, u_2, ... of a system.

        Raises
        ------
        TypeError, ValueError
            If `fields` is neither a positive number nor different names.
        """
        return names_of(self.fields)

    @property
    def field_count(self) -> int:
        """Number of unknowns."""
        return len(self.field_names)

    def residual(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return the equation's residual at the collocation points.

        Parameters
        ----------
        u : (n,) or (n, fields)
        D : derivatives of u on these points
        x : (n, d)
        t : (n,), in space-time only

        Returns
        -------
        Tensor, (n,) or (n, equations)
        """
        raise NotImplementedError(f"{type(self).__name__} must define residual(self, u, D, x)")

    def boundary(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return the boundary condition's residual at boundary points x with outward normals n."""
        raise NotImplementedError(
            f"{type(self).__name__} must define boundary(self, u, D, x, n), or conditions()"
        )

    def initial(self, u: Tensor, D: Derivatives, x: Tensor) -> Tensor:
        """Return the initial condition's residual at the first of the times; space-time only.

        For an equation of second order in time, with ``D.time(u, 2)``, of the rate as well:
        ``torch.stack([u - u_0, D.time(u) - v_0], dim=1)``. D has the derivatives in space too.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define initial(self, u, D, x) for a space-time problem"
        )

    def conditions(self) -> Mapping[str, Condition | Sequence[Condition]]:
        """Return the condition, or several, of each part of the boundary.

        Empty, the default: `boundary` holds on all of it. Otherwise every part is named, each with
        a function of the signature of `boundary`, such as a BoundaryCondition, or a list of them.
        A name may be a pattern, ``"circle*"``, and ``"*"`` is for the parts that are not named.
        """
        return {}

    @property
    def has_conditions(self) -> bool:
        """Whether conditions were given for a boundary: by parts, or by a `boundary` of its own.

        Nodes without a boundary refuse them. What an equation of the library has by default, as
        those of ``from_solution`` do, was not given.

        Examples
        --------
        >>> from dtpinn.pde import Dirichlet, Poisson
        >>> Poisson(1.0, Dirichlet()).has_conditions, Poisson(1.0).has_conditions
        (True, False)
        """
        return bool(self.conditions()) or type(self).boundary is not PDE.boundary

    def on_cloud(self, points: Floats, spacing: Floats) -> Self:
        """Return the equation as it is posed on a cloud of nodes: as a rule itself.

        One with a term of the size of the nodes' distance, which vanishes at the solution, returns
        a copy that knows of it: :class:`~dtpinn.pde.Stokes` stabilises the pressure so. One that is
        made of others returns a copy that is made of these as they are posed.

        Parameters
        ----------
        points : (n, d) array
            The nodes.
        spacing : (n,) array
            How far apart they are around each.
        """
        return self._made_of(lambda part: part.on_cloud(points, spacing))

    def on_jumps(self, jumps: Sequence[ValueJump]) -> Self:
        """Return the equation for values on the boundary that jump: as a rule itself.

        One whose solution is known beside a jump, up to what is smooth, returns a copy that takes
        it into account, as :class:`~dtpinn.pde.Stokes` does. One that is made of others returns a
        copy that is made of these so.

        Parameters
        ----------
        jumps : sequence of ValueJump
            One at least.
        """
        return self._made_of(lambda part: part.on_jumps(jumps))

    def implied(
        self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor
    ) -> tuple[Tensor, Tensor] | None:
        """Return what vanishes of a solution though no equation in the domain says so, or None.

        Such as the divergence of a flow whose pressure has an equation of its own. A direct solve
        is checked by it between the nodes.

        Returns
        -------
        (m,) Tensor, (m,) Tensor; or None
            What vanishes, and a size that it is small beside. None, of most equations: they say
            everything.
        """
        return None

    def _made_of(self, change: Callable[[PDE], PDE]) -> Self:
        """Return the same with the equations that it is made of changed; itself, if none is."""
        inner = {name: part for name, part in self._modules.items() if isinstance(part, PDE)}
        posed = {name: change(part) for name, part in inner.items()}
        if all(posed[name] is inner[name] for name in inner):
            return self
        made = copy.copy(self)
        made._modules = {**self._modules, **posed}
        return made

    def named_coefficients(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield what it has of unknown coefficients, by the names that a result has for them.

        Those of ``named_parameters()``, but that of a condition on a part begins with the name of
        the residual: ``boundary.outer.beta``.

        Examples
        --------
        >>> import torch, dtpinn
        >>> beta = nn.Parameter(torch.tensor(1.0))
        >>> pde = dtpinn.Poisson(None, {"outer": dtpinn.Robin(1.0, beta)})
        >>> [name for name, _ in pde.named_coefficients()]
        ['boundary.outer.beta']
        """
        for name, coefficient in self.named_parameters():
            yield self._told(name), coefficient

    def _told(self, name: str) -> str:
        """What a parameter of this name is called in a result; an equation may hold others."""
        first, _, rest = name.partition(".")
        inner = self._modules.get(first)
        return f"{first}.{inner._told(rest)}" if isinstance(inner, PDE) else name
