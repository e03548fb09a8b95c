"""How a network is trained: one loop for every stage, resumable, with its curves on disk.

``loop``    the loop: autocast, EMA, clipping, schedule, validation, checkpoints
``state``   what is saved so that a run can go on, as safetensors
``curves``  loss curves as CSV and PNG
``stage``   what a stage must bring: batches, a loss and a validation
"""
