"""From nothing to ready for a first job, as the command starts: run under a mask by ``bench``.

    python -m bench.start_worker PACK

ends when all graphs that every job needs are compiled. Its seconds are taken from outside.
"""

from __future__ import annotations

import sys
from pathlib import Path

from appliance.networks.cache import cache_folder
from appliance.rendering.engine import Engine

if __name__ == "__main__":
    Engine(Path(sys.argv[1]), cache=cache_folder())
