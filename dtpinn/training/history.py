"""History: what a training run was like, one record at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from dtpinn.output import write_csv
from dtpinn.output.files import StrPath

FIGURES = ("stage", "epoch", "evaluations", "seconds", "loss")


@dataclass(frozen=True)
class Record:
    """The state at the end of an epoch.

    Attributes
    ----------
    stage : int
        Which optimiser made it, counted from 1.
    epoch : int
        Steps so far, of all stages.
    evaluations : int
        Calls of the closure so far: losses with their gradients.
    seconds : float
        Training alone: neither the evaluation of these figures nor that of the error is in it.
    loss : float
        At the end of the epoch.
    parts : dict of str to float
        The mean squares that the loss is the sum of, by residual.
    error : float or None
        Relative l2 error on the test points, where the solution is known.
    coefficients : dict of str to float
        Unknown coefficients of the PDE, those that are single numbers.
    """

    stage: int
    epoch: int
    evaluations: int
    seconds: float
    loss: float
    parts: dict[str, float]
    error: float | None = None
    coefficients: dict[str, float] = field(default_factory=dict)


@dataclass
class History:
    """Records in the order of the epochs; its columns by name, as lists.

    Examples
    --------
    >>> history = History([Record(1, 1, 20, 0.5, 2.0, {"pde": 1.5, "boundary": 0.5}, 0.1)])
    >>> history.column("loss"), history.column("pde"), len(history)
    ([2.0], [1.5], 1)
    >>> history.best.error
    0.1
    """

    records: list[Record] = field(default_factory=list)

    def append(self, record: Record) -> None:
        """Add the next record.

        Raises
        ------
        ValueError
            If two of its columns would have one name.
        """
        if not self.records:
            _check_names(record)
        self.records.append(record)

    def __repr__(self) -> str:
        last = f", the last: {self.records[-1]}" if self.records else ""
        return f"History({len(self)} records{last})"

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __getitem__(self, index: int) -> Record:
        return self.records[index]

    @property
    def columns(self) -> list[str]:
        """Names of the columns: the figures, the parts of the loss, the error, coefficients."""
        first = self.records[0] if self.records else None
        parts, coefficients = (first.parts, first.coefficients) if first else ({}, {})
        return [*FIGURES, *parts, "error", *coefficients]

    def column(self, name: str) -> list[Any]:
        """Return one column, from the first record to the last."""
        if name not in self.columns:
            raise KeyError(f"history has no column {name!r}; it has {', '.join(self.columns)}")
        return [{**vars(r), **r.parts, **r.coefficients}[name] for r in self.records]

    @property
    def best(self) -> Record | None:
        """The record of the lowest error, or None where the solution is not known."""
        known = [r for r in self.records if r.error is not None]
        return min(known, key=lambda r: r.error or 0.0) if known else None

    def write(self, path: StrPath) -> None:
        """Write all columns as CSV."""
        write_csv(path, self.columns, zip(*map(self.column, self.columns), strict=True))

    def state(self) -> list[dict[str, Any]]:
        """Return the records as plain data, for a checkpoint."""
        return [asdict(record) for record in self.records]

    @classmethod
    def from_state(cls, state: list[dict[str, Any]]) -> History:
        """Rebuild a history from a checkpoint's data."""
        return cls([Record(**record) for record in state])


def _check_names(record: Record) -> None:
    """Refuse a coefficient, or a part of the loss, that hides another column of its name."""
    taken = {*FIGURES, "error"}
    for what, names in (("residual", record.parts), ("coefficient", record.coefficients)):
        if hidden := sorted(taken & set(names)):
            raise ValueError(
                f"history: the PDE's {what} {hidden[0]!r} has the name of another column; columns "
                f"are {', '.join([*FIGURES, *record.parts, 'error'])}. Rename the {what}"
            )
        taken |= set(names)
