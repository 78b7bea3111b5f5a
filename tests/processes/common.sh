# For the process tests: a lab of real processes in a folder of its own. Sourced by bash scripts.
#
#   $qnfv          the binary under test
#   check TEXT CONDITION...     ends the test unless the condition holds
#   within SECONDS COMMAND...   tries the command until it succeeds or the time is over
#   take_ports                  $base: the first three digits of 100 ports that no other test has;
#                               ${ports[0]} to ${ports[9]}: the first ten of them
#   fails TEXT COMMAND...       the command must fail; its words must be one line and hold TEXT
set -uo pipefail
cd "$(dirname "$0")/../.."
qnfv=${QNFV:-build/release/tools/qnfv}
work=$(mktemp -d /tmp/qnfv-process.XXXXXX)
export QNFV_HOME=$work/home NO_COLOR=1
checks=0

cleanup() {
  status=$?
  trap - EXIT INT TERM
  [ -z "${lab:-}" ] || "$qnfv" --lab "$lab" lab down >/dev/null 2>&1
  [ $status -eq 0 ] || tail -n 5 "$work"/home/*/sites/*/log 2>/dev/null
  rm -rf "$work"
  [ $status -ne 0 ] || echo "$checks checks passed"
  exit $status
}
trap cleanup EXIT INT TERM

check() { # check TEXT CONDITION...
  local text=$1
  shift
  if ! "$@"; then echo "FAILED: $text"; exit 1; fi
  checks=$((checks + 1))
}

fails() { # fails TEXT COMMAND...
  local text=$1 said
  shift
  if said=$("$@" 2>&1 >/dev/null); then echo "FAILED: succeeded: $*"; exit 1; fi
  if [ "$(printf '%s\n' "$said" | wc -l)" != 1 ] || [[ $said != *"$text"* ]]; then
    echo "FAILED: $*"; echo "  expected one line with: $text"; echo "  but it said: $said"; exit 1
  fi
  checks=$((checks + 1))
}

within() { # within SECONDS COMMAND...
  local end=$((SECONDS + $1)); shift
  until "$@"; do [ $SECONDS -lt $end ] || return 1; sleep 0.1; done
}

field() { printf '%s' "$1" | sed -n "s/.*\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/p"; }

take_ports() {
  local lock
  mkdir -p /tmp/qnfv-ports
  for base in $(shuf -i 200-326); do
    exec {lock}>"/tmp/qnfv-ports/$base" # Stays open, and locked, as long as the test and what it starts.
    flock -n "$lock" && { ports=("$base"0{0..9}); return; }
    exec {lock}>&-
  done
  echo "FAILED: no ports are left"
  exit 1
}

# A lab of two sites on ports of its own, devices 1000 times faster than life.
start_lab() { # start_lab [TOPOLOGY [TIME_SCALE]]
  local base ports
  take_ports
  sed -e "s/:7101/:${ports[0]}/; s/:7201/:${ports[1]}/; s/:7102/:${ports[2]}/; s/:7202/:${ports[3]}/; s/:7301/:${ports[4]}/; s/:7302/:${ports[5]}/; s/:7401/:${ports[6]}/; s/:7402/:${ports[7]}/" \
    "${1:-config/topologies/two-site.json}" >"$work/lab.json"
  lab=$work/home/$(sed -n 's/^  "name": "\([^"]*\)".*/\1/p' "$work/lab.json" | head -n 1)
  "$qnfv" lab up "$work/lab.json" --time-scale "${2:-1000}" >"$work/up.log" 2>&1 || { cat "$work/up.log"; exit 1; }
}

pid_of() { cat "$lab/sites/$1/pid"; }
