"""The paper's network: a fully connected perceptron from points to the solution."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from dtpinn.models.normalisation import Drawn, Normalisation

Activation = str | type[nn.Module] | Callable[[Tensor], Tensor]

_NAMED: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sin": torch.sin,
    "sigmoid": torch.sigmoid,
    "silu": nn.functional.silu,
    "gelu": nn.functional.gelu,
    "softplus": nn.functional.softplus,
}


class MLP(nn.Module):
    """A multilayer perceptron: `depth` hidden layers of `width`, then a linear output layer.

    The paper's network is the default: 4 hidden layers of 50, tanh, biases; with two inputs that
    is 7851 parameters.

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

    Raises
    ------
    TypeError, ValueError
        For sizes that are no positive integers, an unknown activation, or a dtype that is not
        floating point; when called, for points of another dtype or dimension.

    Notes
    -----
    The initial weights are `nn.Linear`'s (uniform in +-1/sqrt(fan-in)), drawn in fp32 on the CPU
    and then converted, as the paper's authors do: runs in fp32 and fp64, on any device, start from
    the same function.

    Examples
    --------
    >>> model = MLP(2, seed=0)
    >>> sum(p.numel() for p in model.parameters())
    7851
    >>> model(torch.zeros(10, 2, dtype=torch.float64)).shape
    torch.Size([10])
    >>> MLP(3, width=20, depth=2, fields=4)
    MLP(inputs=3, width=20, depth=2, fields=4, activation='tanh', dtype=torch.float64)
    """

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
        for name, size in (
            ("inputs", inputs),
            ("width", width),
            ("depth", depth),
            ("fields", fields),
        ):
            _check_size(name, size)
        if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
            raise TypeError(
                f"MLP: expected dtype to be torch.float64 or torch.float32, got {dtype!r}"
            )
        self.inputs, self.width, self.depth, self.fields = inputs, width, depth, fields
        self.seed = seed
        self.activation, self._activation_name = _resolve(activation)
        sizes = [inputs, *[width] * depth, fields]
        with _drawing(seed):
            self.layers = nn.ModuleList(
                nn.Linear(a, b, dtype=torch.float32, device="cpu") for a, b in pairwise(sizes)
            )
        self.normalisation = Normalisation(inputs, fields, device="cpu") if normalise else None
        self.to(dtype=dtype, device=device or torch.get_default_device())
        self.drawn = Drawn(self)

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
        # These are facts of the trace under torch.compile: they cost guards, not graph nodes.
        if not isinstance(x, Tensor):
            raise TypeError(
                f"MLP: expected the points as a torch tensor, got {type(x).__name__}; use "
                f"torch.as_tensor(points, dtype={self.dtype})"
            )
        if x.shape[-1:] != (self.inputs,):
            raise ValueError(
                f"MLP: expected points of shape (n, {self.inputs}), got {tuple(x.shape)}; the "
                f"model was made with inputs={self.inputs}"
            )
        dtype: torch.dtype = self.layers[0].weight.dtype  # type: ignore[assignment]
        if x.dtype != dtype:
            raise TypeError(_other_dtype(x.dtype, dtype))
        if self.normalisation is not None:
            x = self.normalisation.inwards(x)
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        x = self.layers[-1](x)
        if self.normalisation is not None:
            x = self.normalisation.outwards(x)
        return x.squeeze(-1) if self.fields == 1 else x

    def config(self) -> dict[str, Any]:
        """The constructor's arguments, so that ``MLP(**model.config())`` is a model of this shape.

        Weights and normalisation are not in it, nor the device; the dtype is the present one. An
        activation that has no name here is kept as it was given.

        Examples
        --------
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
        return f"MLP({', '.join(f'{key}={value!r}' for key, value in config.items())})"


def _other_dtype(points: torch.dtype, weights: torch.dtype) -> str:
    """What to do with points of another dtype."""
    told = f"MLP: the points are {points} but the weights are {weights}"
    if points.is_complex:
        return f"{told}; coordinates are real numbers"
    if not points.is_floating_point:
        return f"{told}; use x.to({weights})"
    return f"{told}; use x.to({weights}) or model.to({points})"


def _check_size(name: str, size: Any) -> None:
    if isinstance(size, bool) or not isinstance(size, int):
        raise TypeError(f"MLP: expected {name} to be an integer, got {size!r}")
    if size < 1:
        raise ValueError(f"MLP: expected {name} to be at least 1, got {size}")


def _resolve(activation: Any) -> tuple[Callable[[Tensor], Tensor], str | None]:
    """The activation as a function, and its name if it is one of the known ones."""
    if isinstance(activation, str):
        if activation not in _NAMED:
            raise ValueError(
                f"MLP: unknown activation {activation!r}; known are {', '.join(sorted(_NAMED))}; "
                "or give a function of a tensor"
            )
        return _NAMED[activation], activation
    if isinstance(activation, type) and issubclass(activation, nn.Module):
        name = activation.__name__.lower()
        if activation is getattr(nn, activation.__name__, None) and name in _NAMED:
            return _NAMED[name], name
        return activation(), None
    if not callable(activation):
        raise TypeError(
            f"MLP: expected activation to be a name, a function or an nn.Module class, got "
            f"{activation!r}"
        )
    for name, function in _NAMED.items():
        if activation is function:
            return function, name
    return activation, None


def _drawing(seed: int | None) -> AbstractContextManager[Any]:
    """While open, torch's CPU generator stands at `seed`; afterwards where it was before."""
    if seed is None:
        return nullcontext()
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"MLP: expected seed to be an integer or None, got {seed!r}")
    return _Seeded(seed)


class _Seeded(AbstractContextManager[None]):
    # Not torch.manual_seed: that would seed every accelerator too, and nobody puts those back.

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __enter__(self) -> None:
        self.before = torch.default_generator.get_state()
        torch.default_generator.manual_seed(self.seed)

    def __exit__(self, *error: object) -> None:
        torch.default_generator.set_state(self.before)
