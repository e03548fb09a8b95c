"""Makes what is carried to the studio: one file that installs Backline where there is nothing and no network.

``python -m bundle`` (``make bundle``) writes to ``dist/``

- ``backline-VERSION-linux-x86_64.run``: a shell header, the verifier, and the release tree as tar.gz;
- ``backline_VERSION_amd64.deb``: that very file and its signature in a Debian package;
- a ``.minisig`` beside the ``.run``; ``apt`` and ``dpkg`` do not look at it, the ``.run`` inside does.

``python -m bundle pack FOLDER`` writes ``NAME-VERSION.backline-pack``, ``python -m bundle check-cpus`` runs
a finished bundle as older processors. The steps, one file each, in their order:

=================  =======================================================================================
``release``        the order of the steps, and what a release is made of
``interpreter``    the Python that travels, without what a service never imports
``packages``       the locked packages and our own wheel, without what the CPU runtime never loads
``libraries``      shared libraries of the system that these need, beside the interpreter
``bytecode``       everything compiled beforehand
``pack_folder``    the pack with its signature
``manual``         the man page, written from the command line's own help
``licences``       the text of every licence;  ``known_licences``: of what does not name its own
``sbom``           what is inside, as CycloneDX
``manifest``       ``release.json``: every file with its hash, and the C library that the whole needs
``archive``        tar.gz: same files, same bytes
``run_file``       ``header.sh``, verifier and archive in one file;  ``deb``: the Debian package
``signing``        minisign, and whose key;  ``check_cpus``: the result on other processors
=================  =======================================================================================

**How the interpreter travels.** The bundle brings the Python that ``make`` found, moved: no Debian release
has the versions that the lock names, a bare Debian 12 has no Python at all, and freezing the program into
one file would hide from an administrator what is inside. Its floor is then the C library of the machine
that builds; it is measured from the symbols that every file asks for, not guessed.

**Why gzip.** A bare Debian has tar and gzip, but neither zstd nor xz.

**Prerequisites** on the build machine: ``apt install minisign patchelf binutils dpkg``. patchelf comes from
Debian because minisign has to, so that there is one place to get build tools from; it is not shipped.
"""
