"""Starts the engine until it is ready for the first job; ``bench`` runs it under a mask.

    python -m bench.start_worker PACK

ends when all graphs that every job needs are compiled. The caller measures its time.
"""

from __future__ import annotations

import sys
from pathlib import Path

from appliance.networks.cache import cache_folder
from appliance.rendering.engine import Engine

if __name__ == "__main__":
    Engine(Path(sys.argv[1]), cache=cache_folder())
