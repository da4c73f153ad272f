# shellcheck shell=bash
# Programs in the background, known by name: DIR/pid/NAME, DIR/log/NAME.log. Sourced by cluster.

started_at() { # PID, which must run; a zombie does not
  local s
  s=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -ra s <<<"${s##*) }"
  [[ ${s[0]} != Z ]] && echo "${s[19]}"
}

start() { # NAME COMMAND ...: runs it with DIR/log/NAME.log, remembers its pid and start time
  local name=$1; shift
  setsid "$@" </dev/null >"$dir/log/$name.log" 2>&1 &
  echo "$! $(started_at $! || true)" >"$dir/pid/$name"
}

alive() { # NAME: an ended process may stay as a zombie, its number may be used again
  local pid at
  [[ -f $dir/pid/$1 ]] && read -r pid at <"$dir/pid/$1" && [[ -n $at && $(started_at "$pid") == "$at" ]]
}

stop() { # NAME ...: SIGTERM, after 10 s SIGKILL
  local name pid _ i
  for name; do
    if alive "$name"; then
      read -r pid _ <"$dir/pid/$name"
      kill "$pid" 2>/dev/null || true
      for ((i = 0; i < 100; i++)); do alive "$name" || break; sleep 0.1; done
      ! alive "$name" || kill -9 "$pid" 2>/dev/null || true
    fi
    rm -f "$dir/pid/$name"
  done
}

await() { # NAME SECONDS COMMAND ...: until the command succeeds while NAME runs
  local name=$1 end=$((SECONDS + $2)) why; shift 2
  until "$@" >/dev/null 2>&1; do
    why=
    alive "$name" || why="$name has ended"
    ((SECONDS < end)) || why="$name is not ready: $*"
    if [[ $why ]]; then
      say "$why; the end of $dir/log/$name.log:"
      tail -n 15 "$dir/log/$name.log" | cut -c1-400 >&2
      return 1
    fi
    sleep 0.1
  done
}
