"""The pack's graphs: compiled for this CPU, called with NumPy arrays.

- ``graphs``: every network of a pack, ready to call
- ``compiler``: compiles a graph, or loads it from the cache
- ``cache``: compiled graphs kept on disk
- ``setting``: precision and threads of a graph
- ``kernel_count``: which kernels OpenVINO chose
- ``condition_rows``: the denoiser's condition as an array
- ``band_rows``: the fit network's view of an accompaniment
- ``log_frequency``: the audio encoder's view of a recording
"""
