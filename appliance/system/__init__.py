"""The computer: CPU, memory, threads, system calls.

- ``cpu``: the CPU's model and generation, and the version of the C library
- ``cpu_features``: the instruction sets by which libraries choose their kernels
- ``mathematics``: which library computes exponentials and sines
- ``malloc``: returns freed memory to the system
- ``seccomp``: a system call filter for a process that only computes
- ``threads``: prefetching and background work in a second thread
- ``syscalls``: system calls that Python does not offer
"""
