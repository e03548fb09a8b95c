#!/bin/sh
# Mounts each of $FOLDERS a second time, below /run/backline-noexec, so that nothing in it can be run there.
#
#   sh noexec.sh mount | unmount
#
# The folders themselves stay as they are: only backline.service sees the second mounts (noexec.conf).
set -eu
BASE=/run/backline-noexec

unmount() {
  for folder in $FOLDERS; do
    if [ -d "$BASE$folder" ]; then
      # Lazily: a process that still runs, such as one that is being stopped, keeps its own view.
      umount -R -l "$BASE$folder" 2>/dev/null || :
      rmdir -- "$BASE$folder"
    fi
  done
}

# Print each mount at or below the folder $1. In the kernel's list a space is written as \040.
mounts() {
  while read -r _ _ _ _ point _; do
    point=$(printf '%b' "$point")
    case $point in "$1" | "$1"/*) printf '%s\n' "$point" ;; esac
  done </proc/self/mountinfo
}

mount_all() {
  for folder in $FOLDERS; do
    # systemd gives these to the service's user when it starts the service.
    case $folder in /var/*) mkdir -p -- "$folder" ;; esac
    [ -d "$folder" ] || continue
    mkdir -p -- "$BASE$folder"
    # With the shares and disks that are mounted inside.
    mount --rbind "$folder" "$BASE$folder"
    # One way only: unmounting the second mounts must not unmount those shares and disks as well.
    mount --make-rslave "$BASE$folder"
    mounts "$BASE$folder" | while read -r point; do
      # The service needs the mount even so; "backline doctor" sees that a program could run from it.
      mount -o remount,bind,noexec,nosuid,nodev "$point" ||
        echo "backline: $point cannot be mounted without programs (noexec)." >&2
    done
  done
}

case ${1-} in
mount)
  unmount
  # All or nothing: the service would take a folder without its mount for an empty one.
  trap unmount EXIT
  mount_all
  trap - EXIT
  ;;
unmount) unmount ;;
*) echo "usage: sh noexec.sh mount | unmount" >&2 && exit 2 ;;
esac
