"""Programs of the build machine, and formats that several steps need.

- ``programs``: found, run, and their failures said in a sentence
- ``elf``: what an ELF file asks of the system
- ``signing``: signatures, and whose key makes them
- ``archive``: a folder as tar, the same bytes for the same files
"""
