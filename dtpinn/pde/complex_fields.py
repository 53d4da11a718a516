"""Complex: an equation of complex unknowns as one of pairs of real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from dtpinn.operators import Operator
from dtpinn.pde.arguments import Argument, check_argument
from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.equation import PDE, Condition
from dtpinn.pde.on_parts import conditions_on_parts


class Complex(PDE):
    """An equation with complex unknowns: the pairs of real ones that nodes and networks have.

    The equation, its conditions and its data are written in complex arithmetic, with ``1j``; every
    complex equation is two real ones. The network has two outputs for each unknown, real part and
    imaginary part; so have the values that ``solve()`` returns. :func:`to_complex` joins them, and
    :func:`to_real` takes them apart.

    Parameters
    ----------
    pde : PDE
        Its residuals receive complex u, (n,) or (n, fields), and a ``D`` of complex answers.
        Unknown coefficients are real.

    Attributes
    ----------
    fields : tuple of str
        Real and imaginary part of each unknown, ``("Re u", "Im u")``. Data and constraints are of
        either of them, or of both by the name of the unknown, with complex values:
        ``Mean(3 + 4j, field="u")``.

    Examples
    --------
    A wave that leaves on the right, by the condition du/dn = ik u:

    >>> import torch, dtpinn
    >>> k = 2.0
    >>> class Wave(dtpinn.PDE):
    ...     def residual(self, u, D, x):
    ...         return D.laplacian(u) + k**2 * u
    ...     def conditions(self):
    ...         return {"left": lambda u, D, x, n: u - 1.0,
    ...                 "right": lambda u, D, x, n: D.normal(u) - 1j * k * u}
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(0.0, 3.0), spacing=0.1)
    >>> u = to_complex(dtpinn.discretize(Complex(Wave()), nodes).solve())
    >>> exact = torch.exp(1j * k * torch.tensor(nodes.collocation[:, 0]))
    >>> bool((u - exact).norm() < 1e-3 * exact.norm())
    True
    """

    def __init__(self, pde: PDE) -> None:
        if not isinstance(pde, PDE):
            raise TypeError(f"Complex: expected a dtpinn.PDE, got {type(pde).__name__}")
        super().__init__()
        self.pde = pde
        self.fields = tuple(part for u in pde.field_names for part in _pair(u))

    @property
    def has_conditions(self) -> bool:
        """Whether the equation itself has."""
        return self.pde.has_conditions

    def residual(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return the equation's residual, (n, 2 * equations)."""
        return _real_parts(self.pde.residual, u, D, x, *t)

    def boundary(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return the condition's residual, (n, 2 * equations)."""
        return _real_parts(self.pde.boundary, u, D, x, n, *t)

    def conditions(self) -> Mapping[str, Sequence[Condition]]:
        """Return the conditions of each part, of complex fields as `pde` numbers or names them."""
        if not self.pde.conditions():
            return {}
        given = conditions_on_parts(self.pde)
        return {part: [_OfPairs(condition) for condition in each] for part, each in given.items()}

    def initial(self, u: Tensor, D: Derivatives, x: Tensor) -> Tensor:
        """Return the initial condition's residual, (n, 2 * equations)."""
        return _real_parts(self.pde.initial, u, D, x)


def parts_of(field: object, names: Sequence[str]) -> tuple[str, str] | None:
    """Return what the parts of a complex field are called; None if it is none.

    Examples
    --------
    >>> parts_of("psi", ("Re psi", "Im psi")), parts_of("Re psi", ("Re psi", "Im psi"))
    (('Re psi', 'Im psi'), None)
    """
    if field in names or not isinstance(field, str):
        return None
    pair = _pair(field)
    return pair if set(pair) <= set(names) else None


def _pair(name: str) -> tuple[str, str]:
    return f"Re {name}", f"Im {name}"


def to_complex(pairs: Tensor) -> Tensor:
    """Join real and imaginary parts, which alternate: (n, 2) -> (n,), (n, 2 k) -> (n, k).

    Examples
    --------
    >>> to_complex(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1.+2.j, 3.+4.j])
    """
    if pairs.dim() != 2 or pairs.shape[1] % 2:
        raise ValueError(
            "to_complex: expected real and imaginary parts, (n, 2) or (n, 2 k), got "
            f"{tuple(pairs.shape)}"
        )
    joined = torch.complex(pairs[:, 0::2], pairs[:, 1::2])
    return joined[:, 0] if joined.shape[1] == 1 else joined


def to_real(values: Tensor) -> Tensor:
    """Take complex values apart: (n,) -> (n, 2), (n, k) -> (n, 2 k). What is real stays as it is.

    Examples
    --------
    >>> to_real(torch.tensor([1.0 + 2.0j, 3.0 + 4.0j]))
    tensor([[1., 2.],
            [3., 4.]])
    """
    if not values.is_complex():
        return values
    return torch.stack([values.real, values.imag], dim=-1).flatten(1)


def _real_parts(
    function: Callable[..., Tensor], u: Tensor, D: Derivatives, *data: Tensor
) -> Tensor:
    values = to_complex(u)
    return to_real(function(values, _ComplexDerivatives(D, u, values), *data))


class _OfPairs:
    """A condition in complex arithmetic as one on pairs of real unknowns.

    Attributes
    ----------
    func : callable
        The condition itself, for messages.
    """

    def __init__(self, func: Condition) -> None:
        self.func = func

    def __call__(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        return _real_parts(self.func, u, D, x, n, *t)


class _ComplexDerivatives(Derivatives):
    """``D`` of complex values, by that of their real and imaginary parts."""

    def __init__(self, D: Derivatives, pairs: Tensor, values: Tensor) -> None:
        self.dimension = D.dimension
        self._D, self._pairs, self._values = D, pairs, values
        self.state = (values, *D.state[1:])
        # By identity, as the derivatives beneath remember what they were asked of.
        self._functions: dict[int, tuple[Argument, Callable[..., Tensor]]] = {}

    def apply(self, operator: Operator, of: Argument) -> Tensor:
        """Return a real operator applied to the complex unknown, or to a function of it."""
        check_argument(of, self._values, operator.name)
        return to_complex(self._D.apply(operator, self._real(of)))

    def rate(self, of: Argument, order: int) -> Tensor:
        """Return a derivative in time."""
        check_argument(of, self._values, "time")
        return to_complex(self._D.rate(self._real(of), order))

    def _real(self, of: Argument) -> Argument:
        if isinstance(of, Tensor):
            return self._pairs
        if id(of) not in self._functions:

            def pairs(u: Tensor, *at: Any) -> Tensor:
                values = of(to_complex(u), *at)
                return to_real(values + 0j)  # what is real as well, as answers are complex

            self._functions[id(of)] = of, pairs
        return self._functions[id(of)][1]
