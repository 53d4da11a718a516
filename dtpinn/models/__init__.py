"""Networks from points to the solution, and what makes any network see points of size 1."""

from dtpinn.models.by_name import NETWORKS
from dtpinn.models.fourier import FourierMLP
from dtpinn.models.fused import tanh_network, tanh_network_jacobian, tanh_network_tangents
from dtpinn.models.hard_boundary import HardBoundary
from dtpinn.models.mlp import MLP
from dtpinn.models.network import Network
from dtpinn.models.normalisation import Normalisation, Normalised
from dtpinn.models.periodic import PeriodicMLP
from dtpinn.models.residual import ResidualMLP
from dtpinn.models.siren import Siren

__all__ = [
    "MLP",
    "NETWORKS",
    "FourierMLP",
    "HardBoundary",
    "Network",
    "Normalisation",
    "Normalised",
    "PeriodicMLP",
    "ResidualMLP",
    "Siren",
    "tanh_network",
    "tanh_network_jacobian",
    "tanh_network_tangents",
]
