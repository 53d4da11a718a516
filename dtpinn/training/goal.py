"""Goal: a training that ends when the model is as right as it was asked to be."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator

from torch import nn

from dtpinn.optim import DefectCorrection
from dtpinn.problem import DiscreteProblem, Problem
from dtpinn.problem.exact_twin import exact_twin
from dtpinn.problem.jacobian.last_layer import LastLayer
from dtpinn.training.history import History
from dtpinn.training.result import Result
from dtpinn.training.stalled import generators_kept

STAGES = ("gauss-newton", "defect-correction")
"""The optimisers of a run that is asked for a tolerance and for no others."""
EPOCHS = (100, 5000)
# Weights of the last layer for each field from which on these come first, by themselves: that may
# then be enough. Of fewer it makes large weights, which later stages have to undo.
_WIDE, _FIRST, _FIRST_EPOCHS = 128, "last-layer", 15
# Estimates that miss by this factor still keep the promise; where there are fewer equations than
# these for each parameter, a network fits the nodes better than what lies between them, on the
# boundary above all, and estimates were up to six times too low.
SAFETY, SAFETY_OF_FEW, FEW = 2.0, 6.0, 4
# By what factor the loss falls from one look at the error to the next: a look is a direct solve.
_FALLS = 4.0
# How many times more a model leaves between the nodes than at them where these are too few for it.
_BETWEEN = 3.0


class NotReached(UserWarning):
    """A training has ended before the model was as right as it was asked to be."""


def stages_towards(problem: Problem, model: nn.Module) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the optimisers that reach a tolerance with a model, and the epochs of each."""
    try:
        layer = LastLayer(exact_twin(problem, model), model)
    except ValueError:  # there is no such layer, or on periodic nodes no exact residual
        return STAGES, EPOCHS
    if layer.parameters[0].shape[1] < _WIDE:
        return STAGES, EPOCHS
    return (_FIRST, STAGES[-1]), (_FIRST_EPOCHS, EPOCHS[-1])


class Goal:
    """A tolerance, and what tells whether a model meets it.

    Parameters
    ----------
    tolerance : float
        Relative l2 error, as :attr:`dtpinn.problem.Estimate.error` tells it.
    problem : Problem
    model : nn.Module

    Attributes
    ----------
    safety : float
        What the estimate is multiplied by before it is believed.

    Raises
    ------
    ValueError
        If the tolerance is not positive, or the error is not to be told of such a problem.
    """

    def __init__(self, tolerance: float, problem: Problem, model: nn.Module) -> None:
        # not <=: false for NaN
        if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float)):
            raise ValueError(f"fit: tolerance must be a number, got {tolerance!r}")
        if not 0.0 < tolerance < math.inf:
            raise ValueError(f"fit: tolerance must be positive and finite, got {tolerance!r}")
        self.tolerance, self._model = tolerance, model
        self._problem = _telling(problem)
        learnt = sum(p.numel() for p in model.parameters() if p.requires_grad)
        equations = sum(len(r.points) * r.equations for r in problem.posed.everywhere)
        self.safety = SAFETY if equations >= FEW * learnt else SAFETY_OF_FEW

    def errors(self) -> tuple[float, float] | None:
        """Return the error by the residual at the nodes, and by that between them."""
        with warnings.catch_warnings(), generators_kept(self._problem):
            warnings.simplefilter("ignore")
            return self._problem.errors_by_defect(self._model)

    def reached(self, history: History) -> float | None:
        """Return the error at the last record, if it is time to look and the goal is reached."""
        if not _is_due(history) or (found := self.errors()) is None:
            return None
        error = max(found)
        return error if self.safety * error <= self.tolerance else None

    def warn_unless_reached(self, result: Result) -> None:
        """Warn, with what stands in the way and what to do about it.

        Warns
        -----
        NotReached
        """
        found = self.errors()
        told = "the error cannot be estimated"
        if found is not None:
            result.estimated_error = max(found)
            if self.safety * result.estimated_error <= self.tolerance:
                return
            told = f"the relative l2 error is about {result.estimated_error:.1e}"
        warnings.warn(
            f"fit: {told}, and {self.tolerance:.1e} was asked for. "
            f"{'; '.join(_remedies(result, found))}",
            NotReached,
            stacklevel=5,
        )


def _telling(problem: Problem) -> DiscreteProblem:
    """The problem, if it tells the error of a model."""
    if isinstance(problem, DiscreteProblem) and problem.tells_errors:
        return problem
    raise ValueError(
        "fit: tolerance needs a problem that tells how wrong a model is: a steady one in float64 "
        "from dtpinn.discretize, without operators of your own. Leave the tolerance out, and ask "
        "problem.estimate(model) afterwards"
    )


def _is_due(history: History) -> bool:
    """Whether the loss has fallen enough since the last look, by the history alone.

    So a run that goes on from a checkpoint looks when the uninterrupted one would have. A stage has
    a loss of its own.
    """
    due, stage, mark = False, 0, math.inf
    for record in history:
        if record.stage != stage:
            stage, mark = record.stage, math.inf
        due = record.loss <= mark / _FALLS
        mark = record.loss if due else mark
    return due


def _remedies(result: Result, found: tuple[float, float] | None) -> Iterator[str]:
    """What may get further."""
    last = result.stages[-1]
    if last.optimizer != DefectCorrection.__name__:
        yield 'End with optimizer="defect-correction", which goes below the floor of the matrices'
    if getattr(result.optimizer, "stop_reason", None) is None:
        yield "The optimiser had not come to its end: give it more epochs or seconds"
        return
    if found is not None and found[1] > _BETWEEN * found[0]:
        yield (
            f"Between the nodes the model leaves {found[1] / found[0]:.1f} times as much as at "
            "them: use a smaller spacing, or a smaller network"
        )
        return
    yield (
        f"The optimiser has come to its end ({last.stop_reason}): use a wider network, another "
        "seed, or a higher order"
    )
