#!/bin/sh
# Gets Caddy and nft for the tests of what ships for a server on the internet: usage: get_proxy.sh FOLDER.
# They are unpacked, never installed: no service of theirs starts. Never fails by itself: the tests say what they miss.
folder=${1:-.venv/proxy}
[ -x "$folder/usr/bin/caddy" ] && [ -x "$folder/usr/sbin/nft" ] && exit 0
command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1 || exit 0

echo "Fetching Caddy and nft for the tests of the deployment (once)"
log=$(mktemp)
packages=$(mktemp -d)
mkdir -p "$folder"
[ "$(id -u)" = 0 ] && apt-get update -qq >"$log" 2>&1 </dev/null
(cd "$packages" &&
    apt-get download -qq caddy nftables libnftables1 libnftnl11 libmnl0 libjansson4 libgmp10 libedit2 libbsd0 libmd0 \
        libxtables12) >>"$log" 2>&1 </dev/null || tail -n 5 "$log"
for package in "$packages"/*.deb; do
    [ -f "$package" ] && dpkg -x "$package" "$folder"
done
rm -rf "$log" "$packages"
[ -x "$folder/usr/bin/caddy" ] || echo "No Caddy to be had: its tests will be skipped, or fail where it is required."
exit 0
