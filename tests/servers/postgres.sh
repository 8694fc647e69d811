#!/usr/bin/env bash
# PostgreSQL on loopback, with a directory of its own.
#
#   postgres.sh install          the Debian packages, if missing
#   postgres.sh start DIRECTORY  prints `export BUCKETREE_TEST_POSTGRES='postgres://user:password@host:port/database'`,
#                                and the same of a standby as BUCKETREE_TEST_POSTGRES_STANDBY
#   postgres.sh stop DIRECTORY
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

programs() { find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort --version-sort | tail --lines=1; }

# The package would start a server of its own; what was not asked for is not started.
install() {
  [[ -n $(programs) ]] && return
  mkdir --parents /etc/postgresql-common
  [[ -e /etc/postgresql-common/createcluster.conf ]] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  apt_install postgresql
}

# The server refuses to run as root.
owner=()
[[ $(id --user) != 0 ]] || owner=(setpriv --reuid=postgres --regid=postgres --clear-groups)

# cluster NAME: makes an empty one in DIRECTORY/NAME.
cluster() {
  rm --recursive --force "${directory:?}/$1"
  mkdir "$directory/$1"
  [[ ${#owner[@]} == 0 ]] || chown postgres "$directory/$1"
  "${owner[@]}" "$bin/initdb" --pgdata="$directory/$1" --username=tester --auth=scram-sha-256 \
    --pwfile="$directory/password" --encoding=UTF8 --locale=C.UTF-8 >>"$directory/setup.log" 2>&1
}

# serve NAME PORT: not written to the disk more than needed, since the data is thrown away.
serve() {
  launch "$1" "${owner[@]}" "$bin/postgres" -D "$directory/$1" -p "$2" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c fsync=off -c ssl=off
}

ask() { "$bin/psql" --no-psqlrc --host=127.0.0.1 --port="$1" --username=tester --dbname=postgres --command="$2"; }

# The standby is a copy that waits for a primary that never speaks: it is read as any replica is.
start() {
  local bin port standby_port password
  bin=$(programs) password=$(random_hex 12)
  : >"$directory/setup.log"
  echo "$password" >"$directory/password"
  chmod 0644 "$directory/password"
  # The owner needs a way to its directory.
  [[ ${#owner[@]} == 0 ]] || chmod o+x "$directory"
  cluster primary
  cluster standby
  touch "$directory/standby/standby.signal"
  port=$(free_port 15430)
  serve primary "$port"
  export PGPASSWORD=$password
  wait_until 60 'the database answers' ask "$port" 'CREATE DATABASE bucketree'
  standby_port=$(free_port 15630)
  serve standby "$standby_port"
  wait_until 60 'the standby answers' ask "$standby_port" 'SELECT pg_is_in_recovery()'
  echo "export BUCKETREE_TEST_POSTGRES='postgres://tester:$password@127.0.0.1:$port/bucketree'" \
    "BUCKETREE_TEST_POSTGRES_STANDBY='postgres://tester:$password@127.0.0.1:$standby_port/postgres'"
}

run_verb "$@"
