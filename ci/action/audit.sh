#!/usr/bin/env bash
# Audits, writes every report, the job summary and the step's outputs. Never fails: the gate does, after the upload.
set -euo pipefail
auditor=${AUDITOR:-$RUNNER_TEMP/auditor-venv/bin/auditor}
out=$RUNNER_TEMP/auditor
rm -rf "$out" && mkdir -p "$out"

arguments=()
for name in binary-plan policy workload fail-on stack; do
  variable=INPUT_$(tr 'a-z-' 'A-Z_' <<<"$name")
  if [ -n "${!variable:-}" ]; then arguments+=("--$name=${!variable}"); fi
done

code=0
"$auditor" check "${arguments[@]}" \
  --format "sarif=$out/auditor.sarif" --format "json=$out/report.json" --format "html=$out/report.html" \
  --format "markdown=$out/summary.md" --format github \
  -- "$INPUT_PLAN" 2>"$out/stderr.txt" || code=$?
# The prefix keeps a name out of the plan from starting a line, where the runner would read it as a command.
sed 's/^/auditor| /' "$out/stderr.txt" >&2

if [ -s "$out/summary.md" ]; then
  cat "$out/summary.md" >>"$GITHUB_STEP_SUMMARY"
else
  printf '## auditor: could not audit\n\nExit code %s; the log of this step says why. This is not a pass.\n' "$code" >>"$GITHUB_STEP_SUMMARY"
fi
{
  echo "exit-code=$code"
  for pair in sarif=auditor.sarif json=report.json html=report.html markdown=summary.md; do
    if [ -s "$out/${pair#*=}" ]; then echo "${pair%%=*}=$out/${pair#*=}"; fi
  done
} >>"$GITHUB_OUTPUT"
