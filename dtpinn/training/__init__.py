"""Training: fit a model to a problem, with a history, checkpoints and a stop reason."""

from dtpinn.training.fitting import fit
from dtpinn.training.history import History, Record
from dtpinn.training.result import Result

__all__ = ["History", "Record", "Result", "fit"]
