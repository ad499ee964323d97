#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
#
# boot.sh COMMAND...   runs COMMAND as root beside a throw-away copy of this machine, in TFD_BOOT_ROOT,
# in which transferd is installed and the users alice and bob exist: COMMAND boots it (see boot.py),
# with a systemd of its own, as often as it likes.
#
# Own mount, process, network (loopback only; the booted machine shares it), IPC, host name and
# cgroup namespaces: when COMMAND ends, everything ends. Whatever is written to the copy is in memory.
#
# TFD_BUILD_ROOT   the build directory to install from
# TFD_BOOT_BARE    if set, nothing is installed: that is left to COMMAND
set -eu

skip ()
{
  printf 'TAP version 13\n1..1\nok 1 /boot # SKIP kernel: %s\n' "$1"
  exit 0
}

if [ "$(id -u)" != 0 ]; then
  echo 'boot.sh: booting a machine needs root' >&2
  exit 99
fi

# First a place where a cgroup can be made, and then, below it, a root of its own.
case ${TFD_BOOT_STAGE:-} in
  '')
    exec unshare --mount --propagation private env TFD_BOOT_STAGE=group bash "$(readlink -f "$0")" "$@"
    ;;
  group)
    groups=$(mktemp -d)
    group=$groups/transferd-boot-$$
    # shellcheck disable=SC2064
    trap "rmdir $groups" EXIT
    mount -t cgroup2 cgroup2 "$groups" || skip 'no cgroup2 hierarchy'
    # shellcheck disable=SC2064
    trap "umount -l $groups; rmdir $groups" EXIT
    mkdir "$group" || skip 'no cgroup2 hierarchy that can be written'
    result=0
    (
      echo 0 >"$group/cgroup.procs"
      export TFD_BOOT_STAGE=machine
      exec unshare --cgroup --mount --pid --fork --mount-proc --net --ipc --uts --kill-child \
        --propagation private bash "$(readlink -f "$0")" "$@"
    ) || result=$?
    find "$group" -depth -type d -exec rmdir {} \; || true
    exit "$result"
    ;;
esac

ip link set lo up
mountpoint -q /sys || mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir /sys/fs/cgroup/machine
mount -t tmpfs -o mode=755 tmpfs /run
export TFD_BOOT_ROOT=/run/machine/root
mkdir -p /run/machine/{upper,work,root}
mount -t overlay overlay -o lowerdir=/,upperdir=/run/machine/upper,workdir=/run/machine/work \
  "$TFD_BOOT_ROOT"

# What this machine has been told to run, and what is mounted here, is no business of the copy.
rm -rf "$TFD_BOOT_ROOT"/etc/systemd/system/*.{wants,requires} "$TFD_BOOT_ROOT"/etc/systemd/user/*.wants
: >"$TFD_BOOT_ROOT/etc/fstab"

# Here packages may start what they install.
rm -f "$TFD_BOOT_ROOT/usr/sbin/policy-rc.d"

if [ -z "${TFD_BOOT_BARE:-}" ]; then
  # The build directory may be shared with other tests that install at this moment, so its own log
  # of the installation must not be written: install from a view of it that nobody else sees.
  build=$(readlink -f "$TFD_BUILD_ROOT")
  mkdir -p /run/machine/build/{upper,work}
  mount -t overlay overlay \
    -o "lowerdir=$build,upperdir=/run/machine/build/upper,workdir=/run/machine/build/work" "$build"
  if ! meson install -C "$build" --no-rebuild --quiet --destdir "$TFD_BOOT_ROOT" \
    >/run/install.log 2>&1; then
    cat /run/install.log >&2
    exit 98
  fi
  chroot "$TFD_BOOT_ROOT" ldconfig
  chroot "$TFD_BOOT_ROOT" journalctl --update-catalog
fi
for user in alice bob; do
  chroot "$TFD_BOOT_ROOT" useradd --create-home --shell /bin/bash "$user"
done

result=0
"$@" || result=$?
exit "$result"
