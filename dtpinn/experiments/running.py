"""A training run of an experiment: nodes, matrices, floor, training, figures, files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dtpinn.experiments.experiment import Experiment
from dtpinn.experiments.measuring import error_at, fine_points, model_points
from dtpinn.experiments.settings import Settings, SettingsError
from dtpinn.experiments.summary import closing_lines, details, identity
from dtpinn.models import MLP
from dtpinn.nodes import Nodes, place_nodes
from dtpinn.problem import Problem
from dtpinn.training import Result, fit
from dtpinn.training.result import relative_distance

MANY_VALUES = 20_000  # above which the direct solve lasts long enough to be announced
Report = Callable[[str], None]


def run(
    experiment: Experiment,
    settings: Settings,
    out: Path | None = None,
    *,
    resume: bool = False,
    progress: bool | None = None,
    report: Report = print,
) -> Result:
    """Place nodes, assemble, solve directly, train, measure; leave everything in `out`.

    Parameters
    ----------
    experiment : Experiment
    settings : Settings
        From ``experiment.settings(...)``.
    out : Path, optional
        An existing directory, for ``result.json``, ``history.csv``, ``picture.png`` and
        ``checkpoint.pt``, the last of which is also written while training goes on.
    resume : bool
        Go on from the checkpoint in `out`.
    progress : bool, optional
        As for :func:`dtpinn.fit`.
    report : callable
        Receives a line of text for each part of the run.

    Raises
    ------
    SettingsError
        If the settings ask for nodes or matrices that cannot be.

    Examples
    --------
    >>> from dtpinn.experiments import PROBLEMS
    >>> poisson = PROBLEMS["poisson"]
    >>> result = run(poisson, poisson.settings(nodes=200, epochs=2), report=lambda line: None)
    >>> result.summary()["nodes"]["boundary"] > 30
    True
    """
    prepared = prepare(experiment, settings, report)
    x = fine_points(experiment)
    at_test_points = experiment.measured_at == "test points"
    checkpoint = None if out is None else out / "checkpoint.pt"
    result = fit(
        MLP(prepared.inputs, width=settings.width, depth=settings.depth, seed=settings.seed,
            dtype=settings.torch_dtype, device=settings.device,
            normalise=False),  # raw coordinates, as in the paper
        prepared.problem,
        settings.planned_epochs,
        optimizer=settings.optimizer,
        max_seconds=settings.seconds,
        exact=experiment.exact,
        points=model_points(x, settings).to(settings.torch_dtype) if at_test_points else None,
        progress=progress,
        checkpoint=checkpoint,
        resume=checkpoint if resume else None,
        details=identity(experiment, settings),
    )  # fmt: skip
    result.floor = prepared.floor
    result.details.update(details(experiment, settings, prepared.nodes, prepared.seconds))
    result.details["test_points"] = len(x)
    if not at_test_points:
        error = error_at(x, experiment, settings, result.model)
        result.details["relative_l2_error_at_test_points"] = error
    report(closing_lines(result))
    if out is not None:
        result.save(out)
        report(f"files       {out}/: result.json, history.csv, picture.png, checkpoint.pt")
    return result


@dataclass
class Prepared:
    """What a run has before it trains."""

    nodes: Nodes
    problem: Problem
    floor: float | None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def inputs(self) -> int:
        """Of the model: the coordinates, and the time where there is one."""
        return self.nodes.dimension + (self.problem.times is not None)


def prepare(experiment: Experiment, settings: Settings, report: Report) -> Prepared:
    """Place the nodes, assemble the problem and solve it directly, telling of each."""
    seconds: dict[str, float] = {}
    with timed(seconds, "nodes"):
        nodes = place_nodes(experiment.domain(), count=settings.nodes, seed=settings.seed)
    report(f"nodes       {nodes.interior_count} interior, {nodes.boundary_count} boundary, "
           f"{nodes.ghost_count} ghost; {nodes.quality()}; {seconds['nodes']:.2f} s")  # fmt: skip

    with timed(seconds, "assembly"):
        problem = experiment.problem(settings, nodes)
    times = "" if settings.times is None else f", {settings.times} times"
    report(f"problem     {experiment.name}, {settings.method}, {settings.dtype}, "
           f"order {settings.order}{times}; {seconds['assembly']:.2f} s")  # fmt: skip

    with timed(seconds, "direct_solve"):
        floor = _floor(experiment, settings, nodes, problem, report)
    return Prepared(nodes, problem, floor, seconds)


def _floor(
    experiment: Experiment, settings: Settings, nodes: Nodes, problem: Problem, report: Report
) -> float | None:
    """The relative l2 error of the discrete solution, or None where it cannot be found."""
    exact = experiment.exact(model_points(nodes.collocation, settings))
    if len(exact) > MANY_VALUES:
        report(f"floor       solving the discrete system for {len(exact)} values directly ...")
    start = time.perf_counter()
    try:
        floor = relative_distance(experiment.solve(settings, nodes, problem), exact)
    except RuntimeError as error:  # training does not depend on it
        report(f"floor       none: {error}")
        return None
    report(f"floor       {floor:.2e}, the relative l2 error of the discrete solution; "
           f"{time.perf_counter() - start:.2f} s")  # fmt: skip
    return floor


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Time a part of the preparation; what it finds impossible was asked for in the settings."""
    start = time.perf_counter()
    try:
        yield
    except ValueError as error:
        raise SettingsError(str(error)) from error
    seconds[name] = time.perf_counter() - start
