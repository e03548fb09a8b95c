"""Tools of the build machine, and the file formats that several steps need.

- ``programs``: finds and runs programs
- ``elf``: what an ELF file requires
- ``c_symbols``: what our Python code requires of the C library
- ``signing``: signs files with minisign
- ``archive``: reproducible tar archives
"""
