#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
#
# machine.sh COMMAND...   runs COMMAND as root in a throw-away copy of this machine, in which
# transferd is installed, the users alice and bob exist, and a real system bus and polkit run.
#
# Own mount, process, network (loopback only), IPC and host name namespaces; /run is empty, and
# whatever is written to /usr, /etc, /var, /root and /home is gone at the end. /tmp and the build
# directory are those of the machine.
#
# TFD_BUILD_ROOT     the build directory to install from
# TFD_MACHINE_DISK   a directory of the machine that is /run/disk there, for files on a real disk
set -eu

if [ -z "${TFD_MACHINE:-}" ]; then
  if [ "$(id -u)" != 0 ]; then
    echo 'machine.sh: tests of the system mode need root' >&2
    exit 99
  fi
  exec unshare --mount --pid --fork --mount-proc --net --ipc --uts --kill-child --propagation private \
    env TFD_MACHINE=1 bash "$(readlink -f "$0")" "$@"
fi

# Where the service is installed, by default; not every root has it in its PATH.
export PATH=/usr/local/sbin:/usr/local/bin:$PATH

ip link set lo up
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/dbus /run/user /run/lock /run/systemd/{sessions,users,seats,machines}
if [ -n "${TFD_MACHINE_DISK:-}" ]; then
  mkdir /run/disk
  mount --bind "$TFD_MACHINE_DISK" /run/disk
fi
for directory in /usr /etc /var /root /home; do
  layer=/run/layers$directory
  mkdir -p "$layer/upper" "$layer/work"
  chmod --reference="$directory" "$layer/upper"
  mount -t overlay overlay \
    -o "lowerdir=$directory,upperdir=$layer/upper,workdir=$layer/work" "$directory"
done

# The build directory may be shared with other tests that install at this moment, so its own log
# of the installation must not be written: install from a view of it that nobody else sees.
build=$(readlink -f "$TFD_BUILD_ROOT")
mkdir -p /run/layers/build/upper /run/layers/build/work
mount -t overlay overlay \
  -o "lowerdir=$build,upperdir=/run/layers/build/upper,workdir=/run/layers/build/work" "$build"
if ! meson install -C "$build" --no-rebuild --quiet >/run/install.log 2>&1; then
  cat /run/install.log >&2
  exit 98
fi
ldconfig
# A prefix of /usr/local is fine for a developer, but the bus reads the policy of /usr only.
for policy in /usr/local/share/dbus-1/system.d/org.transferd.*; do
  [ ! -e "$policy" ] || cp "$policy" /etc/dbus-1/system.d/
done
if command -v systemd-sysusers >/dev/null && ls /usr/lib/sysusers.d/transferd* >/dev/null 2>&1; then
  systemd-sysusers /usr/lib/sysusers.d/transferd*
fi

for user in alice bob; do
  useradd --create-home --shell /bin/bash "$user"
done

mkfifo /run/bus-address
exec 4<>/run/bus-address
dbus-daemon --system --nofork --nopidfile --print-address=4 2>/run/dbus.log &
if ! read -r -t 120 -u 4 _; then
  cat /run/dbus.log >&2
  exit 97
fi
# A policy file with an error is only logged and left out, and every test would see "denied".
if grep 'Encountered error' /run/dbus.log >&2; then
  exit 97
fi
# Rules that this machine has of its own must not matter.
rm -f /etc/polkit-1/rules.d/*
/usr/lib/polkit-1/polkitd --no-debug >/run/polkitd.log 2>&1 &
gdbus wait --system --timeout 120 org.freedesktop.PolicyKit1

result=0
"$@" || result=$?
exit "$result"
