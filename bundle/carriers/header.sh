#!/bin/sh
[ "$({ head -c @HEADER_BYTES@ -- "$0" | tail -n +@FIRST_LINE@ | sha256sum; } 2>/dev/null)" = '@HEADER_SHA256@  -' ] || {
  for command in head tail sha256sum; do
    command -v "$command" >/dev/null && continue
    echo "backline: The command $command is missing; install the package coreutils." >&2
    exit 1
  done
  echo "backline: $0 is damaged, or was not run from a file; copy it again." >&2
  exit 1
}
: "
exit 1
"

# Backline @VERSION@ for Linux on x86-64: an installer that contains everything it installs.
#
#   sh @NAME@ --help
#
# First of all the installer verifies its own signature, @NAME@.minisig, which must lie beside it.
# This script is followed by the program that verifies and unpacks it, the opener, by a program that tells the
# version of the C library, and by the release. Beside them it needs a shell and the commands below.
#
# The command at the top detects accidental damage to the rest of this script before any of it runs; the
# signature detects deliberate changes. The odd string after the command covers damage to the command itself
# that adds or removes a quotation mark: the shell then reads strings as commands and commands as strings until
# the next mark, and the string ends the program.
set -eu
umask 022

VERSION='@VERSION@'
PLATFORM='linux-x86_64'
GLIBC='@GLIBC@'                # the oldest C library that provides every symbol the release requires
CPU_FLAGS='@CPU_FLAGS@'
INSTALLED_KB=@INSTALLED_KB@
KEY='@KEY@'
KEY_ID='@KEY_ID@'
RELEASE_BYTES=@RELEASE_BYTES@  # of all files of the release together
# Where opener, probe and release start in this file, counted in bytes from 1, and their lengths.
OPENER_AT=@OPENER_AT@
OPENER_BYTES=@OPENER_BYTES@
PROBE_AT=@PROBE_AT@
PROBE_BYTES=@PROBE_BYTES@
RELEASE_AT=@RELEASE_AT@
COMMANDS='cat chmod cp df head id mkdir mktemp readlink rm rmdir sha256sum tail uname wc'

PREFIX=${BACKLINE_PREFIX:-/opt/backline}
yes=
downgrade=
# Only set by main: tidy deletes this folder, which must never be one inherited from the environment.
unset work

# Comments are inside the functions they explain: a damaged line end then cannot comment out a function.

usage() {
  echo "Usage: sh $0 [--yes] [--allow-downgrade]
Installs Backline $VERSION into $PREFIX, or upgrades it. Needs no network.
  --yes              do not ask for confirmation
  --allow-downgrade  install even if a newer version is installed
  --help             show this help"
}

refuse() {
  printf 'backline: %s\n' "$1" >&2
  exit 1
}

older() {
  # Whether version $1 is older than version $2: numbers between dots, of which missing ones are 0.
  left=$1 right=$2
  while [ -n "$left$right" ]; do
    here=${left%%.*} there=${right%%.*}
    [ "${here:-0}" -ge "${there:-0}" ] || return 0
    [ "${here:-0}" -le "${there:-0}" ] || return 1
    case $left in *.*) left=${left#*.} ;; *) left= ;; esac
    case $right in *.*) right=${right#*.} ;; *) right= ;; esac
  done
  return 1
}

existing() {
  # Prints the deepest existing folder of the path $1.
  folder=$1
  until [ -d "$folder" ] || [ -z "${folder%/*}" ]; do folder=${folder%/*}; done
  [ -d "$folder" ] || folder=/
  printf '%s\n' "$folder"
}

commands() {
  # Whether every command that this script calls is there.
  for command in $COMMANDS; do
    command -v "$command" >/dev/null || refuse "The command $command is missing; install the package coreutils."
  done
}

preflight() {
  # Checks the computer before anything is written. $1 is this file.
  [ "$(uname -s) $(uname -m)" = 'Linux x86_64' ] ||
    refuse "Backline needs Linux on x86-64, and this computer runs $(uname -s) on $(uname -m); use another computer."
  [ "$(id -u)" = 0 ] || refuse "Only root can install; run: sudo sh $0"

  flags=
  newline='
'
  cpus=$newline$(cat /proc/cpuinfo 2>/dev/null) || :
  case $cpus in *"${newline}flags"*:*) flags=${cpus#*"${newline}flags"} flags=${flags#*:} flags=${flags%%"$newline"*} ;; esac
  [ -n "$flags" ] || refuse "/proc/cpuinfo does not say which instructions this processor has; mount /proc and try again."
  lacking=
  for flag in $CPU_FLAGS; do
    case " $flags " in *" $flag "*) ;; *) lacking="$lacking $flag" ;; esac
  done
  [ -z "$lacking" ] ||
    refuse "This processor lacks$lacking, which Backline needs; use a computer from 2009 or later, or configure the virtual machine to expose its host's processor."

  # Space for the copy that is verified, the unpacked release, and the rendering of its self-test.
  size=$(wc -c <"$1")
  needed=$((INSTALLED_KB + size / 1024 + 65536))
  target=$(existing "$PREFIX")
  # The last line of df ends in: FREE PERCENT% FOLDER.
  line=$(df -Pk "$target" 2>/dev/null | tail -n 1) || :
  free= last=
  for word in ${line%%%*}; do free=$last last=$word; done
  case $free in '' | *[!0-9]*) refuse "df does not say how much space is free at $target; is /proc mounted?" ;; esac
  [ "$free" -ge "$needed" ] ||
    refuse "Only $((free / 1024)) MB are free at $target, and the installation needs $((needed / 1024)) MB; free some space there."
}

piece() {
  # Prints $2 bytes of this file, starting at byte $1, counted from 1.
  tail -c "+$1" "$file" | head -c "$2"
}

pinned() {
  # Whether this computer already has trusted keys; then only they count. The key in this file counts only
  # for the very first installation. An installed Backline without any key trusts nothing.
  [ -L "$PREFIX/current" ] && return 0
  for public in "$PREFIX"/keys/*.pub; do
    if [ -f "$public" ]; then return 0; fi
  done
  return 1
}

signed() {
  # Prints the trusted comment of $signature if a trusted key made it for $file; otherwise fails.
  for public in "$PREFIX"/keys/*.pub; do
    [ -f "$public" ] || continue
    if "$work/opener" verify "$file" "$signature" -p "$public"; then return 0; fi
  done
  if pinned; then return 1; fi
  "$work/opener" verify "$file" "$signature" -P "$KEY"
}

verify() {
  piece "$OPENER_AT" "$OPENER_BYTES" >"$work/opener"
  piece "$PROBE_AT" "$PROBE_BYTES" >"$work/c_library"
  chmod 755 "$work/opener" "$work/c_library"
  "$work/opener" runs >/dev/null 2>&1 ||
    refuse "No program can be started from $PREFIX: if that disk is mounted noexec, remount it with exec; otherwise $name is damaged: copy it again."
  comment=$(signed) ||
    refuse "$name has no valid signature by a trusted key; copy it and $name.minisig again, and if that does not help ask whoever supplied them (trusted keys: $PREFIX/keys)."
  [ "$comment" = "backline release $VERSION $PLATFORM" ] ||
    refuse "$name.minisig is the signature of '$comment', not of Backline $VERSION; copy the signature that belongs to this file."
}

suits() {
  # Whether the C library is new enough. The program that tells its version was verified before.
  found=$("$work/c_library" 2>/dev/null) || found=
  [ -n "$found" ] ||
    refuse "This system does not use the GNU C library (Alpine, for example, uses musl), or one from before 2013; use @SYSTEMS@ or later."
  ! older "$found" "$GLIBC" ||
    refuse "This system has GNU C library $found, and Backline needs $GLIBC or later; use @SYSTEMS@ or later."
}

installed() {
  # Prints the active version, or nothing: from its release.json, otherwise from the name of its folder.
  [ -L "$PREFIX/current" ] || return 0
  word=
  if [ -r "$PREFIX/current/release.json" ]; then
    while read -r label word; do
      [ "$label" != '"version":' ] || break
      word=
    done <"$PREFIX/current/release.json"
  fi
  word=${word#\"}
  word=${word%%\"*}
  [ -n "$word" ] || word=$(readlink -- "$PREFIX/current")
  printf '%s\n' "${word##*/}"
}

tidy() {
  [ -z "${work-}" ] || rm -rf -- "$work"
  # A failed first installation leaves no empty folders behind.
  rmdir -- "$PREFIX/staging" "$PREFIX" 2>/dev/null || :
}

main() {
  for argument in "$@"; do
    case $argument in
    --yes | -y) yes=yes ;;
    --allow-downgrade) downgrade=--allow-downgrade ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && refuse "Unknown option $argument." ;;
    esac
  done

  commands
  given=$(readlink -f -- "$0") && [ -f "$given" ] || refuse "The installer must be run from a file: sh backline-VERSION-$PLATFORM.run"
  name=${given##*/}
  [ -n "$yes" ] || [ -t 0 ] || refuse "There is no terminal to ask for confirmation; add --yes."
  [ -f "$given.minisig" ] || refuse "$given.minisig is missing; copy the signature to the same folder."
  preflight "$given"
  now=$(installed)

  trap tidy EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  mkdir -p -- "$PREFIX/staging" 2>/dev/null && work=$(mktemp -d "$PREFIX/staging/run-XXXXXX") ||
    refuse "$PREFIX/staging cannot be written to; if that disk is mounted read-only, remount it."
  # A copy: what is unpacked must be what was verified, even if others can write to the medium.
  file=$work/release.run
  signature=$file.minisig
  cp -- "$given" "$file" && cp -- "$given.minisig" "$signature" ||
    refuse "$name could not be copied to $work; check that disk and the one of $name, and try again."
  verify
  suits

  if ! pinned; then
    echo "backline: signed with key $KEY_ID, which will be trusted from now on."
    echo "backline: compare this key id with the one you received by telephone or on paper, not on this medium."
  fi
  if [ -n "$now" ] && older "$VERSION" "$now" && [ -z "$downgrade" ]; then
    refuse "Backline $now is installed, and $VERSION is older; add --allow-downgrade to install it anyway."
  fi
  if [ -z "$yes" ]; then
    printf 'Install Backline %s into %s (%s MB)%s? [y/N] ' "$VERSION" "$PREFIX" "$((INSTALLED_KB / 1024))" "${now:+ to replace $now}"
    read -r answer || answer=
    case $answer in [yY] | [yY][eE][sS]) ;; *) refuse "Cancelled; nothing was changed." ;; esac
  fi

  why=$("$work/opener" unpack "$file" "$((RELEASE_AT - 1))" "$work" "$RELEASE_BYTES" 2>&1) ||
    refuse "The release could not be unpacked into $work: $why; check that disk and try again."
  rm -f -- "$file"
  staged=$work/backline-$VERSION
  "$staged/bin/backline" release activate "$staged" --yes $downgrade || exit $?
}

main "$@"
exit
