# A Docker engine of our own, for demos and tests: sourced by bash scripts.
#
#   engine_start FOLDER   starts dockerd with all its state below FOLDER, in a network namespace of
#                         its own; sets engine_socket and engine_version; false with engine_problem
#                         where no engine can run
#   engine_ps             what it runs
#   engine_stop           ends it; leaves no process, namespace, mount or file
engine_socket=/var/run/docker.sock
engine_version=
engine_problem=
engine_folder=

engine_start() {
  if [ "$(id -u)" != 0 ]; then engine_problem="only root can start one"; return 1; fi
  for tool in dockerd containerd ip nsenter curl; do
    if ! command -v $tool >/dev/null; then engine_problem="$tool is not installed"; return 1; fi
  done
  engine_folder=$1
  engine_namespace=qnfv-$$
  engine_root=/run/qnfv-engine-$$ # Outside of what engine_stop removes: it shows the whole system.
  mkdir -p "$engine_folder"
  engine_socket=$engine_folder/docker.sock
  if ! ip netns add "$engine_namespace" 2>"$engine_folder/log"; then
    engine_namespace=
    engine_problem="no network namespaces: $(tail -n 1 "$engine_folder/log")"
    return 1
  fi
  ip -n "$engine_namespace" link set lo up 2>>"$engine_folder/log"
  # The hard limit of open files that we have is what containers may have: an engine that is not
  # allowed to raise limits would refuse every container otherwise.
  local files; files=$(ulimit -Hn); [ "$files" = unlimited ] && files=1048576
  cat >"$engine_folder/daemon.json" <<J
{"data-root": "$engine_folder/data", "exec-root": "$engine_folder/exec",
 "pidfile": "$engine_folder/dockerd.pid", "hosts": ["unix://$engine_socket"],
 "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1024, "Hard": $files}},
 "bip": "10.77.0.1/24"}
J
  QNFV_ENGINE_ROOT=$engine_root setsid nsenter --net="/run/netns/$engine_namespace" bash -c "$(engine_own_root)" \
    dockerd --config-file "$engine_folder/daemon.json" >"$engine_folder/log" 2>&1 </dev/null &
  engine_pid=$!
  for _ in $(seq 100); do
    if curl -fs --unix-socket "$engine_socket" http://engine/_ping >/dev/null 2>&1; then
      engine_check || break
      engine_version="Docker $(curl -s --unix-socket "$engine_socket" http://engine/version |
        sed -n 's/.*"Version":"\([^"]*\)","ApiV.*/\1/p')"
      return 0
    fi
    if ! kill -0 $engine_pid 2>/dev/null; then break; fi
    sleep 0.1
  done
  [ -n "$engine_problem" ] ||
    engine_problem=$(sed -n 's/^failed to start daemon: //p' "$engine_folder/log" | tail -n 1)
  [ -n "$engine_problem" ] || engine_problem=$(tail -n 1 "$engine_folder/log")
  engine_stop
  return 1
}

# What the engine's process does first. Inside a chroot "/" is no mount point, and nothing can be
# remounted or pivoted: there it gets a mount namespace in which it is one.
engine_own_root() {
  if [ "$(stat -c %d:%i /)" = "$(stat -c %d:%i /proc/1/root/. 2>/dev/null)" ] && mountpoint -q /; then
    echo 'exec "$0" "$@"'
    return
  fi
  cat <<'S'
exec unshare --mount --propagation unchanged bash -c '
  root=$QNFV_ENGINE_ROOT && mkdir -p "$root" && mount --rbind / "$root" && mount --make-rprivate "$root" &&
    exec chroot "$root" "$0" "$@"' "$0" "$@"
S
}

# True if the engine can load and run a container; an engine that only answers is none.
engine_check() {
  local api="curl -s --unix-socket $engine_socket http://engine/v1.41" folder=$engine_folder/check said
  mkdir -p "$folder/root/bin"
  cp "$(command -v busybox)" "$folder/root/bin/sh"
  tools/image/container-image qnfv/check:1 "$folder/image.tar" "$folder/root" /bin/sh -c true
  said=$($api/images/load?quiet=1 -X POST -H 'Content-Type: application/x-tar' -T "$folder/image.tar")
  case $said in *'Loaded image'*) ;; *) engine_problem="it loads no image: $said"; return 1 ;; esac
  $api/containers/create?name=qnfv-check -X POST -H 'Content-Type: application/json' \
    -d '{"Image": "qnfv/check:1", "HostConfig": {"NetworkMode": "none"}}' >/dev/null
  said=$($api/containers/qnfv-check/start -X POST)
  $api/containers/qnfv-check?force=1 -X DELETE >/dev/null
  $api/images/qnfv/check:1 -X DELETE >/dev/null
  rm -rf "$folder"
  [ -z "$said" ] || { engine_problem="it starts no container: $said"; return 1; }
}

engine_ps() {
  curl -s --unix-socket "$engine_socket" http://engine/v1.41/containers/json |
    sed 's/{"Id"/\n{"Id"/g' |
    sed -n 's/^{"Id":"\(.\{12\}\).*"Names":\["\/\([^"]*\)"\].*"Command":"\([^"]*\)".*"Status":"\([^"]*\)".*/  container \1  \2  \4  (\3)/p'
}

engine_mounts() { awk -v f="$engine_folder/" 'index($2, f) == 1 { print $2 }' /proc/mounts; }

engine_stop() {
  [ -n "$engine_folder" ] || return 0
  if [ -f "$engine_folder/dockerd.pid" ]; then
    local pid; pid=$(cat "$engine_folder/dockerd.pid")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  fi
  if [ -n "$engine_namespace" ]; then ip netns del "$engine_namespace" 2>/dev/null || true; fi
  engine_namespace=
  # Overlays and container file systems that the engine left mounted.
  umount -l "$engine_root" 2>/dev/null || true
  rmdir "$engine_root" 2>/dev/null || true
  engine_mounts | sort -r | while read -r mount; do umount -l "$mount" 2>/dev/null || true; done
  if [ -n "$(engine_mounts)" ]; then
    echo "something is still mounted below $engine_folder; it stays" >&2
  else
    rm -rf --one-file-system "$engine_folder"
  fi
  engine_folder=
}
