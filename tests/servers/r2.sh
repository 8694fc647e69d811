#!/usr/bin/env bash
# Cloudflare's own local R2 with its S3 endpoint, as `wrangler dev` runs it: R2's quirks, without an account.
#
#   r2.sh install            Node.js and wrangler from npm into the user's cache, if missing
#   r2.sh start DIRECTORY    prints `export BUCKETREE_TEST_S3_R2='endpoint,bucket,region,access_key,secret_key'`
#   r2.sh stop DIRECTORY
#
# The endpoint has a path, as in http://127.0.0.1:18787/cdn-cgi/local/r2/s3: a client must keep it before the bucket.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Older versions have no S3 endpoint; it is experimental, so the version is pinned.
wrangler_version=4.164.0
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bucketree/wrangler-$wrangler_version

install() {
  command -v curl >/dev/null || apt_install curl
  [[ -e $cache/complete ]] && return
  command -v npm >/dev/null || apt_install npm
  mkdir --parents "$cache"
  # Two starts at once install once.
  exec 9>"$cache/lock"
  flock 9
  if [[ ! -e $cache/complete ]]; then
    note "installing wrangler $wrangler_version"
    # wrangler needs Node.js 22.12, which is newer than what most distributions have.
    npm install --prefix "$cache" --no-audit --no-fund --loglevel=error "node-linux-$(node_architecture)@22" \
      "wrangler@$wrangler_version" >&2
    touch "$cache/complete"
  fi
  exec 9>&-
}

node_architecture() {
  case $(uname --machine) in
    x86_64) echo x64 ;;
    aarch64) echo arm64 ;;
    *) fail "no Node.js package for $(uname --machine)" ;;
  esac
}

configuration() {
  cat <<END
{
  "name": "bucketree-test", "main": "worker.js", "compatibility_date": "2026-06-01", "send_metrics": false,
  "r2_buckets": [{ "binding": "BUCKET", "bucket_name": "$bucket", "local_dev": { "experimental_s3_credentials": {
    "accessKeyId": "$access_key", "secretAccessKey": "$secret_key" } } }],
  "dev": { "ip": "127.0.0.1", "port": $port, "inspector_port": $inspector_port }
}
END
}

start() {
  local bucket=conformance modules=$cache/node_modules port inspector_port endpoint node
  access_key=$(random_hex 16) secret_key=$(random_hex 32)
  port=$(free_port 18787) inspector_port=$(free_port 19230)
  rm --recursive --force "$directory/data"
  configuration >"$directory/wrangler.jsonc"
  # wrangler serves R2 only beside a Worker.
  echo 'export default { fetch: () => new Response("see /cdn-cgi/local/r2/s3") };' >"$directory/worker.js"

  node=$modules/node-linux-$(node_architecture)/bin
  export PATH=$node:$PATH
  # Nothing is to be asked of the user, of Cloudflare, or sent to it.
  export CI=1 WRANGLER_SEND_METRICS=false WRANGLER_SEND_ERROR_REPORTS=false CLOUDFLARE_CF_FETCH_ENABLED=false
  export WRANGLER_LOG_PATH=$directory/wrangler
  launch wrangler node "$modules/wrangler/bin/wrangler.js" dev --local --persist-to "$directory/data" \
    --config "$directory/wrangler.jsonc"
  endpoint=http://127.0.0.1:$port/cdn-cgi/local/r2/s3
  wait_until 60 'the bucket can be listed' signed GET auto "$endpoint/$bucket?list-type=2"

  echo "export BUCKETREE_TEST_S3_R2='$endpoint,$bucket,auto,$access_key,$secret_key'"
}

run_verb "$@"
