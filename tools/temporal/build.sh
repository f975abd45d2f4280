#!/usr/bin/env bash
# Builds the Temporal CLI with its embedded server. Usage: tools/temporal/build.sh <version> <file>
#
# It compiles some 1,200 packages and links them: 3 to 5 minutes on two cores, once. Every 10 s it says how far it is.
# Without -trimpath, so that the standard library is compiled once for this and for rocketshift's own programs, and without
# Google Cloud Storage over gRPC (disable_grpc_modules), 124 packages for archives that a development server never writes.
set -euo pipefail
version=$1 file=$(realpath -m "$2")
cd "$(dirname "$0")"
program=github.com/temporalio/cli/cmd/temporal
tags=disable_grpc_modules
name="the Temporal CLI $version"

echo "$name: downloading its sources, and looking at what is to be compiled"
wanted=$(go list -deps -tags "$tags" -f '{{if .Stale}}{{.ImportPath}}{{end}}' "$program" | grep -c . || true)
log=$(mktemp)

tell() {
  while sleep 10; do
    compiled=$(wc -l <"$log")
    [ "$compiled" -ge "$wanted" ] && step="linking" || step="$compiled of $wanted packages compiled"
    echo "$name: $step after $SECONDS s; 3 to 5 minutes in all on two cores, once"
  done
}
tell &
teller=$!
trap 'kill "$teller" 2>/dev/null; rm -f "$log"' EXIT

if ! go build -v -tags "$tags" -ldflags "-s -w -X github.com/temporalio/cli/temporalcli.Version=$version" -o "$file.new" "$program" >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "$name could not be built: see above, then run this again; what is compiled is kept" >&2
  exit 1
fi
mv "$file.new" "$file"
echo "$name: built in $SECONDS s"
