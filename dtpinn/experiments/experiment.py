"""Experiment: one of the paper's problems, as data that a run is made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from dtpinn.experiments.settings import Settings, SettingsError
from dtpinn.geometry import Disk, Domain
from dtpinn.nodes import Nodes
from dtpinn.pde import PDE
from dtpinn.problem import DiscreteProblem, Problem, discretize, vanilla


@dataclass(frozen=True)
class Experiment:
    """An equation with a known solution on a domain, and what the paper asks of it.

    Its losses are the paper's: plain sums of mean squares, without weights.

    Attributes
    ----------
    name : str
        On the command line, and in ``result.json``.
    section : str
        Of the paper.
    summary : str
        One line for ``--help``.
    pde : callable
        Makes the equation.
    exact : callable
        Its solution where the model is evaluated: (n, d) or, in space-time, (n, d + 1) -> (n,).
    measured_at : "test points" or "collocation points"
        Where the error is measured while training goes on.
    domain : callable
        Makes the domain; the unit disk, as always in the paper.
    defaults : dict
        Settings that differ from those of :class:`Settings`. A problem is one in space-time if
        `times` is among them.
    """

    name: str
    section: str
    summary: str
    pde: Callable[[], PDE]
    exact: Callable[[Tensor], Tensor]
    measured_at: Literal["test points", "collocation points"] = "test points"
    domain: Callable[[], Domain] = Disk
    defaults: dict[str, Any] = field(default_factory=dict)

    def settings(self, **changes: Any) -> Settings:
        """Return settings of this problem: its own defaults, and what is asked to differ.

        Raises
        ------
        SettingsError
            For settings that cannot be, or that this problem does not have.
        """
        settings = Settings(**{**self.defaults, **changes})
        if "times" not in self.defaults and settings.times is not None:
            raise SettingsError(f"{self.name} is a steady problem and takes no times")
        if "times" in self.defaults and settings.times is None:
            raise SettingsError(f"{self.name} is a problem in space-time: times must be given")
        return settings

    def problem(self, settings: Settings, nodes: Nodes) -> Problem:
        """Return the problem on nodes, by the method that the settings ask for."""
        if settings.method == "dt":
            return self._discrete(settings, nodes, settings.torch_dtype)
        return vanilla(
            self.pde(), nodes, times=slices(settings), dtype=settings.torch_dtype,
            device=settings.device, weights="equal",
        )  # fmt: skip

    def solve(self, settings: Settings, nodes: Nodes, problem: Problem) -> Tensor:
        """Return the solution of the discrete system itself on X, at all times, in float64."""
        if not isinstance(problem, DiscreteProblem):
            problem = self._discrete(settings, nodes, torch.float64)
        # From the solution, so that Newton finds this one where the equation has several.
        return problem.solve(self.exact)

    def _discrete(self, settings: Settings, nodes: Nodes, dtype: torch.dtype) -> DiscreteProblem:
        # The paper's arrangement: a ghost for every boundary node, the equation on all of X.
        return discretize(
            self.pde(), nodes, settings.order, times=slices(settings), ghosts="all", dtype=dtype,
            device=settings.device, weights="equal",
        )  # fmt: skip


def slices(settings: Settings) -> Tensor | None:
    """Return the times t = k / N_t, k = 0..N_t, or None for a steady problem."""
    if settings.times is None:
        return None
    return torch.linspace(0.0, 1.0, settings.times, dtype=torch.float64)
