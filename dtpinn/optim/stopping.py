"""Why an optimiser stops, in one sentence each; None where it need not."""

from __future__ import annotations

import math


def small_gradient(steepest: float, tolerance: float) -> str | None:
    """The largest entry of the gradient is not above the tolerance.

    Examples
    --------
    >>> small_gradient(1e-12, 1e-10)
    'gradient below tolerance: its largest entry is 1e-12, tolerance_gradient is 1e-10'
    """
    if steepest > tolerance:
        return None
    return (
        f"gradient below tolerance: its largest entry is {steepest:.3g}, tolerance_gradient is "
        f"{tolerance:.3g}"
    )


def small_slope(slope: float, tolerance: float) -> str | None:
    """A unit step along a direction of this slope promises too little."""
    if -slope > tolerance:
        return None
    return (
        f"change below tolerance: a unit step promises to lower the loss by {-slope:.3g}, "
        f"tolerance_change is {tolerance:.3g}"
    )


def small_change(change: float, moved: float, tolerance: float) -> str | None:
    """An iteration changed the loss, or every parameter, by too little."""
    if moved > tolerance and change >= tolerance:
        return None
    return (
        f"change below tolerance: the last iteration changed the loss by {change:.3g} and no "
        f"parameter by more than {moved:.3g}, tolerance_change is {tolerance:.3g}"
    )


def not_finite(loss: float, steepest: float, *, moved_back: bool) -> str:
    """The loss, or an entry of its gradient, became infinite or NaN."""
    finite = math.isfinite(loss)
    what, value = ("the gradient's largest entry", steepest) if finite else ("the loss", loss)
    where = "before any move from here"
    if moved_back:
        where = "the parameters are back where it was finite; a smaller lr may help"
    return f"loss not finite: {what} became {value} ({where})"


def no_decrease(evaluations: int, loss: float) -> str:
    """A line search along the steepest descent came back with nothing."""
    return (
        f"line search found no decrease: {evaluations} steps along the steepest descent did not "
        f"lower the loss {loss:.6g}"
    )


def not_twice(before: float, again: float, digits: float) -> str | None:
    """The loss at the very same parameters has become another number.

    Examples
    --------
    >>> not_twice(1.0, 1.25, 1e-9)
    'the loss is not the same twice at the same parameters: it was 1, and now is 1.25; optimisers \
that compare losses need dropout in eval mode (model.eval()) and residuals that draw no numbers'
    """
    if not abs(again - before) > digits * abs(before):
        return None
    return (
        f"the loss is not the same twice at the same parameters: it was {before:.6g}, and now is "
        f"{again:.6g}; optimisers that compare losses need dropout in eval mode (model.eval()) and "
        "residuals that draw no numbers"
    )


def no_step(loss: float, damping: float, taken: int, rows: int) -> str:
    """Even the most cautious step of Gauss-Newton, from some or all rows, lowers no loss.

    Examples
    --------
    >>> no_step(1.5, 1e12, 20, 100)[69:]
    'Drawn were 20 of 100 rows at a time; more of them may find one'
    """
    told = "It is at a minimum, as far as rounding lets one tell"
    if taken < rows:
        told = f"Drawn were {taken} of {rows} rows at a time; more of them may find one"
    return (
        f"no step lowers the loss {loss:.6g}: the damping has been raised to {damping:.1e}. {told}"
    )


def small_fraction(before: float, after: float, tolerance: float) -> str | None:
    """An iteration lowered the loss by too small a fraction of it."""
    if before - after >= tolerance * before:
        return None
    return (
        f"change below tolerance: the last iteration lowered the loss by {1 - after / before:.3g} "
        f"of itself, tolerance_change is {tolerance:.3g}"
    )


def stagnation(before: float, after: float, iterations: int, least: float) -> str | None:
    """So many iterations have lowered the loss by too small a fraction of it.

    Examples
    --------
    >>> stagnation(1.0, 0.5, 100, 0.1)
    >>> stagnation(1.0, 0.95, 100, 0.1)
    'the residual no longer falls: the last 100 iterations lowered the loss by 5%, to 0.95'
    """
    if after <= (1.0 - least) * before:
        return None
    return (
        f"the residual no longer falls: the last {iterations} iterations lowered the loss by "
        f"{100 * (1 - after / before):.2g}%, to {after:.3g}"
    )
