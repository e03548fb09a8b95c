#!/bin/sh
# backline: runs the release that contains this file, with its own interpreter.
self=$(readlink -f -- "$0") || exit 1
root=${self%/bin/backline}

# Installed releases are PREFIX/releases/VERSION; a tree unpacked anywhere else also works.
case $root in
*/releases/*) prefix=${BACKLINE_PREFIX:-${root%/releases/*}} ;;
*) prefix=${BACKLINE_PREFIX:-$root} ;;
esac

# Variables that are set already are kept.
if [ -z "${BACKLINE_KEYS+set}" ] && [ -d "$prefix/keys" ]; then
  export BACKLINE_KEYS="$prefix/keys"
fi
if [ -z "${BACKLINE_PACK+set}" ]; then
  if [ -e "$prefix/packs/active" ]; then
    export BACKLINE_PACK="$prefix/packs/active"
  else
    export BACKLINE_PACK="$root/packs/reference"
  fi
fi

# -I ignores PYTHON* variables and the user's own packages; -B writes no compiled files into the tree.
exec "$root/python/bin/python3" -I -B -m appliance "$@"
