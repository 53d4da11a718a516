"""Network: what our networks share, from the checks at the door to the normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from dtpinn.checks import check_count
from dtpinn.models.activations import Activation, resolve
from dtpinn.models.drawing import drawing
from dtpinn.models.fused import ENABLED, applies, parameters_of, tanh_network
from dtpinn.models.normalisation import Drawn, Normalisation


class Network(nn.Module):
    """Base of the networks from points to the solution, which hidden layers tell apart.

    A network of one's own says how its layers are drawn, and what they make of points:

    - ``draw()`` sets ``self.layers``, linear layers in fp32 on the CPU, the last of which makes the
      values; :meth:`linear_layers` does for most. Other tensors that belong to it are buffers.
    - ``values(x)`` takes points (n, inputs), normalised, to values (n, fields);
      :meth:`perceptron` sends features of them through the layers one after another.

    Everything else comes from here: arguments that are checked, weights from a seed, one start for
    every dtype and device, the normalisation that ``fit`` sets, and what a checkpoint needs to make
    the network again. Arguments of its own are keywords, with a default, and added to
    :meth:`config`.

    Parameters
    ----------
    inputs : int
        Coordinates of a point: d, or d + 1 with time.
    width, depth : int
        Neurons of a hidden layer; number of hidden layers.
    fields : int
        Unknowns. With one, the output has no last dimension.
    activation : str, callable, or nn.Module class
        Pointwise and smooth enough for the equation: its derivatives are the solution's. By name
        ("tanh", "sin", "sigmoid", "silu", "gelu", "softplus"), as `torch.tanh`, or as `nn.Tanh`.
    dtype : torch.dtype
        Of the weights, and so of the points and the solution.
    device : torch.device or str, optional
    seed : int, optional
        Draw the weights from a generator of their own, and leave torch's untouched. Default:
        draw them from torch's global CPU generator.
    normalise : bool
        Whether ``fit`` sets the normalisation, from the points and the equation of its problem, at
        the beginning of the training of a network that is still as it was drawn. False: the
        network sees the raw coordinates and makes the raw values, as in the paper.

    Attributes
    ----------
    normalisation : Normalisation or None
        The affine maps before and after the layers; nothing until ``fit`` sets them.
    fused : bool
        Whether tanh layers may be computed by the kernels of :func:`~dtpinn.models.tanh_network`,
        where they apply: equal to round-off, and up to four times as fast, as measured; two for
        most sizes. True; set it to False on a network, or the environment variable
        ``DTPINN_FUSED=0`` for all of them.

    Raises
    ------
    TypeError, ValueError
        For sizes that are no positive integers, an unknown activation, or a dtype that is not
        floating point; when called, for points of another dtype or dimension.

    Examples
    --------
    >>> class Residual(Network):
    ...     def draw(self):
    ...         self.layers = self.linear_layers([self.inputs, *[self.width] * 2, self.fields])
    ...
    ...     def values(self, x):
    ...         first, second, last = self.layers
    ...         h = self.activation(first(x))
    ...         return last(h + self.activation(second(h)))
    >>> Residual(2, width=8, fields=3)(torch.zeros(5, 2, dtype=torch.float64)).shape
    torch.Size([5, 3])
    """

    layers: nn.ModuleList
    fused: bool = ENABLED

    def __init__(
        self,
        inputs: int,
        *,
        width: int = 50,
        depth: int = 4,
        fields: int = 1,
        activation: Activation = torch.tanh,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str | None = None,
        seed: int | None = None,
        normalise: bool = True,
    ) -> None:
        super().__init__()
        owner = type(self).__name__
        sizes = {"inputs": inputs, "width": width, "depth": depth, "fields": fields}
        for name, size in sizes.items():
            check_count(owner, name, size)
        if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
            raise TypeError(
                f"{owner}: expected dtype to be torch.float64 or torch.float32, got {dtype!r}"
            )
        self.inputs, self.width, self.depth, self.fields = inputs, width, depth, fields
        self.seed = seed
        self.activation, self._activation_name = resolve(owner, activation)
        # In fp32 on the CPU and then converted, as the paper's authors do: runs in fp32 and fp64,
        # on any device, start from the same function.
        with drawing(owner, seed):
            self.draw()
        self.normalisation = Normalisation(inputs, fields, device="cpu") if normalise else None
        self.to(dtype=dtype, device=device or torch.get_default_device())
        self.drawn = Drawn(self)

    def draw(self) -> None:
        """Set ``self.layers``, in fp32 on the CPU."""
        raise NotImplementedError(f"{type(self).__name__} does not say how its layers are drawn")

    def values(self, x: Tensor) -> Tensor:
        """Return the values (n, fields) at points (n, inputs), both normalised."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its layers make of x")

    def perceptron(self, x: Tensor) -> Tensor:
        """Send features (n, k) through all layers, with the activation between them."""
        if (parameters := self.fusable(x)) is not None:
            return tanh_network(x, parameters)
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        y: Tensor = self.layers[-1](x)
        return y

    def fusable(self, x: Tensor) -> list[Tensor] | None:
        """Return the layers' weights and biases if the kernels shall compute them at x."""
        if self.fused and self.activation is torch.tanh and applies(x):
            return parameters_of(self.layers)
        return None

    def unknowns(self, x: Tensor) -> Tensor:
        """Return the unknowns (n, fields) at points (n, inputs), neither normalised."""
        if self.normalisation is None:
            return self.values(x)
        return self.normalisation.outwards(self.values(self.normalisation.inwards(x)))

    @staticmethod
    def linear_layers(sizes: Sequence[int]) -> nn.ModuleList:
        """Return `nn.Linear` layers from each size to the next, with its own initial weights."""
        return nn.ModuleList(
            nn.Linear(a, b, dtype=torch.float32, device="cpu") for a, b in pairwise(sizes)
        )

    @property
    def dtype(self) -> torch.dtype:
        """The weights' dtype, which points must share."""
        return next(self.parameters()).dtype

    def forward(self, x: Tensor) -> Tensor:
        """The network's value at points.

        Parameters
        ----------
        x : Tensor (n, inputs)
            Or a single point (inputs,), as `torch.func.vmap` hands it over.

        Returns
        -------
        Tensor (n,), or (n, fields) with several fields; without n for a single point.

        Raises
        ------
        TypeError, ValueError
            If x has another dtype than the weights, or another number of coordinates.
        """
        self.check_points(x)
        u = self.unknowns(x)
        return u.squeeze(-1) if self.fields == 1 else u

    def check_points(self, x: Tensor) -> None:
        """Refuse points that the network cannot be evaluated at, whoever asks.

        Parameters
        ----------
        x : (n, inputs) or (inputs,) Tensor

        Raises
        ------
        TypeError, ValueError
            If x is no tensor, of another dtype than the weights, or of another number of
            coordinates.

        Examples
        --------
        >>> from dtpinn.models import MLP
        >>> MLP(2).check_points(torch.zeros(5, 2, dtype=torch.float64))
        >>> MLP(2).check_points(torch.zeros(5, 3, dtype=torch.float64))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ValueError: MLP: expected points of shape (n, 2), got (5, 3); ...
        """
        # These are facts of the trace under torch.compile: they cost guards, not graph nodes.
        if not isinstance(x, Tensor):
            raise TypeError(
                f"{type(self).__name__}: expected the points as a torch tensor, got "
                f"{type(x).__name__}; use torch.as_tensor(points, dtype={self.dtype})"
            )
        if x.shape[-1:] != (self.inputs,):
            raise ValueError(
                f"{type(self).__name__}: expected points of shape (n, {self.inputs}), got "
                f"{tuple(x.shape)}; the model was made with inputs={self.inputs}"
            )
        dtype: torch.dtype = self.layers[0].weight.dtype  # type: ignore[assignment]
        if x.dtype != dtype:
            raise TypeError(f"{type(self).__name__}: {_other_dtype(x.dtype, dtype)}")

    def config(self) -> dict[str, Any]:
        """The constructor's arguments, so that ``MLP(**model.config())`` is a model of this shape.

        Weights and normalisation are not in it, nor the device; the dtype is the present one. An
        activation that has no name here is kept as it was given.

        Examples
        --------
        >>> from dtpinn.models import MLP
        >>> twin = MLP(**MLP(2, width=10, seed=3).config())
        >>> twin.width, twin.seed
        (10, 3)
        """
        return {
            "inputs": self.inputs,
            "width": self.width,
            "depth": self.depth,
            "fields": self.fields,
            "activation": self._activation_name or self.activation,
            "dtype": self.dtype,
            "seed": self.seed,
            "normalise": self.normalisation is not None,
        }

    def __repr__(self) -> str:
        config = self.config()
        del config["seed"]
        if config["normalise"]:  # as usual
            del config["normalise"]
        told = ", ".join(f"{key}={value!r}" for key, value in config.items())
        return f"{type(self).__name__}({told})"


def _other_dtype(points: torch.dtype, weights: torch.dtype) -> str:
    """What to do with points of another dtype."""
    told = f"the points are {points} but the weights are {weights}"
    if points.is_complex:
        return f"{told}; coordinates are real numbers"
    if not points.is_floating_point:
        return f"{told}; use x.to({weights})"
    return f"{told}; use x.to({weights}) or model.to({points})"
