"""fit: train a model on a problem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from dtpinn.optim.by_name import OptimizerLike, class_of, needs_of
from dtpinn.output.files import StrPath
from dtpinn.problem import Problem
from dtpinn.problem.relative_error import Exact
from dtpinn.training.goal import Goal, stages_towards
from dtpinn.training.learnt_parameters import check_parameters, trainable
from dtpinn.training.loop import Callback, Loop
from dtpinn.training.loss_closure import check_has_jacobian
from dtpinn.training.normalising import is_as_drawn, normalise
from dtpinn.training.planned_stages import check_count, plan_stages
from dtpinn.training.result import Result
from dtpinn.training.resuming import resume as resume_run
from dtpinn.training.staged_run import StagedRun


def fit(
    model: nn.Module,
    problem: Problem,
    epochs: int | Sequence[int] | None = None,
    *,
    optimizer: OptimizerLike | Sequence[OptimizerLike] | None = None,
    tolerance: float | None = None,
    exact: Exact | None = None,
    points: Tensor | None = None,
    every: int | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool | None = None,
    max_seconds: float | Sequence[float | None] | None = None,
    checkpoint: StrPath | None = None,
    resume: StrPath | None = None,
    details: dict[str, Any] | None = None,
) -> Result:
    """Train a model until the epochs are used up, or the optimiser cannot go on.

    With several optimisers, in stages: each until its own epochs are used up or it stops by itself,
    then the next one on the same model.

    Parameters
    ----------
    model : nn.Module
        Trained in place. Of the problem's dtype and device.
    problem : Problem
        From :func:`dtpinn.discretize` or :func:`dtpinn.vanilla`. Unknown coefficients of its PDE
        are trained along.
    epochs : int, or sequence of int
        Steps of the optimiser, those before `resume` included; 200 by default. With L-BFGS one step
        is up to 20 iterations, with Gauss-Newton one. In stages: of each, or a number for each.
    optimizer : str, torch.optim.Optimizer or callable, or a sequence of them
        A name in ``dtpinn.optim.OPTIMIZERS``: "lbfgs", the default, "adam", "gauss-newton", which
        on vanilla problems is for points by the hundreds, and "defect-correction", which goes on
        below the error of the matrices; an optimiser of the parameters; or a function that
        makes one from their list, such as ``torch.optim.SGD`` or
        ``functools.partial(dtpinn.optim.LBFGS, line_search=None)``. Those of later stages are made
        when their stage begins.
    tolerance : float, optional
        The relative l2 error that the model is to have: training ends as soon as it is estimated to
        be below half of that (:attr:`dtpinn.problem.Estimate.error`, in the end
        ``Result.estimated_error``), or below a sixth where there are fewer than four equations at
        the nodes for each parameter of the model, of which estimates are less sure. Of a steady
        problem from :func:`dtpinn.discretize`, in float64. The optimisers are by default
        Gauss-Newton, for 100 epochs, and defect correction, for 5,000 at most; before them, where
        the last layer is wide (128 weights or more), that layer alone, which may be enough.
    exact : callable, optional
        The solution where it is known, points -> (n,): the error is then part of the history.
    points : (n, inputs) Tensor, optional
        Where to measure it; the collocation points by default.
    every : int, optional
        Epochs between records, and between calls of the callbacks. By default 1 for optimisers that
        iterate within a step, as L-BFGS does, and 10 for others, Gauss-Newton among them, so that
        recording stays cheap beside their epochs.
    callbacks : sequence of callable
        Each called with the result so far after every record; a true return value stops the run.
    progress : bool, optional
        A progress bar with loss and error; by default where stderr is a terminal.
    max_seconds : float, optional, or sequence
        Of training time in the whole run, that before `resume` included; or a limit, or None, for
        each stage, whose successor then begins.
    checkpoint : path, optional
        File to leave a checkpoint in, every half minute and at the end.
    resume : path, optional
        Checkpoint to go on from, in whatever stage, bit for bit as if the run had not stopped.
        Model, equation, optimisers and `details` must be those it was made with, and finished
        stages have their epochs; the last one may have more, and stages may be added at the end.
    details : dict, optional
        Plain data that identifies the run; kept in the result and in its checkpoints. On `resume`
        those that the checkpoint has, too, must be the same.

    Returns
    -------
    Result
        Also after Ctrl-C, which ends the run with the epoch it is in; a second one aborts.

    Raises
    ------
    TypeError, ValueError
        For a model of another dtype or device than the problem, a tolerance on a problem that tells
        no errors, an unknown optimiser, a coefficient
        with the name of a column of the history, and the like.

    Warns
    -----
    NotReached
        If it ends above the tolerance; with what stands in the way.

    Notes
    -----
    Training time is that of the optimiser's steps alone. Recording costs one evaluation of the loss
    without gradient, outside the clock.

    The loss weighs every residual by its size (:meth:`Problem.set_weights`), and a network that is
    still as it was drawn is normalised to the problem (:func:`dtpinn.training.normalise`), so that
    training goes the same way in any units.

    Data whose noise stands out are given less weight on the way, which makes the loss jump. That is
    looked for after 4, 6, 8, 12, 16, 24, ... epochs of a stage, and where the optimiser stops by
    itself, whatever was planned (:class:`dtpinn.Data`).

    At the end the model is compared with the discrete solution, where that takes seconds: see
    ``Result.distance``. If it is off by more than 1% and ten times the error of the discretisation,
    a warning tells so. Another one names an unknown coefficient on which no residual depends there:
    what it has become means nothing.

    Examples
    --------
    >>> import torch, dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    >>> pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0] * x[:, 1])
    >>> model = dtpinn.MLP(2, width=10, depth=1, seed=0)
    >>> result = dtpinn.fit(model, dtpinn.discretize(pde, nodes), epochs=3)
    >>> result.epochs, result.stop_reason
    (3, 'all epochs done')

    In stages, with a polish at the end:

    >>> stages = ["lbfgs", "gauss-newton"]
    >>> result = dtpinn.fit(model, result.problem, epochs=[2, 30], optimizer=stages)
    >>> [(stage.optimizer, stage.epochs, stage.iterations) for stage in result.stages]
    [('LBFGS', 2, 40), ('GaussNewton', 30, 30)]

    As right as you ask, here a hundred times as right as the matrices:

    >>> model = dtpinn.MLP(2, width=30, depth=1, seed=0)
    >>> pde = dtpinn.Poisson.from_solution(lambda x: torch.sin(x[:, 0] + 2 * x[:, 1]))
    >>> problem = dtpinn.discretize(pde, nodes, order=3)
    >>> result = dtpinn.fit(model, problem, tolerance=1e-4)
    >>> result.relative_error(lambda x: torch.sin(x[:, 0] + 2 * x[:, 1])) < 1e-4
    True
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"fit: model must be a torch.nn.Module, got {type(model).__name__}")
    if every is not None:
        check_count("every", every)
    check_parameters(model, problem)
    parameters = trainable(model, problem)
    goal = None if tolerance is None else Goal(tolerance, problem, model)
    if optimizer is None and goal is not None:
        optimizer, usual = stages_towards(problem, model)
        epochs = usual if epochs is None else epochs
    optimizer = "lbfgs" if optimizer is None else optimizer
    epochs = 200 if epochs is None else epochs
    plans, limit = plan_stages(optimizer, epochs, max_seconds, parameters)
    for plan in plans:
        if (kind := class_of(plan.optimizer)) and needs_of(kind).jacobian:
            check_has_jacobian(problem, kind.__name__)
    if resume is None and is_as_drawn(model):
        normalise(model, problem)
    run = StagedRun(model, problem, parameters, plans, limit, exact, points, details, goal)
    if resume is None:
        run.begin_stage()
    else:
        resume_run(run, resume)
    Loop(run, callbacks, every, checkpoint, progress).train()
    return run.result
