"""What this computer offers: CPU, memory, threads, kernel calls.

- ``cpu``: which processor and C library this is
- ``cpu_features``: the instruction sets that libraries choose their kernels by
- ``malloc``: freed memory goes back to the system
- ``threads``: work in a second thread beside this one
- ``syscalls``: kernel calls that Python does not offer
"""
