#!/usr/bin/env bash
# moto's S3 server, which honours If-Match on DELETE as AWS does (though not the ETags of a batch), unlike the other servers
# that run here.
# It checks no signatures, and is slow.
#
#   moto.sh install            Python's package from PyPI into the user's cache, if missing
#   moto.sh start DIRECTORY    prints `export BUCKETREE_TEST_S3_MOTO='endpoint,bucket,region,access_key,secret_key'`
#   moto.sh stop DIRECTORY
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Others may answer otherwise.
moto_version=5.2.5
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bucketree/moto-$moto_version

install() {
  command -v curl >/dev/null || apt_install curl
  [[ -e $cache/complete ]] && return
  python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3 python3-venv
  mkdir --parents "$cache"
  # Two starts at once install once.
  exec 9>"$cache/lock"
  flock 9
  if [[ ! -e $cache/complete ]]; then
    note "installing moto $moto_version"
    python3 -m venv "$cache/venv"
    "$cache/venv/bin/pip" install --quiet --disable-pip-version-check "moto[server]==$moto_version" >&2
    touch "$cache/complete"
  fi
  exec 9>&-
}

start() {
  local bucket=conformance port endpoint
  access_key=$(random_hex 10) secret_key=$(random_hex 20)
  port=$(free_port 15570)
  launch moto "$cache/venv/bin/moto_server" --host 127.0.0.1 --port "$port"
  endpoint=http://127.0.0.1:$port
  wait_until 60 'the server made a bucket' signed PUT us-east-1 "$endpoint/$bucket"

  echo "export BUCKETREE_TEST_S3_MOTO='$endpoint,$bucket,us-east-1,$access_key,$secret_key'"
}

run_verb "$@"
