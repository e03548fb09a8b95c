"""The profile of this CPU: which way of computing each graph is fastest here, measured.

A profile chooses precision and threads of a graph (:mod:`appliance.networks.setting`), if the output agrees
with the pack as shipped. Not offered are:

- the length of the denoiser's windows, and of what the planner hears: other lengths are other music
- the length of the parts that the VAE decoder is given: any from 64 to 1024 frames gives the same bytes,
  but none was clearly faster than what it has
- several takes as one batch: the same bytes, and no faster than one after the other
- streams: a take has one evaluation at a time, and takes are rendered one after the other

The files:

- ``profile``: what was measured and chosen, as the file says it
- ``profile_key``: what a profile was measured on, and so holds for
- ``store``: profiles in a folder
- ``choice``: from measurements to a choice
- ``workbench``: graphs made ready to be measured, with inputs that are always the same
- ``measuring``: one piece of measuring after the other, within a budget
- ``table``: a profile as a table for a person
"""
