#!/bin/sh
# Runs a command in a world of its own: a network of loopback alone, and a file system whose changes it keeps in a folder.
#   unshare --mount --net sh enclosure.sh FOLDER COMMAND...
# Prints the changed paths, one a line, behind what the command prints.
set -eu
folder=$1
shift
mount -t tmpfs tmpfs "$folder"
mkdir "$folder/changes" "$folder/work" "$folder/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/changes,workdir=$folder/work" "$folder/root"
mount --rbind /proc "$folder/root/proc"
mount --rbind /dev "$folder/root/dev"
rm -f "$folder/root/etc/resolv.conf"
echo 'nameserver 127.0.0.1' > "$folder/root/etc/resolv.conf"
ip link set lo up
chroot "$folder/root" "$@"
cd "$folder/changes"
find . -mindepth 1 -not -path ./etc -not -path ./etc/resolv.conf
