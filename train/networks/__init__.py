"""The networks, written for export: any length, and token-wise linear layers as 1x1 convolutions.

- ``vae``: roll <-> latent
- ``planner``: vocal features -> plan, key and beats
- ``chords``: plan, melody and fixed chords -> scores of the chords of each beat
- ``precision``: bfloat16 where the hardware multiplies it
- ``attention``: global and local attention over frames
- ``denoiser``: condition encoder and velocity network with soft alignment attention; ``generator``: both
- ``fit``: vocal and accompaniment -> how well they fit
- ``audio_decoder``: sources -> gains of each band; ``audio_encoder``: spectrum -> roll
"""
