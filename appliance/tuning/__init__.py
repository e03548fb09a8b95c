"""Measures the fastest graph settings for this CPU and keeps them as a profile.

A profile selects precision and threads of each graph (:mod:`appliance.networks.setting`). A setting is only
used if its output agrees with the shipped setting's. These are not tuned:

- the lengths of the denoiser's windows and of the planner's input: they would change the music
- the lengths of the VAE decoder's inputs: 64 to 1024 frames give the same bytes, and none was clearly faster
- several takes as one batch: the same bytes, and no faster than one after the other
- streams: a take makes one forward pass at a time, and takes are rendered one after the other

Modules:

- ``profile``: the content of a profile file
- ``profile_key``: the CPU, pack and versions that a profile is valid for
- ``store``: reads and writes profiles in a folder
- ``choice``: selects a setting from measurements
- ``workbench``: compiles graphs for measuring, with reproducible inputs
- ``measuring``: measures step by step within a time budget
- ``table``: prints a profile as a table
"""
