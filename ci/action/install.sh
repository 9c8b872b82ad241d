#!/usr/bin/env bash
# Installs the auditor of this very checkout of the action into an environment of its own.
set -euo pipefail
"${PYTHON:-python3}" -m venv "$RUNNER_TEMP/auditor-venv"
"$RUNNER_TEMP/auditor-venv/bin/pip" install --quiet --disable-pip-version-check "$GITHUB_ACTION_PATH"
