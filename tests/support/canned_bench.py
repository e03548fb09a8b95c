"""Made-up results of the bench, with round figures that can be checked by hand."""

from __future__ import annotations

import math
from typing import Any

from bench.roofline import FLOPS


def canned() -> dict[str, Any]:
    """Results under two masks: 20 s of vocal take 2 s under haswell and 1 s under host; FP32 takes twice
    that."""
    jobs = {}
    for mask, seconds in (("haswell", 2.0), ("host", 1.0)):
        for precision, slower in (("INT8", 1.0), ("FP32", 2.0)):
            job = _job(mask, precision, 20.0, seconds * slower)
            jobs[f"{mask} {precision}"] = job
    jobs["song"] = _job("haswell", "INT8", 180.0, 9.0)
    jobs["takes"] = {**_job("haswell", "INT8", 20.0, 5.0), "takes": 3}
    jobs["one core"] = {**_job("haswell", "INT8", 20.0, 3.5), "cores": 1}
    pairs = {"haswell": {"host": 43.21}, "host": {"haswell": 43.21}}
    same = {"haswell": {"host": math.inf}, "host": {"haswell": math.inf}}
    return {
        "machine": {"model": "Test CPU", "cores": 2, "memory_gib": 8.0, "openvino": "1.2.3",
                    "date": "2026-01-02", "load": 0.1},
        "settings": {"short_s": 20.0, "command": "python -m bench"},
        "rounds": 3,
        "took_s": 120.0,
        "masks": {"haswell": "haswell (CPUID masked for every library)", "host": "this CPU, unmasked"},
        "skipped": ["this CPU cannot run as cascadelake: it lacks avx512_vnni"],
        "jobs": jobs,
        "starts": {"cold": {"mask": "haswell", "how": "cold", "wall_s": [4.0, 6.0, 5.0],
                            "peak_bytes": [200 * 2**20], "disk_bytes": [90 * 2**20]}},
        "flops": {"denoiser": {"convolutions": 9_000_000_000, "products": 1_000_000_000,
                               "in_job": 40_000_000_000, "calls_in_job": 4, "audio_s": 20.0}},
        "graphs": {"haswell": _graphs(0.05, 0.1, roof_s=FLOPS / 400e9)},
        "agreement": {"INT8": {"denoiser/velocity": pairs, "window/latent": pairs, "fit/log_odds": same},
                      "notes": {"haswell": {"host": 0.987}, "host": {"haswell": 0.987}}},
        "peers": [
            {"mask": "haswell", "name": "MusicGen small", "seconds": 168.0, "audio_s": 30.0, "rtf": 5.6,
             "times_ours": 112.0, "how": "extrapolated from 10 and 40 of 1500 steps"},
            {"mask": "haswell", "name": "VAE", "missing": "not installed: pip install diffusers"},
            {"mask": "haswell", "name": "eager", "seconds": 0.2, "audio_s": 0.0, "rtf": None,
             "times_ours": 4.0, "how": "one forward pass"},
        ],
    }  # fmt: skip


def _job(mask: str, precision: str, audio_s: float, seconds: float) -> dict[str, Any]:
    return {
        "mask": mask,
        "precision": precision,
        "audio_s": audio_s,
        "takes": 1,
        "cores": 0,
        "wall_s": [seconds, seconds * 1.1, seconds * 0.9],
        "cpu_s": [seconds * 1.5],
        "peak_bytes": [300 * 2**20, 310 * 2**20],
        "stages_s": {"read": [0.1 * seconds], "compose": [0.6 * seconds]},
    }


def _graphs(int8_s: float, fp32_s: float, roof_s: float) -> dict[str, Any]:
    int8 = {"primitives": {"jit_avx2_1x1_I8": 69, "jit_avx2_f32": 2}, "layers": 71, "int8": 69}
    fp32 = {"primitives": {"jit_avx2_1x1_f32": 71}, "layers": 71, "int8": 0}
    return {
        "packs": {
            "INT8": {"seconds": {"denoiser": [int8_s]}, "kernels": {"denoiser": {**int8, "reorders": 141}}},
            "FP32": {"seconds": {"denoiser": [fp32_s]}, "kernels": {"denoiser": {**fp32, "reorders": 109}}},
        },
        "roof": {"int8": [roof_s, 2 * roof_s], "fp32": [2 * roof_s]},
    }
