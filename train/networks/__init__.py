"""The networks, written to be exported: free time axis, and every token-wise linear layer a 1x1 convolution.

``vae``        roll <-> latent
``planner``    vocal features -> harmony, key and beats
``attention``  self, local and global attention on (B, C, T)
``denoiser``   condition encoder and velocity network with soft alignment attention
"""
