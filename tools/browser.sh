#!/usr/bin/env bash
# Finds the Chromium that the browser tests drive, or installs the distribution's own when it may.
set -euo pipefail

for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null; then
        exit 0
    fi
done

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "installing chromium for the browser tests"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
else
    echo "The browser tests need Chromium or Google Chrome on the PATH." >&2
    echo "Install it with your system's packages (Debian: sudo apt-get install chromium), then try again." >&2
    exit 1
fi
