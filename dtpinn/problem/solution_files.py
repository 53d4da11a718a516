"""A discrete solution in a file: everything (.npz), a table (.csv), or fields to look at (.vtu)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.nodes import Nodes
from dtpinn.nodes.archive import arrays_of, nodes_from, read_archive
from dtpinn.output import replacing, write_csv
from dtpinn.problem import between_slices

AXES = ("x", "y", "z")
SUFFIXES = (".npz", ".csv", ".vtu")


class Held(NamedTuple):
    """What a file holds of a solution.

    Attributes
    ----------
    values : (n,) or (n, fields) array
        On X, at all times of the first node, then of the second.
    nodes : Nodes
    order : int
    times : (n_times,) Tensor or None
    names : tuple of str
        Of the fields.
    path : between_slices.Path or None
    beyond : (ghosts,) or (ghosts, fields) Tensor, or None
        Values on the ghosts.
    """

    values: Floats
    nodes: Nodes
    order: int
    times: Tensor | None
    names: tuple[str, ...]
    path: between_slices.Path | None
    beyond: Tensor | None


def write_solution(path: Path, held: Held, points: Tensor) -> None:
    """Write a solution; ``points`` are those of its rows."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(
            "a solution is saved as .npz (exact), .csv (text) or .vtu (for ParaView); got "
            f"{str(path)!r}"
        )
    values, nodes, order, times, names, passed, beyond = held
    columns = values.reshape(len(values), -1)
    if suffix == ".npz":
        more: dict[str, Any] = {
            "solution": values,
            "order": np.array(order),
            "names": np.array(names),
        }
        if times is not None:
            more["times"] = times.numpy()
        if passed is not None:
            more |= {f"path_{name}": part for name, part in passed._asdict().items()}
        if beyond is not None:
            more["beyond"] = beyond.numpy()
        with replacing(path) as file:
            np.savez(file, **arrays_of(nodes), **more)
    elif suffix == ".csv":
        header = [*AXES[: nodes.dimension], *["t"] * (times is not None), *names]
        write_csv(path, header, np.column_stack([points.numpy(), columns]).tolist())
    elif times is None:
        nodes.save(path, dict(zip(names, columns.T, strict=True)))
    else:
        slices = columns.reshape(nodes.count, len(times), -1)
        nodes.save(
            path,
            {
                f"{name} at t = {t:g}": slices[:, number, field]
                for number, t in enumerate(times.tolist())
                for field, name in enumerate(names)
            },
        )


def read_solution(path: Path) -> Held:
    """Return what a file holds.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it holds no solution.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    found = read_archive(path)
    of_path = [f"path_{name}" for name in between_slices.Path._fields]
    wanted = {"solution", "order", "names", *(of_path if "times" in found else ())}
    if not wanted <= found.keys():
        raise ValueError(
            f"{str(path)!r} does not hold a solution, as Solution.save leaves it in a .npz file; "
            f"it holds {', '.join(found) or 'nothing'}"
        )
    nodes, names = Nodes(**nodes_from(found, path)), tuple(str(name) for name in found["names"])
    times = torch.from_numpy(found["times"]) if "times" in found else None
    passed = None if times is None else between_slices.Path(*(found[name] for name in of_path))
    beyond = torch.from_numpy(found["beyond"]) if "beyond" in found else None
    return Held(found["solution"], nodes, int(found["order"]), times, names, passed, beyond)
