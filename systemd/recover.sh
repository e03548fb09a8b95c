#!/bin/sh
# Recover from a power cut during an installation: return to the release that worked, remove unfinished files.
# backline-recover.service runs it at boot, before Backline. Running it by hand at any time is safe.
# Shell only, because the release may be broken. It does nothing while an installation is running.
set -eu
PREFIX=${BACKLINE_PREFIX:-/opt/backline}
[ -d "$PREFIX" ] || exit 0
cd -- "$PREFIX"

# An installation holds this lock. This script releases it when it ends.
if command -v flock >/dev/null; then
  exec 9>>.lock
  flock -n 9 || exit 0
fi

# Print the target of a link, or nothing.
target() {
  [ ! -L "$1" ] || readlink -- "$1"
}

# A release is usable if its program and its manifest exist.
usable() {
  [ -n "$1" ] && [ -x "$1/bin/backline" ] && [ -f "$1/release.json" ]
}

# Point the link $1 to $2 atomically.
point() {
  rm -f -- ".$1.new"
  ln -s -- "$2" ".$1.new"
  mv -T -f -- ".$1.new" "$1"
}

reverted=
unconfirmed=$(target unconfirmed)
if [ -n "$unconfirmed" ]; then
  if usable "$unconfirmed"; then
    if [ "$(target current)" != "$unconfirmed" ]; then
      echo "backline: the upgrade to $(target current) was interrupted; back to $unconfirmed."
      point current "$unconfirmed"
      reverted=yes
    fi
    sync
    rm -f -- unconfirmed
  else
    echo "backline: $unconfirmed, the release to return to, is missing; staying with $(target current)." >&2
    rm -f -- unconfirmed
  fi
fi

# "previous" may name the release that is current again; a rollback to it would do nothing.
[ -z "$(target previous)" ] || [ "$(target previous)" != "$(target current)" ] || rm -f -- previous

# Remove unfinished files. If the current release is usable, also remove releases that no link names.
if [ -d staging ]; then rm -rf -- staging; fi
for half in .*.new */.*.new; do
  if [ -L "$half" ] || [ -e "$half" ]; then rm -rf -- "$half"; fi
done
current=$(target current)
if usable "$current"; then
  previous=$(target previous)
  for release in releases/* releases/.[!.]*; do
    if [ -d "$release" ] && [ "$release" != "$current" ] && [ "$release" != "$previous" ]; then
      rm -rf -- "$release"
    fi
  done
fi
sync

# The units belong to the release, and systemd has read those of the other one.
if [ -n "$reverted" ] && [ -d "${BACKLINE_PREFIX:+$BACKLINE_PREFIX/root}/run/systemd/system" ]; then
  systemctl daemon-reload
fi
