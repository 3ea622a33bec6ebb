#!/bin/sh
# Gets hledger and ledger-cli for the tests of the accounts where that needs no question.
# Never fails by itself: the tests say what they miss (and fail over it with PATARD_REQUIRE_CHECKERS=1).
lacking=
for name in hledger ledger; do
    command -v "$name" >/dev/null 2>&1 || lacking="$lacking $name"
done
[ -z "$lacking" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing$lacking for the tests of the accounts (once)"
    log=$(mktemp)
    # shellcheck disable=SC2086  # one package a word
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $lacking; } \
        </dev/null >"$log" 2>&1 || tail -n 5 "$log"
    rm -f "$log"
fi
for name in $lacking; do
    command -v "$name" >/dev/null 2>&1 ||
        echo "No $name to be had: its tests will be skipped, or fail where it is required (the package $name has it)."
done
exit 0
