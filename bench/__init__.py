"""Measures speed and memory, also with kernels of older CPU generations.

``python -m bench --out DIR`` measures everything side by side in one run.

- ``schedule``: the cases of a run; ``order``: interleaves them, so that drift affects all alike;
  ``collect``: measures them
- ``mask``: makes this CPU claim to be an older one; ``process``: runs a command under a mask
- ``job``: the whole job in a fresh process; ``start_worker``: a start until ready for the first job
- ``graph_worker``: times every graph of a pack; ``graph_inputs``: records their inputs; ``flops``: counts
  their operations; ``recorder``: counts their forward passes; ``roofline``: the best rate of this CPU
- ``stages``: CPU time by stage; ``stage_worker``: the process in which it is measured
- ``packs``: builds the same pack in FP32; ``peers``: other software in the same run
- ``extrapolate``: from a short piece to a song; ``agreement``: SNR between outputs of two CPUs
- ``tables``, ``plots``: the results as Markdown and PNG; ``report``: the folder that a run writes;
  ``publish``: copies it into ``bench/README.md``
- ``render``: times the command line alone
- ``watch_service``: runs the watched folder as a process; ``watch_idle``: measures it idle;
  ``watch_soak``: measures it for hours
"""
