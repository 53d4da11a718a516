"""fit: train a model on a problem."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from dtpinn.optim import LBFGS
from dtpinn.output.files import StrPath, to_json
from dtpinn.problem import Problem
from dtpinn.training.checkpoint import CheckpointError, load_checkpoint, restore_random_state
from dtpinn.training.clock import Clock
from dtpinn.training.history import History, Record
from dtpinn.training.interrupt import Interrupt
from dtpinn.training.optimizers import (
    OptimizerLike,
    check_parameters,
    make_optimizer,
    trainable,
)
from dtpinn.training.result import Exact, Result, checked_exact, relative_distance

Callback = Callable[[Result], Any]

# Seconds between checkpoints while a run goes on.
CHECKPOINT_EVERY = 30.0


def fit(
    model: nn.Module,
    problem: Problem,
    epochs: int = 200,
    *,
    optimizer: OptimizerLike = "lbfgs",
    exact: Exact | None = None,
    points: Tensor | None = None,
    every: int | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool | None = None,
    max_seconds: float | None = None,
    checkpoint: StrPath | None = None,
    resume: StrPath | None = None,
    details: dict[str, Any] | None = None,
) -> Result:
    """Train a model until the epochs are used up, or the optimiser cannot go on.

    Parameters
    ----------
    model : nn.Module
        Trained in place. Of the problem's dtype and device.
    problem : Problem
        From :func:`dtpinn.discretize` or :func:`dtpinn.vanilla`. Unknown coefficients of its PDE
        are trained along.
    epochs : int
        Steps of the optimiser, those before `resume` included. With L-BFGS one step is up to 20
        iterations.
    optimizer : str, torch.optim.Optimizer or callable
        "lbfgs"; an optimiser of the parameters; or a function that makes one from their list, such
        as ``torch.optim.Adam`` or ``functools.partial(dtpinn.optim.LBFGS, line_search=None)``.
    exact : callable, optional
        The solution where it is known, points -> (n,): the error is then part of the history.
    points : (n, inputs) Tensor, optional
        Where to measure it; the collocation points by default.
    every : int, optional
        Epochs between records. By default 1 for L-BFGS (ours or torch's) and 10 for other
        optimisers, whose epochs are single evaluations, so that recording stays cheap beside them.
    callbacks : sequence of callable
        Each called with the result so far after every record; a true return value stops the run.
    progress : bool, optional
        A progress bar with loss and error; by default where stderr is a terminal.
    max_seconds : float, optional
        Of training time.
    checkpoint : path, optional
        File to leave a checkpoint in, every half minute and at the end.
    resume : path, optional
        Checkpoint to go on from, bit for bit as if the run had not stopped. Model, equation,
        optimiser and `details` must be those it was made with.
    details : dict, optional
        Plain data that identifies the run; kept in the result and in its checkpoints.

    Returns
    -------
    Result
        Also after Ctrl-C, which ends the run with the epoch it is in; a second one aborts.

    Raises
    ------
    TypeError, ValueError
        For a model of another dtype or device than the problem, an unknown optimiser, and the like.

    Notes
    -----
    Training time is that of the optimiser's steps alone. Recording costs one evaluation of the loss
    without gradient, outside the clock.

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    >>> pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0] * x[:, 1])
    >>> model = dtpinn.MLP(2, width=10, depth=1, seed=0)
    >>> result = dtpinn.fit(model, dtpinn.discretize(pde, nodes), epochs=3)
    >>> result.epochs, result.stop_reason
    (3, 'all epochs done')
    """
    _check(model, epochs, every)
    check_parameters(model, problem)
    parameters = trainable(model, problem)
    made = make_optimizer(optimizer, parameters)
    run = _Run(model, problem, made, list(parameters.values()), exact, points, details)
    if resume is not None:
        run.resume(resume)
    if every is None:
        every = 1 if isinstance(made, (LBFGS, torch.optim.LBFGS)) else 10
    run.record()
    if checkpoint is not None:
        run.result.checkpoint(checkpoint)  # what cannot be written is told before training
    hide = None if progress is None else not progress  # None: hidden where there is no terminal
    bar = tqdm(total=epochs, initial=run.epoch, unit="epoch", disable=hide)
    saved = time.monotonic()
    with bar, Interrupt() as interrupt:
        while (reason := run.reason_to_stop(epochs, max_seconds)) is None:
            run.advance()
            bar.update()
            ended = run.reason_to_stop(epochs, max_seconds) or interrupt.requested
            if ended or run.epoch % every == 0:
                run.record()
                bar.set_postfix_str(_postfix(run.history[-1]))
                if run.call(callbacks, checkpoint):
                    reason = "stopped by a callback"
                    break
            if interrupt.requested:
                reason = "interrupted"
                break
            if checkpoint is not None and time.monotonic() - saved > CHECKPOINT_EVERY:
                run.record()
                run.result.checkpoint(checkpoint)
                saved = time.monotonic()
    run.result.stop_reason = reason
    if checkpoint is not None:
        run.result.checkpoint(checkpoint)
    return run.result


class _Run:
    """A training in progress: counts, times and records the steps of an optimiser."""

    def __init__(
        self,
        model: nn.Module,
        problem: Problem,
        optimizer: torch.optim.Optimizer,
        parameters: list[Tensor],
        exact: Exact | None,
        points: Tensor | None,
        details: dict[str, Any] | None,
    ) -> None:
        self.model, self.problem, self.optimizer = model, problem, optimizer
        self.parameters = parameters
        self.points = problem.points if points is None else points
        self.wanted = None if exact is None else checked_exact(exact(self.points))
        self.clock = Clock(problem.device)
        self.epoch = self.evaluations = 0
        self.history = History()
        self.result = Result(
            model, problem, self.history, "still running", optimizer, exact, details=details or {}
        )

    def closure(self) -> Tensor:
        """Compute loss and gradient at the present parameters."""
        self.optimizer.zero_grad(set_to_none=True)
        with torch.enable_grad():
            loss = self.problem.loss(self.model)
            # inputs=: no gradient in the points, which the derivatives have made part of the graph.
            loss.backward(inputs=self.parameters)  # type: ignore[no-untyped-call]
        self.evaluations += 1
        return loss

    def advance(self) -> None:
        """One step of the optimiser."""
        with self.clock.running():
            self.optimizer.step(self.closure)  # type: ignore[arg-type]
        self.epoch += 1

    def record(self) -> None:
        """Add the present state to the history, unless it is there already."""
        if self.history and self.history[-1].epoch == self.epoch:
            return
        with torch.no_grad():
            parts = self.problem.loss_parts(self.problem.residuals(self.model))
            values = {name: float(part) for name, part in parts.items()}
            error = None
            if self.wanted is not None:
                error = relative_distance(self.model(self.points), self.wanted)
        named = self.problem.pde.named_parameters()
        coefficients = {name: p.detach().item() for name, p in named if p.numel() == 1}
        seconds, loss = self.clock.seconds, sum(values.values())
        self.history.append(
            Record(self.epoch, self.evaluations, seconds, loss, values, error, coefficients)
        )

    def call(self, callbacks: Sequence[Callback], checkpoint: StrPath | None) -> bool:
        """Call every callback; whether one of them wants to stop. A failing one loses nothing."""
        try:
            answers = [callback(self.result) for callback in callbacks]
        except BaseException:
            if checkpoint is not None:
                self.result.checkpoint(checkpoint)
            raise
        return any(answers)

    def reason_to_stop(self, epochs: int, max_seconds: float | None) -> str | None:
        """Return why the run is over, or None."""
        if (reason := self._optimizer_stopped()) is not None:
            return reason
        if self.history and not _finite(self.history[-1].loss):
            return f"the loss is not finite: {self.history[-1].loss}"
        if self.epoch >= epochs:
            return "all epochs done"
        if max_seconds is not None and self.clock.seconds >= max_seconds:
            return f"time is up: {self.clock.seconds:.1f} s of training"
        return None

    def _optimizer_stopped(self) -> str | None:
        reason: str | None = getattr(self.optimizer, "stop_reason", None)
        return reason

    def resume(self, path: StrPath) -> None:
        """Go on from a checkpoint of the same model, equation, optimiser and details."""
        state = load_checkpoint(path)
        self._check_same(state, path)
        self.model.load_state_dict(state["model"])
        self.problem.pde.load_state_dict(state["coefficients"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.history.records[:] = History.from_state(state["history"]).records
        last = self.history[-1]
        self.epoch, self.evaluations = last.epoch, last.evaluations
        self.clock.seconds = last.seconds
        restore_random_state(state["random"])

    def _check_same(self, state: dict[str, Any], path: StrPath) -> None:
        """Compare before anything is loaded: half a checkpoint in a model would be the worst."""
        pairs = [
            ("optimizer", state["optimizer_name"], type(self.optimizer).__name__),
            *_shapes("model", state["model"], self.model.state_dict()),
            *_shapes("PDE", state["coefficients"], self.problem.pde.state_dict()),
        ]
        saved, present = state["details"], json.loads(to_json(self.result.details))
        pairs += [(key, saved.get(key), value) for key, value in present.items()]
        for what, before, now in pairs:
            if before != now:
                raise CheckpointError(
                    f"cannot resume from {path}: it was made with {what} {before}, this run has "
                    f"{now}"
                )


def _shapes(
    what: str, saved: dict[str, Tensor], present: dict[str, Tensor]
) -> Iterator[tuple[str, object, object]]:
    """Every tensor of either state, with its shape and dtype in both."""
    for name in sorted({*saved, *present}):
        yield f"the {what}'s {name}", _described(saved.get(name)), _described(present.get(name))


def _described(tensor: Tensor | None) -> str:
    return "none" if tensor is None else f"{tuple(tensor.shape)} {tensor.dtype}"


def _finite(loss: float) -> bool:
    return abs(loss) < float("inf")  # false for NaN


def _postfix(record: Record) -> str:
    error = "" if record.error is None else f", error {record.error:.2e}"
    return f"loss {record.loss:.2e}{error}"


def _check(model: nn.Module, epochs: int, every: int | None) -> None:
    if not isinstance(model, nn.Module):
        raise TypeError(f"fit: model must be a torch.nn.Module, got {type(model).__name__}")
    for name, count in (("epochs", epochs), ("every", 1 if every is None else every)):
        if not isinstance(count, int) or count < 1:
            raise ValueError(f"fit: {name} must be an integer of at least 1, got {count!r}")
