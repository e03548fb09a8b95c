"""How fast it is, on which processor: a mask for older generations and a stopwatch.

``python -m bench --out DIR`` measures everything side by side in one run.

- ``schedule``: the cases of a run; ``order``: interleaved, so that drift hits all alike;
  ``collect``: measures them
- ``mask``: a processor that claims to be of an older generation; ``process``: a command under it
- ``job``: the whole job as a fresh process; ``start_worker``: until ready for a first job
- ``graph_worker``: every graph of a pack; ``graph_inputs``: what goes into them; ``flops``: their operations;
  ``recorder``: which of them a job evaluates; ``roofline``: the best this processor does
- ``stages``: processor time by stage; ``stage_worker``: the process in which it is measured
- ``packs``: the same pack in FP32; ``peers``: other software in the same run
- ``extrapolate``: from a short piece to a song; ``agreement``: do two processors play the same?
- ``tables``, ``plots``: what was found as Markdown and PNG; ``report``: the folder that a run leaves;
  ``publish``: from there into ``bench/README.md``
- ``render``: the whole job by the command line alone
- ``watch_service``: the watched folder as a process to be measured; ``watch_idle``: with nothing to do;
  ``watch_soak``: for hours
"""
