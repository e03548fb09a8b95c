"""How a network is trained: one loop for every stage, resumable, with its curves on disk.

- ``loop``: autocast, EMA, clipping, schedule, validation, checkpoints
- ``stage``: what a stage must bring: batches, a loss and a validation
- ``state``: what is saved so that a run can go on, as safetensors
- ``curves``: loss curves as CSV and PNG
- ``sources``: batches from the caches
- ``score_vae``, ``planner``, ``denoiser``, ``student``, ``fit``, ``audio_decoder``, ``audio_encoder``:
  the stages
- ``adversary``, ``spectral_loss``: losses of the audio decoder
"""
