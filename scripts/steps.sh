# Named steps with their time and outcome. To be sourced: `step NAME COMMAND…` runs one, `skip WHY` within a step says that it
# could not be done, `summary` prints the table and fails if a step did.

steps_report=$(mktemp)
steps_skipped=$(mktemp)
trap 'rm -f "$steps_report" "$steps_skipped"' EXIT

step() {
  local name=$1 started=$SECONDS outcome=ok code=0
  shift
  printf '\n=== %s\n' "$name"
  : > "$steps_skipped"
  "$@" || code=$?
  if [ "$code" -ne 0 ]; then
    outcome="FAILED ($code)"
  elif [ -s "$steps_skipped" ]; then
    outcome="not checked: $(cat "$steps_skipped")"
  fi
  printf '%5d s  %-26s %s\n' $((SECONDS - started)) "$name" "$outcome" >> "$steps_report"
}

skip() {
  printf 'skipped: %s\n' "$1" >&2
  printf '%s' "$1" > "$steps_skipped"
}

summary() {
  printf '\n=== summary\n'
  cat "$steps_report"
  ! grep -q FAILED "$steps_report"
}
