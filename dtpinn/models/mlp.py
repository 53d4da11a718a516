"""The paper's network: a fully connected perceptron from points to the solution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from dtpinn.models.fused import (
    is_watched,
    tanh_network,
    tanh_network_jacobian,
    tanh_network_tangents,
)
from dtpinn.models.network import Network
from dtpinn.models.normalisation import Normalisation


class MLP(Network):
    """A multilayer perceptron: `depth` hidden layers of `width`, then a linear output layer.

    The paper's network is the default: 4 hidden layers of 50, tanh, biases; with two inputs that
    is 7851 parameters.

    Parameters
    ----------
    inputs : int
        Coordinates of a point: d, or d + 1 with time.
    width, depth, fields, activation, dtype, device, seed, normalise
        As for every :class:`~dtpinn.models.Network`: 50, 4, 1, tanh, float64 by default.

    Notes
    -----
    The initial weights are `nn.Linear`'s (uniform in +-1/sqrt(fan-in)).

    Examples
    --------
    >>> import torch
    >>> model = MLP(2, seed=0)
    >>> sum(p.numel() for p in model.parameters())
    7851
    >>> model(torch.zeros(10, 2, dtype=torch.float64)).shape
    torch.Size([10])
    >>> MLP(3, width=20, depth=2, fields=4)
    MLP(inputs=3, width=20, depth=2, fields=4, activation='tanh', dtype=torch.float64)
    """

    def draw(self) -> None:
        """Set the layers."""
        self.layers = self.linear_layers([self.inputs, *[self.width] * self.depth, self.fields])

    def values(self, x: Tensor) -> Tensor:
        """Return the values (n, fields) at points (n, inputs)."""
        return self.perceptron(x)

    def unknowns(self, x: Tensor) -> Tensor:
        """Return the unknowns (n, fields) at points (n, inputs), neither normalised."""
        if (parameters := self._whole(x)) is not None:
            return tanh_network(x, parameters, self._around())
        return super().unknowns(x)

    def value_and_rate(self, x: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return the value and its derivative in the last coordinate, in one pass.

        None where the kernels do not apply; differentiate then.

        Parameters
        ----------
        x : (n, inputs) Tensor

        Returns
        -------
        Two tensors (n,), or (n, fields) with several fields

        Raises
        ------
        TypeError, ValueError
            As a call of the model does.

        Examples
        --------
        >>> model = MLP(2, seed=0)
        >>> x = torch.tensor([[0.5, 1.0]], dtype=torch.float64)
        >>> u, rate = model.value_and_rate(x)
        >>> bool(torch.isclose(rate, torch.func.jacrev(model)(x)[0, :, -1]))
        True
        """
        self.check_points(x)
        if (parameters := self._of_a_call(x)) is None:
            return None
        both = tanh_network_tangents(x, self._in_time(x), parameters, self._around())
        u, rate = both.squeeze(-1) if self.fields == 1 else both
        return u, rate

    def parameter_rows(
        self, x: Tensor, parameters: Mapping[str, Tensor], rates: bool = False
    ) -> Tensor | None:
        """Return the Jacobian of the values at every point in some of the parameters, a constant.

        None where the kernels do not apply; differentiate then.

        Parameters
        ----------
        x : (n, inputs) Tensor
        parameters : mapping of name to Tensor
            Those of the columns, in their order; the model's others are as they are.
        rates : bool
            Whether the derivatives in the last coordinate have rows as well, after those of the
            values.

        Returns
        -------
        (n, fields or 2 * fields, p) Tensor

        Raises
        ------
        TypeError, ValueError
            As a call of the model does.

        Examples
        --------
        >>> model = MLP(2, width=10, depth=1)
        >>> x = torch.zeros(5, 2, dtype=torch.float64)
        >>> model.parameter_rows(x, dict(model.named_parameters())).shape
        torch.Size([5, 1, 41])
        """
        self.check_points(x)
        own = dict(self.named_parameters())
        if not self._are_all(self._of_a_call(x), own) or not parameters.keys() <= own.keys():
            return None
        all_of_them = list({**own, **parameters}.values())
        directions = self._in_time(x) if rates else None
        rows = tanh_network_jacobian(x, all_of_them, self._around(), directions)
        if list(parameters) == list(own):
            return rows
        columns = dict(
            zip(own, torch.split(rows, [p.numel() for p in own.values()], dim=2), strict=True)
        )
        return torch.cat([columns[name] for name in parameters], dim=2)

    def _whole(self, x: Tensor) -> list[Tensor] | None:
        """The weights and biases if the kernels shall compute all of it, normalisation included."""
        parameters = self.fusable(x)
        if parameters is None or not self._inherits("values", "perceptron"):
            return None
        usual = self.normalisation is None or type(self.normalisation) is Normalisation
        return parameters if usual else None

    def _of_a_call(self, x: Tensor) -> list[Tensor] | None:
        """The same if a call of the model is nothing more."""
        if not self._inherits("forward", "unknowns") or is_watched(self):
            return None
        return self._whole(x)

    def _inherits(self, *names: str) -> bool:
        """Whether these methods are MLP's: neither a subclass nor this very model has its own."""
        return all(
            getattr(getattr(self, name), "__func__", None) is getattr(MLP, name) for name in names
        )

    @staticmethod
    def _are_all(known: list[Tensor] | None, own: Mapping[str, Tensor]) -> bool:
        """Whether the layers' tensors are all parameters of the model, in its order."""
        if known is None or len(known) != len(own):
            return False
        return all(a is b for a, b in zip(known, own.values(), strict=True))

    def _around(self) -> Sequence[Tensor]:
        return () if self.normalisation is None else self.normalisation.tensors()

    @staticmethod
    def _in_time(x: Tensor) -> Tensor:
        """One direction at every point, along the last coordinate."""
        along = x.new_zeros(x.shape[1])
        along[-1] = 1.0
        return along.expand(1, *x.shape)
