"""Builds the release: one file that installs Backline on a machine without network or Python.

``python -m bundle`` (``make bundle``) writes to ``dist/``

- ``backline-VERSION-linux-x86_64.run``: shell header, signature verifier, and the release tree as tar.gz;
- ``backline-VERSION-linux-x86_64.run.minisig``: its signature;
- ``backline_VERSION_amd64.deb``: both files in a Debian package. ``apt`` and ``dpkg`` verify no minisign
  signature; the ``.run`` inside verifies its own.

``python -m bundle pack FOLDER`` writes ``NAME-VERSION.backline-pack``. ``python -m bundle check-cpus`` runs a
finished release on emulated older processors.

From top to bottom; each room imports only those below it:

=============  ========================================================================================
``carriers/``  the files that carry a release: the ``.run``, the Debian package; ``check_cpus`` tests one
``release``    builds the release tree, step by step; ``launcher.sh`` is its ``bin/backline``
``papers/``    what a release documents: parts, licences, bill of materials, ``release.json``
``contents/``  what a release contains: interpreter, packages, libraries, verifier, pack, man page
``tools/``     ELF files, signing, tar archives, programs of the build machine
``errors``     why a release cannot be built
=============  ========================================================================================

**Which interpreter.** The release ships the Python that runs ``bundle``. No Debian release has the versions
that the lock requires, a bare Debian 12 has no Python at all, and a program frozen into one file would hide
its contents from the administrator. The oldest system a release runs on is therefore set by the C library of
the build machine; ``papers.manifest`` measures it from the symbols that every shipped file requires.

**Why gzip.** A bare Debian has tar and gzip, but neither zstd nor xz.

**The build machine** runs Debian with ``apt install minisign patchelf binutils dpkg``: minisign signs,
patchelf sets search paths, ``strip`` (binutils) removes debug symbols, dpkg builds the package and names the
owner of each library. Of these programs only minisign is shipped.
"""
