#!/usr/bin/env bash
# One comment per stack on the pull request: written once, edited afterwards. Outside a pull request it does nothing.
set -euo pipefail
number=$(jq -r '.pull_request.number // empty' "$GITHUB_EVENT_PATH")
if [ -z "$number" ]; then
  echo "auditor: not a pull request, no comment"
  exit 0
fi
marker="<!-- auditor:$(tr -cd 'A-Za-z0-9_./ -' <<<"${INPUT_STACK:-}") -->"
body=$RUNNER_TEMP/auditor-comment.md
{ printf '%s\n' "$marker" && cat "$SUMMARY"; } >"$body"

comments=repos/$GITHUB_REPOSITORY/issues/$number/comments
MARKER=$marker
export MARKER
known=$(gh api --paginate "$comments" --jq '.[] | select(.user.type == "Bot" and (.body | startswith(env.MARKER))) | .id' | head -n 1)
if [ -n "$known" ]; then
  gh api --silent -X PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$known" -F "body=@$body"
else
  gh api --silent -X POST "$comments" -F "body=@$body"
fi
