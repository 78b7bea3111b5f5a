# What `qnfv deploy` has a host do. The host's sh reads this text from its standard input:
#
#   sh -s -- VERB FOLDER LAB SITE [ARGUMENT...]     FOLDER "-": the usual one of this user
#
# Standard output is for the program, one line of standard error for people; status 0 only on success.
#
#   FOLDER/versions/VERSION/qnfv    programs, by the first 16 digits of their SHA-256
#   FOLDER/sites/SITE/current       -> ../../versions/VERSION
#   FOLDER/sites/SITE/              topology.json pki/ secrets/ state/ log trace.jsonl pid
#                    /started       what the running service was started with
#                    /supervisor.pid  locked by the supervisor, where no systemd does its work
#                    /incoming/     on their way in, named by their SHA-256
umask 077
verb=$1 folder=$2 lab=$3 site=$4
shift 4
if [ "$folder" = - ]; then
  folder=$HOME/.local/state/qnfv/$lab
  [ "$(id -u)" != 0 ] || folder=/var/lib/qnfv/$lab
fi
at=$folder/sites/$site
unit=qnfv-$lab-$site.service

fail() { echo "$*" >&2; exit 1; }

# Who keeps the site running: system or user (systemd), or process (our own supervisor).
manager() {
  if [ -d /run/systemd/system ]; then
    [ "$(id -u)" != 0 ] || { echo system; return; }
    # Without lingering, services of a user end with his last session.
    if { [ -e "/var/lib/systemd/linger/$(id -un)" ] || loginctl enable-linger; } >/dev/null 2>&1 &&
      systemctl --user show-environment >/dev/null 2>&1; then
      echo user
      return
    fi
  fi
  echo process
}
manager=$(manager)
case $manager in
  system) units=/etc/systemd/system wanted_by=multi-user.target
    ctl() { systemctl "$@"; } ;;
  user) units=$HOME/.config/systemd/user wanted_by=default.target
    ctl() { systemctl --user "$@"; } ;;
esac

locked() { [ -e "$1" ] && ! flock -n "$1" true; }

running() {
  case $manager in
    process) locked "$at/supervisor.pid" ;;
    *) ctl is-active --quiet "$unit" ;;
  esac
}

# The nearest folder above that is there.
ground() {
  set -- "$1"
  while [ ! -d "$1" ]; do set -- "$(dirname "$1")"; done
  echo "$1"
}

report() {
  echo "processor $(uname -m)"
  echo "manager $manager"
  echo "folder $folder"
  ground=$(ground "$at")
  [ -w "$ground" ] || echo "refused $(id -un) may not write in $ground"
  echo "free_kb $(df -Pk "$ground" | awk 'NR == 2 { print $4 }')"
  [ ! -L "$at/current" ] || echo "version $(basename "$(readlink "$at/current")")"
  [ ! -e "$at/started" ] || echo "started $(cat "$at/started")"
  ! running || echo "running yes"
  for path in "$@"; do
    file=$at/$path
    case $path in versions/*) file=$folder/$path ;; esac
    [ ! -f "$file" ] || echo "file $(stat -c %a "$file") $(sha256sum <"$file" | cut -c 1-64) $path"
  done
}

prepare() {
  mkdir -p "$at/incoming" && rm -f "$at"/incoming/* || fail "cannot make $at/incoming"
}

# receive: where a file may come in that does not stay; discard NAME: it goes.
receive() {
  mkdir -p "$at/incoming" && echo "$at/incoming" || fail "cannot make $at/incoming"
}
discard() { rm -f "$at/incoming/$1"; }

# take DIGEST MODE PATH ...: moves what came in to its place, each file at once.
take() {
  while [ $# -gt 0 ]; do
    from=$at/incoming/$1 to=$at/$3
    case $3 in versions/*) to=$folder/$3 ;; esac
    [ "$(sha256sum <"$from" | cut -c 1-64)" = "$1" ] || fail "$3 arrived damaged; deploy again"
    chmod "$2" "$from" && mkdir -p "$(dirname "$to")" && mv -f "$from" "$to" || fail "cannot write $to"
    shift 3
  done
}

# try VERSION: can this host run it?
try() {
  said=$("$folder/versions/$1/qnfv" --version 2>&1) && return
  case $said in
    *"shared libraries"*) said="$said (on the host: apt-get install libcaf-core0.17 libcaf-io0.17 libcaf-openssl0.17 libfmt9 libsoci-core4.0 libsoci-sqlite3-4.0 libspdlog1.10 libssl3)" ;;
  esac
  fail "cannot run $folder/versions/$1/qnfv: $(printf '%s' "$said" | tail -n 1)"
}

# use VERSION: whoever looks sees the old one or the new one.
use() {
  ln -sfn "../../versions/$1" "$at/current.new" && mv -fT "$at/current.new" "$at/current" ||
    fail "cannot change $at/current"
}

stop() {
  case $manager in
    process)
      if locked "$at/supervisor.pid"; then kill "$(cat "$at/supervisor.pid")"; fi
      # The site has 15 s to end by itself.
      for _ in $(seq 200); do
        if ! locked "$at/supervisor.pid" && ! locked "$at/pid"; then return; fi
        sleep 0.1
      done
      for file in "$at/supervisor.pid" "$at/pid"; do
        if locked "$file"; then kill -9 "$(cat "$file")"; fi
      done ;;
    *)
      if [ -e "$units/$unit" ]; then
        ctl disable --now "$unit" >/dev/null 2>&1 || fail "systemctl could not stop $unit"
      fi ;;
  esac
}

# start FINGERPRINT
start() {
  set -- "$1" --site "$site" --state "$at/state" --pki "$at/pki" --seal-key "$at/secrets/$site.seal" \
    --link-secrets "$at/secrets" --pid-file "$at/pid" --trace-file "$at/trace.jsonl" --supervised
  fingerprint=$1
  shift
  case $fingerprint in *+faults) set -- "$@" --allow-faults ;; esac
  [ ! -e "$at/secrets/emulator.seed" ] || set -- "$@" --emulator-seed "$at/secrets/emulator.seed"
  stop
  mkdir -p "$at/state" && printf '%s\n' "$fingerprint" >"$at/started" || fail "cannot write in $at"
  case $manager in
    process)
      setsid "$at/current/qnfv" node --supervise "$at/supervisor.pid" "$@" "$at/topology.json" \
        </dev/null >>"$at/log" 2>&1 & ;;
    *)
      mkdir -p "$units" && cat >"$units/$unit" <<UNIT || fail "cannot write $units/$unit"
[Unit]
Description=qnfv site $site of $lab
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=$at/current/qnfv node $* $at/topology.json
Restart=on-failure
RestartSec=2
UMask=0077
LimitMEMLOCK=64M
NoNewPrivileges=yes
StandardOutput=append:$at/log
StandardError=append:$at/log

[Install]
WantedBy=$wanted_by
UNIT
      ctl daemon-reload && ctl enable --quiet "$unit" && ctl restart "$unit" ||
        fail "systemd did not start $unit: see journalctl -u $unit" ;;
  esac
}

logs() { # logs LINES [-F]
  [ -e "$at/log" ] || fail "site $site has written no log in $at"
  exec tail -n "$@" "$at/log"
}

"$verb" "$@"
