"""Reference backends of the sparse product: oracles for the tests, rivals in the benchmarks.

Each is built from a ``dtpinn.CSR`` and multiplies as it does, with a library in place of our
kernels: SciPy on the CPU, CuPy on the GPU as the paper has it, torch on both. They are kept for
good, and kept plain; SciPy and CuPy are imported when an operator is built.
"""

from dtpinn.reference.cupy_backend import CuPyProduct, cupy_unavailable
from dtpinn.reference.product import Product
from dtpinn.reference.scipy_backend import SciPyProduct
from dtpinn.reference.torch_backend import TorchProduct

__all__ = ["CuPyProduct", "Product", "SciPyProduct", "TorchProduct", "cupy_unavailable"]
