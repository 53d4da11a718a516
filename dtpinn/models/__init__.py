"""Networks: functions of points, with parameters."""

from dtpinn.models.mlp import MLP

__all__ = ["MLP"]
