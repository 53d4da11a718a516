"""Errors of the direct solve over spacings and seeds, and what is asked of them."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np

import dtpinn
from tests.answers.known.question import Array, Question

ROUNDING = 1e-8  # of a polynomial's solution; also below which ratios of errors say nothing
OUTLIER = 3.0  # the largest error of the seeds over their median


@cache
def cloud(question: Question, spacing: float, seed: int) -> tuple[dtpinn.Nodes, Array]:
    """Nodes, and the answer on them; the same for all orders."""
    nodes = dtpinn.place_nodes(question.domain, spacing=spacing, seed=seed)
    return nodes, question.answer(nodes.collocation)


def error(question: Question, order: int, spacing: float, seed: int) -> float:
    """Relative l2 error of the direct solve where the question is judged.

    A polynomial is solved without a warning. Others may be unresolved at a corner, and told so.
    """
    nodes, answer = cloud(question, spacing, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("error" if question.polynomial else "ignore")
        u = dtpinn.discretize(question.equation(), nodes, order=order).solve().numpy()
    judged = slice(None) if question.judged is None else question.judged(nodes.collocation)
    return float(np.linalg.norm((u - answer)[judged]) / np.linalg.norm(answer[judged]))


def errors(question: Question, order: int, spacings: tuple[float, ...], seeds: range) -> Array:
    """One row for each spacing, one column for each seed."""
    return np.array([[error(question, order, h, seed) for seed in seeds] for h in spacings])


def observed(spacings: tuple[float, ...], table: Array) -> float:
    """The power of the spacing with which the median of the seeds falls, by least squares."""
    return float(np.polyfit(np.log(spacings), np.log(np.median(table, axis=1)), 1)[0])


def faults(question: Question, order: int, spacings: tuple[float, ...], table: Array) -> list[str]:
    """What is wrong with the errors, in words; empty where nothing is."""
    if not np.isfinite(table).all():
        return ["not a number"]
    if question.polynomial:
        return [] if table.max() < ROUNDING else [f"no rounding: {table.max():.1e}"]
    found = []
    apart = table.max(axis=1) / np.median(table, axis=1)
    if (apart[table.max(axis=1) > ROUNDING] > OUTLIER).any():
        found.append(f"an outlier: {apart.max():.1f} times the median")
    expected = min(order, question.rate)
    # Of fewer seeds the median wanders where the solution is singular.
    enough = table.shape[1] > 2 and table.min() > ROUNDING
    if enough and (power := observed(spacings, table)) < 0.5 * expected:
        found.append(f"falls as h**{power:.1f}, expected is h**{expected:.1f}")
    if order == 4 and (last := np.median(table[-1])) > question.within:
        found.append(f"{last:.1e} at the last spacing, where {question.within:.1e} is allowed")
    return found


def shown(spacings: tuple[float, ...], table: Array) -> str:
    """The errors, a line for each spacing."""
    lines = zip(spacings, table, strict=True)
    return "\n".join(f"h = {h:g}: " + " ".join(f"{e:.1e}" for e in row) for h, row in lines)
