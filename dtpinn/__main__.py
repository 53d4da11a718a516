"""``python -m dtpinn`` is the command ``dtpinn``."""

import sys

from dtpinn.cli import main

if __name__ == "__main__":
    sys.exit(main())
