#!/usr/bin/env bash
# MariaDB on loopback, with a directory of its own.
#
#   mariadb.sh install          the Debian packages, if missing
#   mariadb.sh start DIRECTORY  prints `export BUCKETREE_TEST_MARIADB='mysql://user:password@host:port/database'`
#   mariadb.sh stop DIRECTORY
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

install() { command -v mariadbd >/dev/null || apt_install mariadb-server; }

start() {
  local port password owner=()
  port=$(free_port 15560) password=$(random_hex 12)
  [[ $(id --user) != 0 ]] || owner=(--user=root)
  rm --recursive --force "$directory/data"
  mkdir "$directory/data"
  mariadb-install-db --no-defaults "${owner[@]}" --datadir="$directory/data" --auth-root-authentication-method=normal \
    --skip-test-db >"$directory/setup.log" 2>&1
  cat >"$directory/first.sql" <<END
CREATE DATABASE bucketree CHARACTER SET utf8mb4;
CREATE USER tester@'%' IDENTIFIED BY '$password';
GRANT ALL ON *.* TO tester@'%' WITH GRANT OPTION;
END
  # Not written to the disk more than needed: the data is thrown away.
  launch mariadb mariadbd --no-defaults "${owner[@]}" --datadir="$directory/data" --port="$port" --bind-address=127.0.0.1 \
    --socket="$directory/socket" --pid-file="$directory/server.id" --init-file="$directory/first.sql" \
    --debug-no-sync --innodb-flush-log-at-trx-commit=0 --skip-name-resolve
  wait_until 60 'the database answers' mariadb --no-defaults --protocol=tcp --host=127.0.0.1 --port="$port" \
    --user=tester --password="$password" --execute='SELECT 1' bucketree
  echo "export BUCKETREE_TEST_MARIADB='mysql://tester:$password@127.0.0.1:$port/bucketree'"
}

run_verb "$@"
