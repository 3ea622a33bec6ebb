#!/bin/sh
# Gets a Chromium for the tests of the till where that needs no question: usage: get_browser.sh VENV_BIN.
# Never fails by itself: the tests say what they miss (and fail over it with PATARD_REQUIRE_BROWSER=1).
bin=${1:-.venv/bin}

for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done

found=$("$bin/python" -c '
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    print(p.chromium.executable_path)' 2>/dev/null) && [ -x "$found" ] && exit 0

log=$(mktemp)
trap 'rm -f "$log"' EXIT

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the tests of the till (once)"
    if { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } \
        </dev/null >"$log" 2>&1; then
        exit 0
    fi
fi

echo "Fetching a Chromium for the tests of the till (once)"
if ! "$bin/playwright" install chromium </dev/null >>"$log" 2>&1; then
    tail -n 5 "$log"
    echo "No Chromium to be had: the tests of the till will be skipped, or fail where one is required."
fi
exit 0
