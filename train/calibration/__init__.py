"""Records inputs for quantisation, from songs of the validation split.

- ``calibration``: inputs of planner, condition, denoiser and score VAE
- ``fit_calibration``: inputs of the fit network
- ``chord_calibration``: inputs of the chord network
- ``audio_calibration``: inputs of the audio networks
"""
