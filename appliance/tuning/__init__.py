"""The plan for this processor: which way of computing each graph is fastest here, measured.

What can be chosen for a graph is its precision and its threads (:mod:`~appliance.tuning.setting`). What a
choice would change in the music is not offered: it must agree with the pack as shipped. So the length of
the denoiser's windows is no choice, it belongs to the pack, and each window continues the last.

- ``setting``: one way of computing a graph, for OpenVINO
- ``plan``: what was measured and chosen, as the file says it
- ``key``: what a plan was measured on, and so holds for
- ``store``: plans in a folder
- ``choose``: from measurements to a choice
- ``workbench``: graphs made ready to be measured, with inputs that are always the same
- ``tune``: one piece of measuring after the other, within a budget
- ``table``: the plan for a person
"""
