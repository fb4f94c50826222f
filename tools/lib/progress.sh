# shellcheck shell=bash
# progress.sh: one line a long step, with its seconds; the step's own output goes to a log. Sourced by the tools.
#
#   progress_log FILE        the log that steps write to, emptied here
#   step "LABEL" COMMAND...  runs COMMAND; if it fails, shows the end of the log and where it is, and exits 1
#   progress_of N            the next N steps are numbered: [1/N] LABEL

progress_log() {
  log_file=$1
  mkdir -p "$(dirname "$log_file")"
  : >"$log_file"
}

progress_of() {
  steps_total=$1
  steps_begun=0
}

progress_ticker() {
  local label=$1 start=$2
  while sleep 1; do printf '\r%s … %d s' "$label" $((SECONDS - start)); done
}

step() {
  local label=$1 start=$SECONDS ticker='' status
  shift
  if ((${steps_total:-0} > 0)); then
    steps_begun=$((steps_begun + 1))
    label="[$steps_begun/$steps_total] $label"
  fi
  printf '%s …' "$label"
  if [[ -t 1 ]]; then
    progress_ticker "$label" "$start" &
    ticker=$!
    trap 'kill "$ticker" 2>/dev/null; echo; exit 130' INT
  fi
  # Not `"$@" || status=$?`: bash ignores `set -e` inside a command whose failure is tested.
  set +e
  (
    set -e
    "$@"
  ) >>"$log_file" 2>&1 </dev/null
  status=$?
  set -e
  if [[ -n $ticker ]]; then
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    trap - INT
    printf '\r%s …' "$label"
  fi
  if ((status != 0)); then
    printf ' failed\n'
    tail -n 25 "$log_file" >&2
    printf '%s failed (exit %d); the whole log: %s\n' "$label" "$status" "$log_file" >&2
    exit 1
  fi
  printf ' %d s\n' $((SECONDS - start))
}
