# Shared by the scripts beside it; sourced, never run.
# Rooms: a cache for what is compiled or downloaded once, and one state folder a cluster.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${SHIPCAT_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/shipcat-test}
state=${SHIPCAT_TEST_STATE:-$cache/cluster}
# One name for the context in every kubeconfig that `up` writes, whatever cluster is behind it:
# it is the one that shipcat.yml of this project accepts.
context=shipcat-test

# The story goes to stderr: stdout of `up` is the kubeconfig's path and nothing else.
say() { printf '%s  %s\n' "$(date +%H:%M:%S)" "$*" >&2; }
die() { printf 'error: %s\n' "$1" >&2; shift; for l in "$@"; do printf 'hint: %s\n' "$l" >&2; done; exit 1; }

# quietly LABEL COMMAND...: runs it with its output in a log, a sign of life every 20 s, and the log's end on failure.
quietly() {
    local label=$1 log began pid now; shift
    mkdir -p "$cache/log"
    log=$cache/log/$(printf '%s' "$label" | tr -c 'a-zA-Z0-9\n' '-').log
    say "$label"
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    began=$SECONDS; now=$SECONDS
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        if (( SECONDS - now >= 20 )); then now=$SECONDS; say "  still at it: $label, $((now - began)) s"; fi
    done
    if ! wait "$pid"; then
        tail -n 25 "$log" >&2
        die "$label: failed" "the whole log is in $log"
    fi
}

# A TCP port on loopback that is free now and is given to nobody else by this run.
taken_ports=" "
free_port() {
    local p
    while :; do
        p=$((20000 + RANDOM % 12000))
        [[ $taken_ports == *" $p "* ]] && continue
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null; then
            taken_ports+="$p "
            port=$p
            return
        fi
    done
}

# alive PIDFILE: is the very process that we started still there? A pid alone may have been given to another since.
alive() {
    local pid start
    [[ -f $1 ]] || return 1
    read -r pid start <"$1" || return 1
    [[ -d /proc/$pid && $(start_time "$pid") == "$start" ]]
}

# Field 22 of /proc/PID/stat, counted behind the command's closing parenthesis.
start_time() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# daemon NAME COMMAND...: starts it apart from this terminal, keeps its pid and its log in the state folder.
daemon() {
    local name=$1 pid; shift
    # Descriptors above 2 are closed: a caller's lock or pipe must not be held open by a daemon.
    (for fd in /proc/self/fd/*; do fd=${fd##*/}; ((fd > 2)) && eval "exec $fd>&-"; done 2>/dev/null
     exec setsid "$@" >"$state/log/$name.log" 2>&1 </dev/null) &
    pid=$!
    disown "$pid"
    printf '%s %s\n' "$pid" "$(start_time "$pid")" >"$state/pid/$name"
}

# stop NAME: ends it by its own pid, politely first.
stop() {
    local file=$state/pid/$1 pid _ i
    if alive "$file"; then
        read -r pid _ <"$file"
        kill "$pid" 2>/dev/null || true
        for ((i = 0; i < 50; i++)); do alive "$file" || break; sleep 0.1; done
        if alive "$file"; then kill -9 "$pid" 2>/dev/null || true; fi
    fi
    rm -f "$file"
}

# until_ok SECONDS WHAT COMMAND...: waits for it to succeed.
until_ok() {
    local limit=$1 what=$2 end=$((SECONDS + $1)); shift 2
    until "$@" >/dev/null 2>&1; do
        if (( SECONDS >= end )); then die "$what: not within $limit s" "the logs are in $state/log"; fi
        sleep 0.2
    done
}
