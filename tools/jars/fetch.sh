#!/usr/bin/env bash
# Fetches the RocketMQ servers' jars from the Maven repository into .cache/jars/<version>/.
# Usage: tools/jars/fetch.sh [version...]   (default: every version that has a pom here)
#
# A version is complete when its stamp file .complete holds the checksum of the pom it was fetched by. The stamp is
# written last, so an interrupted download, or a changed pom, is fetched again and nothing else is.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=$(cd "$here/../.." && pwd)/.cache/jars
needed_mb=400 # both sets are 120 MB; Maven keeps a second copy of its own, and its plugins

fail() {
  echo "jars: $1" >&2
  exit 1
}

check_tools() {
  command -v java >/dev/null || fail "no java found: install a JDK or JRE of version 17 or newer and put it on the PATH."
  local major
  # "17.0.15", "21", or the old style "1.8.0_402", which is version 8.
  major=$(java -version 2>&1 | sed -n 's/.*version "\(1\.\)\{0,1\}\([0-9]*\).*/\2/p' | head -1)
  [ "${major:-0}" -ge 17 ] || fail "java is version ${major:-unknown}, 17 or newer is needed: install it and put it first on the PATH."
  command -v mvn >/dev/null || fail "no mvn found: install Apache Maven 3.6 or newer and put it on the PATH."
}

check_disk() {
  local free_mb
  free_mb=$(df -Pm "$cache" | awk 'NR == 2 { print $4 }')
  [ "$free_mb" -ge "$needed_mb" ] || fail "the disk below $cache has $free_mb MB free, $needed_mb MB are needed: free some space and run this again."
}

fetch() {
  local version=$1 pom=$here/$1/pom.xml jars=$cache/$1 sum
  [ -f "$pom" ] || fail "there is no pom for version $version: known are $(cd "$here" && ls -d */ | tr -d / | tr '\n' ' ')"
  sum=$(cksum <"$pom")
  [ "$(cat "$jars/.complete" 2>/dev/null)" = "$sum" ] && return

  check_tools
  check_disk
  echo "jars: fetching RocketMQ $version"
  rm -rf "$jars"
  mkdir -p "$jars"
  mvn -q -B -f "$pom" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$jars" >"$cache/$version.log" 2>&1 || {
    grep -m 3 ERROR "$cache/$version.log" >&2 || true
    fail "Maven could not fetch RocketMQ $version (log: $cache/$version.log): check the network and Maven's settings.xml, then run this again."
  }
  echo "$sum" >"$jars/.complete"
}

mkdir -p "$cache"
# Two runs at once would delete each other's half-filled folders.
exec 9>"$cache/.lock"
if command -v flock >/dev/null; then flock 9; fi

versions=("$@")
[ ${#versions[@]} -gt 0 ] || mapfile -t versions < <(cd "$here" && ls -d */ | tr -d /)
for version in "${versions[@]}"; do fetch "$version"; done
