#!/bin/sh
# After a power cut: back to the release that is known to work, and away with what is half done.
# Run at boot by backline-recover.service, before Backline; also good by hand, any time, again and again.
# The shell alone: what is broken may be the release. It does nothing while something is being installed.
set -eu
PREFIX=${BACKLINE_PREFIX:-/opt/backline}
[ -d "$PREFIX" ] || exit 0
cd -- "$PREFIX"

# Whoever installs holds this lock for as long as it takes. It is let go when this script ends.
if command -v flock >/dev/null; then
  exec 9>>.lock
  flock -n 9 || exit 0
fi

# Where a link leads, or nothing.
target() {
  [ ! -L "$1" ] || readlink -- "$1"
}

# A release can be used if its folder and the program in it are there.
usable() {
  [ -n "$1" ] && [ -x "$1/bin/backline" ] && [ -f "$1/release.json" ]
}

# Let the link $1 lead to $2, in one step.
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
      echo "backline: the upgrade to $(target current) was cut off before it had proved itself; back to $unconfirmed."
      point current "$unconfirmed"
      reverted=yes
    fi
    sync
    rm -f -- unconfirmed
  else
    echo "backline: $unconfirmed, which was to be returned to, is not there; staying with $(target current)." >&2
    rm -f -- unconfirmed
  fi
fi

# Cut off between "this works" and "done", so that the release before it is in use again: there is none to
# roll back to but itself.
[ -z "$(target previous)" ] || [ "$(target previous)" != "$(target current)" ] || rm -f -- previous

# What was on its way to a name, and what no name leads to. Nothing of that as long as it is not certain
# that something works.
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

# The units are those of the release, too: systemd has read the other one's.
if [ -n "$reverted" ] && [ -d "${BACKLINE_PREFIX:+$BACKLINE_PREFIX/root}/run/systemd/system" ]; then
  systemctl daemon-reload
fi
