"""Where CUDA's tools are: on the PATH, in a toolkit, or in wheels.

python -m tests.cuda.toolkit nvcc
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

MISSING = "no {} on this machine (pip install '.[cuda-tools]' brings one)"


def places() -> list[Path]:
    toolkits = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda"]
    nvidia = importlib.util.find_spec("nvidia")  # a namespace: each of the wheels adds to it
    wheels = [] if nvidia is None else nvidia.submodule_search_locations or []
    return [Path(toolkit, "bin") for toolkit in toolkits if toolkit] + [
        folder for wheel in wheels for folder in sorted(Path(wheel).glob("cu*/bin"), reverse=True)
    ]


def find(tool: str) -> str | None:
    """``nvcc``, ``nvdisasm`` or ``cuobjdump`` -> the program's path, None where there is none."""
    return shutil.which(tool) or shutil.which(tool, path=os.pathsep.join(map(str, places())))


def main(tool: str) -> int:
    """Print the program's path, or that there is none."""
    found = find(tool)
    print(found or MISSING.format(tool))
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
