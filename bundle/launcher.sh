#!/bin/sh
# backline: finds the release that this file really lies in, and runs it with the interpreter there.
self=$(readlink -f -- "$0") || exit 1
root=${self%/bin/backline}

# PREFIX/releases/VERSION once installed; a tree that was unpacked elsewhere works too, on its own.
case $root in
*/releases/*) prefix=${BACKLINE_PREFIX:-${root%/releases/*}} ;;
*) prefix=${BACKLINE_PREFIX:-$root} ;;
esac

# What the administrator has set is left alone.
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

# Isolated: neither variables nor the user's own packages lead elsewhere; nothing is written into the tree.
exec "$root/python/bin/python3" -I -B -m appliance "$@"
