# For process tests over several hosts: each is a network namespace of this machine. Sourced after
# common.sh; needs root. Everything made here goes when the test ends, however it ends.
#
#   host NAME                  makes one
#   at NAME COMMAND...         runs a command there
#   q ARGUMENTS...             the binary under test, at the operator's host "op"
hosts=qnfv-$$
mounts=()

host() {
  ip netns add "$hosts-$1" && ip -n "$hosts-$1" link set lo up || { echo "FAILED: no namespace $1"; exit 1; }
}

at() { ip netns exec "$hosts-$1" "${@:2}"; }
q() { at op "$qnfv" "$@"; }

end_hosts() {
  local status=$? name
  trap - EXIT INT TERM
  if [ $status -ne 0 ]; then
    tail -n 8 "$work"/hosts/*/sites/*/log 2>/dev/null
    [ -z "${keep:-}" ] || cp -r "$work" "$keep"
  fi
  for name in $(ip netns list | awk -v own="^$hosts-" '$1 ~ own { print $1 }'); do
    ip netns pids "$name" | xargs -r kill -9 2>/dev/null
    ip netns del "$name"
  done
  for name in "${mounts[@]}"; do umount "$name"; done
  (exit $status)
  cleanup
}
trap end_hosts EXIT INT TERM
