"""Training: one resumable loop for all stages, and a stage for each network.

- ``loop``: autocast, EMA, gradient clipping, learning rate schedule, validation, saving
- ``stage``: the interface of a stage: batches, a loss and a validation
- ``state``: the saved state of a run, as safetensors
- ``curves``: loss curves as CSV and PNG
- ``sources``: the denoiser's windows from the caches
- ``score_vae``, ``planner``, ``chords``, ``denoiser``, ``student``, ``fit``, ``audio_decoder``,
  ``audio_encoder``: the stages
- ``adversary``, ``spectral_loss``: losses of the audio decoder
"""
