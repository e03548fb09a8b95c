"""Builds the release: one file that installs Backline on a machine without network or Python.

``python -m bundle`` (``make bundle``) writes to ``dist/``

- ``backline-VERSION-linux-x86_64.run``: shell header, opener, and the release tree as tar.gz;
- ``backline-VERSION-linux-x86_64.run.minisig``: its signature;
- ``backline_VERSION_amd64.deb``: both files in a Debian package. ``apt`` and ``dpkg`` verify no minisign
  signature; the ``.run`` inside verifies its own.

``python -m bundle pack FOLDER`` writes ``NAME-VERSION.backline-pack``. ``python -m bundle check-cpus`` runs a
finished release on emulated older processors. ``python -m bundle interpreter`` only compiles what is
compiled.

From top to bottom; each room imports only those below it:

=============  ========================================================================================
``carriers/``  the files that carry a release: the ``.run``, the Debian package; ``check_cpus`` tests one
``release``    builds the release tree, step by step; ``launcher.sh`` is its ``bin/backline``
``papers/``    what a release documents: parts, licences, bill of materials, ``release.json``
``contents/``  what a release contains: interpreter, packages, libraries, opener, pack, man page
``compiled/``  what is compiled for it: Python, the opener, the mathematical library
``tools/``     ELF files, signing, tar archives, programs of the build machine
``errors``     why a release cannot be built
=============  ========================================================================================

**Which interpreter.** The release ships a Python of its own, compiled from Debian's sources for the C library
of RHEL 8 and Debian 10 (2.28). No old system has the versions that the lock requires, a bare Debian has no
Python at all, and a program frozen into one file would hide its contents from the administrator. Wheels are
chosen for the same C library; ``papers.manifest`` measures the oldest one from the symbols that every shipped
file and our own Python code need, and refuses a newer one.

**Which mathematics.** C libraries round ``exp`` or ``atan2`` differently. The release ships one ``libm.so.6``
that its programs find before the system's, so the same vocal gives the same bytes on every Linux.

**Why gzip.** Everything can unpack it, should anybody wish to look inside; the opener needs zlib anyway.

**The build machine** runs Debian with ``apt install minisign patchelf dpkg make patch perl tcl``: minisign
signs, patchelf sets search paths, dpkg builds the package; the others compile, with a pinned zig from the
package index. Sources and compiler are fetched once, into ``build/cache`` or the folder that
``BACKLINE_BUILD_CACHE`` names, and kept by their hash; what was compiled is kept there too.
"""
