"""Networks: functions of points, with parameters."""

from dtpinn.models.mlp import MLP
from dtpinn.models.normalising import Normalisation, Normalised

__all__ = ["MLP", "Normalisation", "Normalised"]
