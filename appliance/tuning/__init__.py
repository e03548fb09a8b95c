"""The plan for this processor: which way of computing each graph is fastest here, measured.

What can be chosen for a graph is its precision and its threads (:mod:`~appliance.tuning.setting`), if its
output agrees with the pack as shipped. Not offered are:

- the length of the denoiser's windows, and of what the planner hears: other lengths are other music
- the length of the parts that the VAE decoder is given: any from 64 to 1024 frames gives the same bytes,
  but none was clearly faster than what it has
- several takes as one batch: the same bytes, and no faster than one after the other
- streams: a take has one evaluation at a time, and takes are rendered one after the other

- ``setting``: one way of computing a graph, for OpenVINO
- ``plan``: what was measured and chosen, as the file says it
- ``key``: what a plan was measured on, and so holds for
- ``store``: plans in a folder
- ``choose``: from measurements to a choice
- ``workbench``: graphs made ready to be measured, with inputs that are always the same
- ``tune``: one piece of measuring after the other, within a budget
- ``table``: the plan for a person
"""
