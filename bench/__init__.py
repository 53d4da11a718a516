"""Programs and benchmarks of a checkout; its files import each other by plain name.

That is how ``python bench/gpu_report.py`` and pytest find them. ``python -m bench.gpu_report`` puts
the checkout alone on the path, hence the line below.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
