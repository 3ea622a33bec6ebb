#!/bin/sh
# Gets hledger for the tests of the accounts where that needs no question.
# Never fails by itself: the tests say what they miss (and fail over it with PATARD_REQUIRE_CHECKERS=1).
command -v hledger >/dev/null 2>&1 && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing hledger for the tests of the accounts (once)"
    log=$(mktemp)
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends hledger; } \
        </dev/null >"$log" 2>&1 || tail -n 5 "$log"
    rm -f "$log"
fi
command -v hledger >/dev/null 2>&1 ||
    echo "No hledger to be had: its tests will be skipped, or fail where it is required (the package hledger has it)."
exit 0
