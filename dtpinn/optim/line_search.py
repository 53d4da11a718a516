"""A step length that satisfies the strong Wolfe conditions, by bracketing and zooming.

Along a descent direction d from x let phi(t) = f(x + t d). A step t is accepted when

    phi(t) <= phi(0) + c1 t phi'(0)      (sufficient decrease)
    |phi'(t)| <= c2 |phi'(0)|            (curvature)

which makes s . y > 0, so that the pair can enter the L-BFGS memory. Nocedal and Wright, *Numerical
Optimization*, 2nd edition, section 3.5, algorithms 3.5 (bracket) and 3.6 (zoom).

Close to a minimum phi(t) - phi(0) drowns in rounding while the slope is still known to many
digits. There the decrease is judged by the slope instead: Hager and Zhang's approximate Wolfe
condition phi'(t) <= (2 c1 - 1) phi'(0), asked where phi(t) is within `noise` of phi(0) (SIAM J.
Optim. 16, 2005, equation 4.1; they ask it everywhere, which lets steps through that gain nothing).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

Phi = Callable[[float], tuple[float, float]]


class Trial(NamedTuple):
    """A step length with phi and phi' there."""

    t: float
    value: float
    slope: float

    @property
    def finite(self) -> bool:
        """Whether both numbers can be computed with."""
        return math.isfinite(self.value) and math.isfinite(self.slope)


class LineSearch(NamedTuple):
    """What a search found.

    Attributes
    ----------
    best : Trial
        The accepted step; `t == 0` if no step gave a sufficient decrease.
    evaluations : int
        How often phi was called.
    satisfied : bool
        Whether `best` meets both conditions. With `best.t > 0` and `satisfied` false it gives
        sufficient decrease only.
    """

    best: Trial
    evaluations: int
    satisfied: bool


def strong_wolfe(
    phi: Phi,
    value: float,
    slope: float,
    first: float,
    *,
    c1: float = 1e-4,
    c2: float = 0.9,
    max_evaluations: int = 25,
    noise: float = 0.0,
) -> LineSearch:
    """Search for a step that satisfies the strong Wolfe conditions.

    Parameters
    ----------
    phi : callable
        t -> (phi(t), phi'(t)). Infinite and NaN values are allowed: the step is then shrunk.
    value, slope : float
        phi(0) and phi'(0).
    first : float
        The first step to try.
    c1, c2 : float
        The constants of the two conditions, 0 < c1 < c2 < 1.
    max_evaluations : int
        The search gives up after so many calls of phi.
    noise : float
        The rounding error of phi, an absolute number.

    Returns
    -------
    LineSearch

    Raises
    ------
    ValueError
        If `slope` is not negative, `first` is not positive, or c1 and c2 are out of order.

    Examples
    --------
    >>> found = strong_wolfe(lambda t: ((t - 3.0) ** 2, 2.0 * (t - 3.0)), 9.0, -6.0, first=1.0)
    >>> found.best.t, found.satisfied
    (1.0, True)
    """
    if not slope < 0.0:
        raise ValueError(f"strong_wolfe: expected a descent direction, got the slope {slope:g}")
    if not 0.0 < first < math.inf:
        raise ValueError(f"strong_wolfe: expected a positive first step, got first = {first:g}")
    if not 0.0 < c1 < c2 < 1.0:
        raise ValueError(f"strong_wolfe: expected 0 < c1 < c2 < 1, got c1 = {c1:g}, c2 = {c2:g}")
    search = _Search(phi, Trial(0.0, value, slope), c1, c2, noise, max_evaluations)
    return search.bracket(first)


class _Search:
    """The two algorithms, which share the origin, the conditions and the budget."""

    def __init__(
        self, phi: Phi, origin: Trial, c1: float, c2: float, noise: float, budget: int
    ) -> None:
        self.phi, self.origin, self.budget = phi, origin, budget
        self.c1, self.c2, self.noise = c1, c2, noise
        self.evaluations = 0

    def bracket(self, t: float) -> LineSearch:
        """Algorithm 3.5: lengthen the step until an acceptable one lies behind it."""
        previous = self.origin
        while self.evaluations < self.budget:
            trial = self.evaluate(t)
            # phi(t) >= phi(t_previous) is tested up to the noise, or flat valleys would look steep
            rises = previous.t > 0.0 and trial.value >= previous.value + self.noise
            if not self.decreases(trial) or rises:
                return self.zoom(previous, trial)
            if self.flat(trial):
                return self.found(trial, satisfied=True)
            if trial.slope >= 0.0:
                return self.zoom(trial, previous)
            gap = trial.t - previous.t
            t = _cubic_minimiser(previous, trial, trial.t + 1.1 * gap, trial.t + 4.0 * gap)
            previous = trial
        return self.found(previous, satisfied=False)

    def zoom(self, low: Trial, high: Trial) -> LineSearch:
        """Algorithm 3.6: narrow [low, high], which holds acceptable steps, around one of them.

        `low` is the best step so far that decreases phi, and phi falls from it towards `high`.
        """
        shrank = True
        while self.evaluations < self.budget:
            width = abs(high.t - low.t)
            if width <= 1e-15 * max(low.t, high.t):
                break  # neighbouring numbers: nothing in between
            trial = self.evaluate(_inside(low, high, bisect=not shrank))
            if not self.decreases(trial) or trial.value >= low.value + self.noise:
                high = trial
            else:
                if self.flat(trial):
                    return self.found(trial, satisfied=True)
                if trial.slope * (high.t - low.t) >= 0.0:
                    high = low
                low = trial
            # An end that interpolation never moves makes convergence arbitrarily slow: then bisect.
            shrank = abs(high.t - low.t) <= 0.66 * width
        return self.found(low, satisfied=False)

    def evaluate(self, t: float) -> Trial:
        self.evaluations += 1
        return Trial(t, *self.phi(t))

    def decreases(self, trial: Trial) -> bool:
        """Sufficient decrease, by value or (within the noise) by slope; no for NaN."""
        if not trial.finite:
            return False
        change = trial.value - self.origin.value
        by_slope = trial.slope <= (2.0 * self.c1 - 1.0) * self.origin.slope
        return change <= self.c1 * trial.t * self.origin.slope or (
            by_slope and abs(change) <= self.noise
        )

    def flat(self, trial: Trial) -> bool:
        return abs(trial.slope) <= -self.c2 * self.origin.slope

    def found(self, best: Trial, *, satisfied: bool) -> LineSearch:
        if not satisfied and best.value >= self.origin.value:
            best = self.origin  # neither conditions met nor anything gained
        return LineSearch(best, self.evaluations, satisfied)


def _inside(low: Trial, high: Trial, *, bisect: bool) -> float:
    """The next trial between the ends: never within a tenth of the width of either."""
    width = high.t - low.t
    if not high.finite:
        return low.t + 0.1 * width  # overflow: how far away the good steps are is unknown
    if bisect:
        return low.t + 0.5 * width
    ends = sorted((low.t + 0.1 * width, high.t - 0.1 * width))
    return _cubic_minimiser(low, high, *ends)


def _cubic_minimiser(a: Trial, b: Trial, lower: float, upper: float) -> float:
    """The minimiser of the cubic through two trials and their slopes, clipped to an interval.

    Nocedal and Wright, equation 3.59. Where the cubic has no minimiser: the middle of the
    interval if it lies between the trials, else its far end, since phi still falls there.
    """
    outside = lower > max(a.t, b.t)
    fallback = upper if outside else 0.5 * (lower + upper)
    d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0.0:  # negative, or NaN
        return fallback
    d2 = math.copysign(math.sqrt(square), b.t - a.t)
    denominator = b.slope - a.slope + 2.0 * d2
    if denominator == 0.0:
        return fallback
    t = b.t - (b.t - a.t) * (b.slope + d2 - d1) / denominator
    if outside and t <= b.t:  # a minimum behind us is no place to extrapolate to
        return fallback
    return min(max(t, lower), upper)
