#!/usr/bin/env bash
# A server that speaks MongoDB's wire protocol (NX-27017 over SQLite): the official driver talks to it, as little of the
# rest as it knows. Fit for correctness, not for speed. MongoDB itself cannot be installed from the usual places.
#
#   mongodb.sh install            NX-27017 from PyPI into the user's cache, if missing
#   mongodb.sh start DIRECTORY    prints `export BUCKETREE_TEST_MONGODB='mongodb://127.0.0.1:PORT'`
#   mongodb.sh stop DIRECTORY
#
# Where BUCKETREE_TEST_MONGODB is set to the address of a real MongoDB, the tests talk to that one instead.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

version=0.8.1
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bucketree/nx-27017-$version

install() {
  [[ -e $cache/complete ]] && return
  python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
  mkdir --parents "$cache"
  # Two starts at once install once.
  exec 9>"$cache/lock"
  flock 9
  if [[ ! -e $cache/complete ]]; then
    note "installing NX-27017 $version"
    python3 -m venv "$cache/venv" >&2
    "$cache/venv/bin/pip" install --quiet --disable-pip-version-check "nx-27017==$version" >&2
    touch "$cache/complete"
  fi
  exec 9>&-
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

start() {
  local port
  port=$(free_port 27117)
  # Each database apart from the others, and in memory.
  launch mongodb "$cache/venv/bin/nx-27017" --data-dir memory --host 127.0.0.1 --port "$port" \
    --log-file "$directory/nx.log" --pid-file "$directory/nx.pid"
  wait_until 30 'the port answers' listening

  echo "export BUCKETREE_TEST_MONGODB='mongodb://127.0.0.1:$port'"
}

run_verb "$@"
