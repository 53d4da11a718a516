"""The convergence panel: loss and error against the work done, and the floor beneath them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's blue and vermilion: told apart with any colour vision, and in grey.
CURVES = {"loss": ("loss", "#0072B2"), "error": ("relative l2 error", "#D55E00")}
GREY = "#666666"


def draw_convergence(
    ax: Axes, history: Mapping[str, Sequence[float]], floor: float | None = None
) -> None:
    """Draw loss and error on a logarithmic axis, each named at its curve.

    Parameters
    ----------
    ax : matplotlib Axes
    history : mapping
        "evaluations" or "epoch", "loss", and perhaps "error": sequences of one length. With "stage"
        (1, 1, ..., 2, ...) it is told where another optimiser took over.
    floor : float, optional
        The discretisation's error, a dashed line.

    Raises
    ------
    ValueError
        If a sequence is missing or of another length.
    """
    against = next((key for key in ("evaluations", "epoch") if key in history), None)
    if against is None or "loss" not in history:
        raise ValueError(
            "draw_convergence: expected the sequences 'evaluations' (or 'epoch') and 'loss', got "
            f"{', '.join(map(repr, history)) or 'none'}"
        )
    x = _numbers(history, against, None)
    ax.set_yscale("log", nonpositive="mask")
    for key, (_, colour) in CURVES.items():
        if key in history:
            y = _numbers(history, key, len(x))
            ax.plot(x, y, color=colour, linewidth=1.2)
    if floor is not None and floor > 0.0:
        ax.axhline(floor, color=GREY, linewidth=0.9, linestyle=(0, (5, 3)), zorder=1)
    _mark_stages(ax, x, history.get("stage", ()))
    ax.set_title("convergence", loc="left")
    ax.set_xlabel(against)
    ax.margins(x=0.02)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", linewidth=0.4, alpha=0.35)
    ax.minorticks_off()
    _label(ax, history, floor)


def _mark_stages(ax: Axes, x: npt.NDArray[Any], stages: Sequence[float]) -> None:
    """A line where a stage ended, with the number of the next one at its top."""
    for end, (stage, following) in enumerate(pairwise(stages)):
        if following != stage:
            ax.axvline(x[end], color=GREY, linewidth=0.6, alpha=0.6, zorder=1)
            ax.annotate(
                f"stage {following}",
                xy=(x[end], 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(2, -1),
                textcoords="offset points",
                va="top",
                color=GREY,
                fontsize=7,
            )


def _numbers(history: Mapping[str, Any], key: str, length: int | None) -> npt.NDArray[Any]:
    values = np.array([np.nan if v is None else float(v) for v in history[key]])
    if length is not None and len(values) != length:
        raise ValueError(
            f"draw_convergence: expected {length} values of {key!r}, one for each step, got "
            f"{len(values)}"
        )
    return values


def _label(ax: Axes, history: Mapping[str, Any], floor: float | None) -> None:
    """Names beside the right ends of the curves, moved apart where they would touch."""
    ends: list[tuple[float, str, str]] = []
    for key, (name, colour) in CURVES.items():
        values = _numbers(history, key, None) if key in history else np.array([])
        shown = values[np.isfinite(values) & (values > 0.0)]
        if len(shown):
            ends.append((float(shown[-1]), name.replace(" ", "\n", 1), colour))
    if floor is not None and floor > 0.0:
        ends.append((floor, f"floor\n{floor:.1e}", GREY))
    ends.sort()
    bottom, top = np.log(ax.get_ylim())
    heights = _apart([(float(np.log(end[0])) - bottom) / (top - bottom) for end in ends], gap=0.12)
    for height, (_, name, colour) in zip(heights, ends, strict=True):
        ax.annotate(
            name,
            xy=(1.02, height),
            xycoords="axes fraction",
            color=colour,
            va="center",
            fontsize=7.5,
            linespacing=1.0,
        )


def _apart(heights: list[float], gap: float) -> list[float]:
    """Ascending heights, each at least `gap` above the one before, shifted as little as needed."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + gap) if placed else height)
    # Pushing only upwards biases the group: move it down by the mean of what it was pushed.
    shift = float(np.mean(np.array(placed) - np.array(heights))) if heights else 0.0
    return [height - shift for height in placed]
