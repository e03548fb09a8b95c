"""The pack's graphs, compiled for this CPU and called with NumPy arrays.

- ``graphs``: calls every network of a pack
- ``compiler``: compiles a graph, or loads it from the cache
- ``cache``: keeps compiled graphs on disk
- ``setting``: precision and number of threads of a graph
- ``kernel_count``: counts the kernels that OpenVINO chose
- ``condition_rows``: the condition as an input array of the denoiser
- ``chord_rows``: the harmony slot by slot as input and output of the chord network
- ``band_rows``: an accompaniment as an input array of the fit network
- ``log_frequency``: a recording as an input array of the audio encoder
"""
