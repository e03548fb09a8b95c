"""Inputs for quantisation, from songs of the validation split.

- ``calibration``: what each graph is fed in real use
- ``fit_calibration``: of the fit network
- ``audio_calibration``: of the audio networks
"""
