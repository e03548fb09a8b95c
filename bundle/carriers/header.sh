#!/bin/sh
[ "$(head -c @HEADER_BYTES@ -- "$0" | tail -n +@FIRST_LINE@ | sha256sum)" = '@HEADER_SHA256@  -' ] || {
  echo "backline: $0 is damaged, or was not run from a file; fetch it again." >&2
  exit 1
}
: "
exit 1
"

# Backline @VERSION@ for Linux on x86-64: installs itself, with nothing but what is in this file.
#
#   sh @NAME@ --help
#
# Before anything else is done with it, this file is held against its signature, @NAME@.minisig,
# which must lie beside it. What follows this text is the program that does so, and the release.
#
# The command at the top finds damage by chance to all that follows it, before any of that runs; intent is for
# the signature to find. The odd string behind it is for damage to the command itself that makes a quotation
# mark or takes one away: then strings are commands until the next such mark, and this one ends the program.
set -eu
umask 022

VERSION='@VERSION@'
PLATFORM='linux-x86_64'
GLIBC='@GLIBC@'                # the oldest C library that has every symbol used in here, as measured
CPU_FLAGS='@CPU_FLAGS@'
INSTALLED_KB=@INSTALLED_KB@
KEY='@KEY@'
KEY_ID='@KEY_ID@'
# Where in this file minisign, libsodium and the release begin, in bytes, and how long the first two are.
MINISIGN_AT=@MINISIGN_AT@
MINISIGN_BYTES=@MINISIGN_BYTES@
LIBRARY_AT=@LIBRARY_AT@
LIBRARY_BYTES=@LIBRARY_BYTES@
RELEASE_AT=@RELEASE_AT@

PREFIX=${BACKLINE_PREFIX:-/opt/backline}
yes=
downgrade=
# Not set before it is needed: an empty one would be the root folder, an inherited one somebody else's.
unset work

# Comments stand inside of the functions they explain: a damaged line end must not take one away.

usage() {
  cat <<END
Usage: sh $0 [--yes] [--allow-downgrade]
Installs Backline $VERSION into $PREFIX, or upgrades what is there. Needs no network.
  --yes              do not ask
  --allow-downgrade  even if a newer version is installed
  --help             this
END
}

refuse() {
  printf 'backline: %s\n' "$1" >&2
  exit 1
}

older() {
  # The first of two version numbers is older than the second.
  [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

there() {
  # The deepest folder of a path that is there already.
  folder=$1
  until [ -d "$folder" ] || [ "$folder" = / ]; do folder=$(dirname -- "$folder"); done
  printf '%s\n' "$folder"
}

preflight() {
  # Everything that can be asked of this computer before a byte is written.
  [ "$(uname -s) $(uname -m)" = 'Linux x86_64' ] ||
    refuse "This is for Linux on x86-64 and this computer is $(uname -s) on $(uname -m); use another computer."
  [ "$(id -u)" = 0 ] || refuse "Only root can install; run it as: sudo sh $0"

  flags=$(cat /proc/cpuinfo 2>/dev/null | sed -n '/^flags/{s/^[^:]*://p;q;}')
  lacking=
  for flag in $CPU_FLAGS; do
    case " $flags " in *" $flag "*) ;; *) lacking="$lacking $flag" ;; esac
  done
  [ -z "$lacking" ] ||
    refuse "This processor cannot run Backline, as it lacks$lacking; use a computer of 2009 or later, or let the virtual machine show its host's processor."

  found=$(getconf GNU_LIBC_VERSION 2>/dev/null) || found=
  case $found in
  'glibc '*) ;;
  *) refuse "This system does not have the GNU C library (Alpine has another one); use @SYSTEMS@ or any later system." ;;
  esac
  ! older "${found#glibc }" "$GLIBC" ||
    refuse "This system has GNU C library ${found#glibc }, and Backline needs $GLIBC or later; use @SYSTEMS@ or any later system."

  # The copy that is checked, what comes out of it, and what is rendered to try it.
  size=$(wc -c <"$1")
  needed=$((INSTALLED_KB + size / 1024 + 65536))
  target=$(there "$PREFIX")
  free=$(df -Pk "$target" | awk 'END { print $4 }')
  [ "$free" -ge "$needed" ] ||
    refuse "Only $((free / 1024)) MB are free at $target, and installing needs $((needed / 1024)); free some space there."
}

piece() {
  # Part of this file: from byte $1 (counted from 1) on, $2 bytes of it.
  tail -c "+$1" "$file" | head -c "$2"
}

minisign() {
  # minisign from in here, with the library from in here.
  LD_LIBRARY_PATH="$work" "$work/minisign" "$@"
}

pinned() {
  # Whether keys are pinned here already. Then they count alone; only at the very first install the one that
  # came along does, and somebody who took all keys away from an installed Backline trusts nobody.
  [ -L "$PREFIX/current" ] && return 0
  for public in "$PREFIX"/keys/*.pub; do
    if [ -f "$public" ]; then return 0; fi
  done
  return 1
}

signed() {
  # Prints the trusted comment of $file if it is signed with a key that is trusted here; fails if it is not.
  for public in "$PREFIX"/keys/*.pub; do
    [ -f "$public" ] || continue
    if minisign -V -H -Q -p "$public" -x "$signature" -m "$file" 2>/dev/null; then return 0; fi
  done
  if pinned; then return 1; fi
  minisign -V -H -Q -P "$KEY" -x "$signature" -m "$file" 2>/dev/null
}

verify() {
  piece "$MINISIGN_AT" "$MINISIGN_BYTES" >"$work/minisign"
  piece "$LIBRARY_AT" "$LIBRARY_BYTES" >"$work/libsodium.so.23"
  chmod 755 "$work/minisign"
  minisign -v >/dev/null 2>&1 ||
    refuse "The program that checks signatures does not run from $work; if that disk is not mounted noexec, $name is damaged: fetch it again."
  comment=$(signed) ||
    refuse "$name is not what was signed with a key that is trusted here; fetch it and $name.minisig again, and if that does not help ask where they came from (trusted keys: $PREFIX/keys)."
  [ "$comment" = "backline release $VERSION $PLATFORM" ] ||
    refuse "$name.minisig vouches for '$comment' and not for Backline $VERSION; fetch the signature that belongs to this file."
}

installed() {
  # The version in use, or nothing: the release's own word, else the name of its folder.
  [ -L "$PREFIX/current" ] || return 0
  word=$(sed -n 's/^ *"version": "\([^"]*\)".*/\1/p' "$PREFIX/current/release.json" 2>/dev/null | head -n 1)
  [ -n "$word" ] || word=$(basename -- "$(readlink -- "$PREFIX/current")")
  printf '%s\n' "$word"
}

tidy() {
  [ -n "${work-}" ] || return 0
  rm -rf -- "$work"
  # Of a first install that came to nothing nothing stays.
  rmdir -- "$PREFIX/staging" "$PREFIX" 2>/dev/null || :
}

main() {
  for argument in "$@"; do
    case $argument in
    --yes | -y) yes=yes ;;
    --allow-downgrade) downgrade=--allow-downgrade ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && refuse "$argument is no option." ;;
    esac
  done

  given=$(readlink -f -- "$0") && [ -f "$given" ] || refuse "Run it from a file: sh backline-VERSION-$PLATFORM.run"
  name=${given##*/}
  [ -n "$yes" ] || [ -t 0 ] || refuse "Nobody is there to be asked; say --yes."
  [ -f "$given.minisig" ] || refuse "$given.minisig is missing; put the signature beside the file."
  preflight "$given"
  now=$(installed)

  trap tidy EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  mkdir -p -- "$PREFIX/staging"
  work=$(mktemp -d "$PREFIX/staging/run-XXXXXX")
  # A copy, so that what is unpacked is what was checked, whoever can write to the stick.
  file=$work/release.run
  signature=$file.minisig
  cp -- "$given" "$file"
  cp -- "$given.minisig" "$signature"
  verify

  if ! pinned; then
    echo "backline: signed with the key $KEY_ID, which will be trusted from now on."
    echo "backline: compare it with the key id that you were told by telephone or on paper, not on this medium."
  fi
  if [ -n "$now" ] && older "$VERSION" "$now" && [ -z "$downgrade" ]; then
    refuse "Backline $now is installed, and $VERSION is older; say --allow-downgrade if that is meant."
  fi
  if [ -z "$yes" ]; then
    printf 'Install Backline %s into %s (%s MB)%s? [y/N] ' "$VERSION" "$PREFIX" "$((INSTALLED_KB / 1024))" "${now:+, now $now}"
    read -r answer || answer=
    case $answer in [yY] | [yY][eE][sS]) ;; *) refuse "Nothing was changed." ;; esac
  fi

  tail -c "+$RELEASE_AT" "$file" | tar -x -z -o -f - -C "$work" ||
    refuse "The release could not be unpacked into $work; look at the free space there and do it again."
  rm -f -- "$file"
  staged=$work/backline-$VERSION
  "$staged/bin/backline" release activate "$staged" --yes $downgrade || exit $?
}

main "$@"
exit
