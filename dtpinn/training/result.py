"""Result: a trained model, how it came about, and how wrong it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dtpinn.models.by_name import from_config
from dtpinn.output import picture_run, shown_times, write_json
from dtpinn.output.files import StrPath
from dtpinn.problem import AutomaticProblem, Problem
from dtpinn.problem.relative_error import Exact, relative_error
from dtpinn.problem.stencil_problem import StencilProblem
from dtpinn.problem.uncertainty import Uncertainty, uncertainty
from dtpinn.training.checkpoint import (
    load_checkpoint,
    load_weights,
    save_checkpoint,
    shortly,
)
from dtpinn.training.history import History
from dtpinn.training.stage_figures import STILL_RUNNING, Stage

# Figures that a checkpoint has among the details, and what one without them stands for.
_ABSENT = {
    "stop_reason": STILL_RUNNING,
    "floor": None,
    "distance": None,
    "estimated_error": None,
}


@dataclass
class Result:
    """What :func:`fit` returns.

    Attributes
    ----------
    model : nn.Module
        Trained; the very module that was passed to ``fit``.
    problem : Problem or None
        None after :meth:`load`, which brings back what a file can hold.
    history : History
    stop_reason : str
        Why the training ended, and which stage stopped early.
    optimizer : torch.optim.Optimizer or None
        Of the last stage, with its memory, so that a checkpoint can go on from here.
    exact : callable or None
        The solution, where it is known.
    floor : float or None
        Relative l2 error of the discrete solution itself, where somebody has computed it: no
        training on the same problem gets reliably below it.
    distance : float or None
        Relative l2 distance to the discrete solution at the end of the training, where that is a
        matter of seconds: far above the error of the discretisation, the training has stalled, and
        `fit` has warned of it.
    estimated_error : float or None
        Relative l2 error of the model at the end, where a tolerance was asked for: see
        :attr:`dtpinn.problem.Estimate.error`.
    stages : list of Stage
        What each optimiser did, in their order: epochs, iterations, evaluations, seconds and the
        reason why it stopped.
    details : dict
        Plain data that goes into ``result.json`` beside the figures: seed, seconds of assembly, ...
    """

    model: nn.Module
    problem: Problem | None
    history: History
    stop_reason: str
    optimizer: torch.optim.Optimizer | None = None
    exact: Exact | None = None
    floor: float | None = None
    distance: float | None = None
    estimated_error: float | None = None
    stages: list[Stage] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def coefficients(self) -> dict[str, float]:
        """Unknown coefficients of the PDE as they were found, those that are single numbers."""
        return self.history[-1].coefficients

    @property
    def uncertainty(self) -> Uncertainty:
        """How sure the coefficients are that were found from data: standard errors, covariance.

        One Jacobian and its singular values; see :func:`dtpinn.problem.uncertainty.uncertainty`.
        """
        if not isinstance(self.problem, (AutomaticProblem, StencilProblem)):
            raise ValueError("uncertainty: a result read from a file has no problem to ask")
        return uncertainty(self.problem, self.model)

    @property
    def loss(self) -> float:
        """The final loss."""
        return self.history[-1].loss

    @property
    def epochs(self) -> int:
        """Steps of the optimiser."""
        return self.history[-1].epoch

    @property
    def evaluations(self) -> int:
        """Calls of the closure."""
        return self.history[-1].evaluations

    @property
    def seconds(self) -> float:
        """Training alone."""
        return self.history[-1].seconds

    def __repr__(self) -> str:
        """In a few lines: what was trained on what, for how long, and what came of it."""
        on = "a file"
        if self.problem is not None:
            on = f"{type(self.problem).__name__} of {type(self.problem.pde).__name__}"
        lines = [f"Result: {shortly(self.model)} on {on}"]
        if self.history:
            last = self.history[-1]
            lines.append(
                f"loss {last.loss:.3g}"
                + ("" if last.error is None else f", relative l2 error {last.error:.3g}")
                + ("" if self.floor is None else f" (floor {self.floor:.1e})")
                + self._estimated()
                + "".join(f", {name} = {value:.6g}" for name, value in last.coefficients.items())
            )
            lines.append(
                f"{last.epoch} epochs, {last.evaluations} evaluations, {last.seconds:.3g} s"
            )
        return "\n  ".join([*lines, f"stopped: {self.stop_reason}"])

    def _estimated(self) -> str:
        told = self.estimated_error
        return "" if told is None else f", estimated at {told:.1e}"

    def relative_error(self, exact: Exact, points: Tensor | None = None) -> float:
        """Return ``|model - exact| / |exact|`` in l2, equation (18).

        Parameters
        ----------
        exact : callable
            points (n, inputs of the model) -> (n,) or (n, fields).
        points : (n, inputs), optional
            Where; X, at all times, by default.
        """
        return relative_error(self.model, exact, self._points() if points is None else points)

    def _points(self) -> Tensor:
        if self.problem is None:
            raise ValueError("relative_error: a result read from a file needs points=...")
        return self.problem.points

    def save(self, directory: StrPath) -> Path:
        """Leave ``result.json``, ``history.csv``, ``checkpoint.pt`` and ``picture.png``.

        Each file is complete or absent. The directory is made if its parent exists.

        Returns
        -------
        Path
            The directory.
        """
        directory = Path(directory)
        directory.mkdir(exist_ok=True)
        self.checkpoint(directory / "checkpoint.pt")
        self.history.write(directory / "history.csv")
        write_json(directory / "result.json", self.summary())
        if self.problem is not None:
            self.picture(directory / "picture.png")
        return directory

    def checkpoint(self, path: StrPath) -> None:
        """Write a checkpoint, from which ``fit(..., resume=path)`` goes on."""
        save_checkpoint(
            path,
            model=self.model,
            problem=self.problem,
            optimizer=self.optimizer,
            history=self.history,
            stages=self.stages,
            details={
                **self.details,
                "stop_reason": self.stop_reason,
                "floor": self.floor,
                "distance": self.distance,
                "estimated_error": self.estimated_error,
            },
        )

    def summary(self) -> dict[str, Any]:
        """Return the figures of the run as plain data: the contents of ``result.json``."""
        best = self.history.best
        last = self.history[-1]
        seconds = {**self.details.get("seconds", {}), "training": last.seconds}
        return {
            **self.details,
            "epochs": last.epoch,
            "evaluations": last.evaluations,
            "seconds": seconds,
            "loss": last.loss,
            "loss_parts": last.parts,
            "relative_l2_error": last.error,
            "best_relative_l2_error": None if best is None else best.error,
            "floor_relative_l2_error": self.floor,
            "distance_to_discrete_solution": self.distance,
            "estimated_relative_l2_error": self.estimated_error,
            "coefficients": last.coefficients,
            "stop_reason": self.stop_reason,
            "stages": [asdict(stage) for stage in self.stages],
        }

    def picture(self, path: StrPath) -> None:
        """Draw solution, error and convergence on X, at three of the times in space-time."""
        if self.problem is None:
            raise ValueError("picture: a result read from a file has no nodes to draw on")
        nodes, times, points = self.problem.nodes, self.problem.times, self.problem.points
        pde = self.problem.pde
        if times is not None:
            shown = shown_times(len(times))
            points = points.reshape(nodes.count, len(times), -1)[:, shown].flatten(0, 1)
            times = times[shown]
        with torch.no_grad():
            solution = self.model(points).reshape(len(points), -1)
        error = None
        if self.exact is not None:
            error = (solution - self.exact(points).reshape(len(points), -1)).cpu()
        drawn, rows = nodes.drawn()
        by_node = (nodes.count, -1, solution.shape[1])
        solution = solution.reshape(by_node)[rows].flatten(0, 1)
        error = None if error is None else error.reshape(by_node)[rows].flatten(0, 1)
        wanted = ("evaluations", "loss", "error", "stage")
        columns = {name: self.history.column(name) for name in wanted}
        if self.history.best is None:
            del columns["error"]
        picture_run(
            path,
            drawn,
            solution.cpu(),
            error,
            columns,
            times=times,
            floor=self.floor,
            title=str(self.details.get("title", "")),
            names=None if isinstance(pde.fields, int) else pde.field_names,
            boundary=nodes.boundary if nodes.dimension == 2 else None,
            outward=nodes.outward[rows],
        )

    @classmethod
    def load(cls, directory: StrPath, model: nn.Module | None = None) -> Result:
        """Read back a saved result: model, history, figures.

        Parameters
        ----------
        directory : path
            That was given to :meth:`save`.
        model : nn.Module, optional
            To load the weights into; needed only where the saved model was none of
            ``dtpinn.models.NETWORKS``: one of your own, or a :class:`~dtpinn.models.HardBoundary`,
            made with the same functions, which are not in the file.

        Raises
        ------
        FileNotFoundError, CheckpointError
            If there is no checkpoint, or its weights do not fit the model.
        ValueError
            If a model is needed.
        """
        path = Path(directory) / "checkpoint.pt"
        state = load_checkpoint(path)
        if model is None:
            config = state["model_config"]
            if config is None:
                raise ValueError(
                    f"Result.load: the model saved in {directory} is {state['model_told']}, and "
                    "not one that the file alone can make again, as those of "
                    "dtpinn.models.NETWORKS with plain arguments are: functions and code are not "
                    "in it. Make it as it was made for the training, and pass model=..."
                )
            model = from_config(state["network"], config)
        load_weights(model, state, path)
        details = {**_ABSENT, **state["details"]}
        ended = {name: details.pop(name) for name in _ABSENT}
        history = History.from_state(state["history"])
        stages = [Stage(**stage) for stage in state["stages"]]
        return cls(model, None, history, stages=stages, details=details, **ended)
