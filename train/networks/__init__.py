"""The networks, written to be exported: free time axis, and every token-wise linear layer a 1x1 convolution.

- ``vae``: roll <-> latent
- ``planner``: vocal features -> harmony, key and beats
- ``attention``: self, local and global attention on (B, C, T): batch, channels, frames
- ``denoiser``: condition encoder and velocity network with soft alignment attention; ``generator``: both
- ``fit``: vocal and accompaniment -> how well they fit
- ``audio_decoder``: sources -> gains of each band; ``audio_encoder``: spectrum -> latent
"""
