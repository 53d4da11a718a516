"""Where errors are measured: collocation points and test points, at all times."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from dtpinn.experiments.experiment import Experiment, slices
from dtpinn.experiments.settings import Settings
from dtpinn.nodes import place_nodes
from dtpinn.problem.time_slices import TimeSlices

TEST_POINTS = 21748  # as many as the paper's test set, to half a percent
TEST_SEED = 1_000_003  # no seed that a run is likely to have


def model_points(x: np.ndarray, settings: Settings) -> Tensor:
    """Return points (n, d) as a model takes them: with all times, node-major, in space-time.

    Examples
    --------
    >>> model_points(np.ones((1, 2)), Settings(times=3))
    tensor([[1.0000, 1.0000, 0.0000],
            [1.0000, 1.0000, 0.5000],
            [1.0000, 1.0000, 1.0000]], dtype=torch.float64)
    """
    return TimeSlices(slices(settings)).inputs(torch.tensor(x, device=settings.device))


def fine_points(experiment: Experiment) -> np.ndarray:
    """Return a fine set of points in space, the same for every run: (n, d)."""
    return place_nodes(experiment.domain(), count=TEST_POINTS, seed=TEST_SEED).collocation


def error_at(x: np.ndarray, experiment: Experiment, settings: Settings, model: nn.Module) -> float:
    """Return the relative l2 error at points (n, d) of space, at all times.

    In as many pieces as there are times: the test points at once are half a million.
    """
    distance = size = 0.0
    for piece in np.array_split(x, settings.times or 1):
        points = model_points(piece, settings).to(settings.torch_dtype)
        wanted = experiment.exact(points)
        with torch.no_grad():
            distance += float((model(points).reshape(wanted.shape) - wanted).square().sum())
        size += float(wanted.square().sum())
    return math.sqrt(distance / size)
