"""What an experiment has before it trains: nodes, matrices, and the floor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dtpinn.experiments.experiment import Experiment
from dtpinn.experiments.measuring import model_points
from dtpinn.experiments.settings import Settings, SettingsError
from dtpinn.nodes import Nodes, place_nodes
from dtpinn.problem import Problem
from dtpinn.problem.relative_error import relative_distance

MANY_VALUES = 20_000  # above which the direct solve lasts long enough to be announced
Report = Callable[[str], None]


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
