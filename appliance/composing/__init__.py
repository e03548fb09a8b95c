"""From what is sung to the notes of a band.

- ``wishes``: what the user asks for, and how to add a wish
- ``composer``: listen, plan, denoise, decode
- ``takes``: several accompaniments of one vocal, the best-fitting first
- ``beat_tracker``: beats and bars from a network's activations
- ``key_request``: a key that the user asks for
- ``plan_chart``: the harmony plan as a chord chart, and back
- ``plan_variation``: the plan of one take
- ``sampler``: few-step samplers of the rectified flow
- ``windows``: a song of any length as overlapping windows
- ``fit``: how well an accompaniment fits the vocal
"""
