# shellcheck shell=bash
# Shared by the scripts that run a test server: sourced, not run.
# Standard output belongs to the one `export` line that a script prints; everything else goes to standard error.

note() { echo "${0##*/}: $*" >&2; }
fail() { note "$*"; exit 1; }

usage() { fail "usage: ${0##*/} install | start DIRECTORY | stop DIRECTORY"; }

# free_port FIRST: the first loopback port from FIRST on that nobody listens on.
free_port() {
  local port
  for ((port = $1; port < $1 + 200; port++)); do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
  fail "no free port between $1 and $port"
}

# wait_until SECONDS WHAT COMMAND...: asks COMMAND again and again until it succeeds.
wait_until() {
  local seconds=$1 what=$2 deadline
  shift 2
  deadline=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || fail "$what: not so after $seconds s"
    sleep 0.1
  done
}

# apt_install PACKAGE...: installs those that are missing.
apt_install() {
  local missing=() package
  for package in "$@"; do
    dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep --quiet --line-regexp installed ||
      missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  note "installing ${missing[*]}"
  [[ $(id --user) == 0 ]] || fail "needs root to install: apt-get install --no-install-recommends ${missing[*]}"
  # The lists of packages may be missing or too old to name files that still exist: look again, once.
  apt_get install "${missing[@]}" || { apt-get update >&2 && apt_get install "${missing[@]}"; }
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$1" --yes --quiet --no-install-recommends \
    "${@:2}" >&2
}

# launch NAME COMMAND...: runs COMMAND in the background in a session of its own, its output in DIRECTORY/NAME.log.
launch() {
  local name=$1
  shift
  setsid "$@" </dev/null >"$directory/$name.log" 2>&1 &
  echo $! >"$directory/$name.pid"
}

# running NAME: whether the process that `launch` started is alive, and is still that one: ids are used again.
running() {
  local pid
  pid=$(cat "$directory/$1.pid" 2>/dev/null) || return 1
  tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" | grep --quiet --line-regexp --fixed-strings "BUCKETREE_SERVER=$directory"
}

# Stops whatever `launch` started, with all children.
stop_all() {
  local file name pid
  for file in "$directory"/*.pid; do
    [[ -e $file ]] || continue
    name=$(basename "$file" .pid)
    if running "$name"; then
      pid=$(cat "$file")
      kill -TERM -- "-$pid" 2>/dev/null || true
      for _ in {1..30}; do running "$name" || break; sleep 0.1; done
      # The data is thrown away, so nothing is lost by not waiting for a slow goodbye.
      kill -KILL -- "-$pid" 2>/dev/null || true
    fi
    rm --force "$file"
  done
}

# signed METHOD REGION URL: one S3 request without a body, by $access_key and $secret_key; succeeds on a 2xx.
# shellcheck disable=SC2154 # the script that sources this sets them
signed() {
  curl --silent --fail --max-time 5 --request "$1" --aws-sigv4 "aws:amz:$2:s3" --user "$access_key:$secret_key" \
    --header 'x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' "$3"
}

random_hex() { od --address-radix=n --format=x1 --read-bytes="$1" /dev/urandom | tr --delete ' \n'; }

# run_verb VERB [DIRECTORY]: what every server script ends with; the script defines `install` and `start`.
run_verb() {
  local verb=${1-}
  case $verb in
    install)
      (($# == 1)) || usage
      install
      ;;
    start | stop)
      (($# == 2)) || usage
      mkdir --parents "$2"
      directory=$(cd "$2" && pwd)
      export BUCKETREE_SERVER=$directory
      stop_all
      if [[ $verb == start ]]; then
        install
        trap 'status=$?; ((status == 0)) || { note "see the logs in $directory"; stop_all; }' EXIT
        start
      fi
      ;;
    *) usage ;;
  esac
}
