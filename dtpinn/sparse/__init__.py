"""The sparse product: a matrix to hold, and the operators underneath (``torch.ops.dtpinn``).

This floor knows torch and the compiled extension, nothing else of the package, so it can be used
alone by whoever has a constant sparse matrix inside a model.
"""

from dtpinn.sparse.csr import CSR, CSRTranspose
from dtpinn.sparse.stacking import vstack

__all__ = ["CSR", "CSRTranspose", "vstack"]
