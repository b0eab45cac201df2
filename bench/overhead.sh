#!/bin/sh
# overhead.sh - instructions (callgrind) and system calls (strace) that
# skt_send and skt_recv cost over the bare calls, on a socket that is ready.
# Fails above 60 instructions, or above one system call a call.
# Usage: overhead.sh PATH-OF-THE-OVERHEAD-PROGRAM
set -eu
program=$1
calls=20000 # 10000 rounds of a send and a recv
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

instructions() {
    valgrind --tool=callgrind --callgrind-out-file="$folder/out" "$program" "$1" 2>/dev/null
    awk '/^(summary|totals):/ { n = $2 } END { print n }' "$folder/out"
}

system_calls() {
    strace -f -c -o "$folder/calls" "$program" "$1"
    awk '$NF ~ /^(sendto|recvfrom|poll|ppoll)$/ { n += $4 } END { print n + 0 }' "$folder/calls"
}

bare=$(instructions bare)
printf '%-28s %26s %22s\n' "one skt_send or skt_recv" "instructions over bare" "system calls a call"
for which in skt timeout; do
    name="no timeout"
    [ "$which" = timeout ] && name="timeout set, data ready"
    count=$(instructions "$which")
    awk -v name="$name" -v n=$((count - bare)) -v c="$calls" -v s="$(system_calls "$which")" \
        'BEGIN { printf "%-28s %26.1f %22.2f\n", name, n / c, s / c; exit n > 60 * c || s != c }' || failed=1
done
exit "${failed:-0}"
