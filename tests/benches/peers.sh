#!/usr/bin/env bash
# Lists and deletes the same keys with bucketree and with every peer that is installed, on one server in one run, and prints
# wall time, CPU, peak memory and the ratio to bucketree. Installs nothing: what is not there is left out.
#
#   tests/benches/peers.sh list   [OBJECTS [MILLISECONDS...]]
#   tests/benches/peers.sh delete [OBJECTS [MILLISECONDS...]]
#
# BUCKETREE, S5CMD, RCLONE, AWS, S3P name the programs; each defaults to what the path has. The server is that of the bench
# `listing` (BENCH, else built by cargo), unless ENDPOINT, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY name another one whose
# bucket `bench` is filled already (listing only). ROUNDS (3) rounds are interleaved; the least of each counts.
set -euo pipefail
cd "$(dirname "$0")/../.."
what=${1:-list}
objects=${2:-$([ "$what" = list ] && echo 200000 || echo 50000)}
shift $(( $# < 2 ? $# : 2 ))
latencies=("$@")
[ ${#latencies[@]} -gt 0 ] || latencies=(0 50)
rounds=${ROUNDS:-3}
kind=${KIND:-mixed}
scratch=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$scratch"' EXIT

bucketree=${BUCKETREE:-target/release/bucketree}
bench=${BENCH:-$(cargo bench --no-run --bench listing --message-format short 2>&1 | sed -n 's/.*(\(.*listing-[^)]*\)).*/\1/p')}
find_program() { command -v "$1" 2>/dev/null || true; }
s5cmd=${S5CMD:-$(find_program s5cmd)}
rclone=${RCLONE:-$(find_program rclone)}
aws=${AWS:-$(find_program aws)}
s3p=${S3P:-$(find_program s3p)}

export AWS_ACCESS_KEY_ID=${AWS_ACCESS_KEY_ID:-id} AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY:-secret}
export AWS_REGION=${AWS_REGION:-auto} AWS_DEFAULT_REGION=${AWS_REGION:-auto} AWS_EC2_METADATA_DISABLED=true
export BUCKETREE_STATE_DIR=$scratch/state BUCKETREE_CONFIG=$scratch/config.toml RCLONE_CONFIG=/dev/null
unset AWS_CA_BUNDLE

start_server() { # milliseconds
  [ -n "${ENDPOINT:-}" ] && { endpoint=$ENDPOINT; return; }
  # What an earlier server wrote must not be read for this one's.
  rm -f "$scratch/endpoint"
  "$bench" serve "$kind" "$objects" "$1" > "$scratch/endpoint" &
  server=$!
  until [ -s "$scratch/endpoint" ]; do kill -0 "$server"; sleep 0.05; done
  endpoint=$(head -1 "$scratch/endpoint")
}
stop_server() { [ -z "$server" ] || { kill "$server"; wait "$server" 2>/dev/null || true; server=; }; }

timed() { # name command...: one line "name wall user system kilobytes" in the results
  local name=$1; shift
  if /usr/bin/time -o "$scratch/time" -f '%e %U %S %M' "$@" > "$scratch/out" 2> "$scratch/err"; then
    echo "$name $(tail -1 "$scratch/time")" >> "$scratch/results"
  else
    echo "$name failed: $(tail -1 "$scratch/err")" >&2
  fi
}
remote() { echo ":s3,provider=Other,endpoint='$endpoint',access_key_id=$AWS_ACCESS_KEY_ID,secret_access_key=$AWS_SECRET_ACCESS_KEY,region=$AWS_REGION,force_path_style=true,list_version=2:bench"; }

list_once() {
  timed bucketree "$bucketree" --endpoint "$endpoint" --bucket bench --region "$AWS_REGION" ls
  [ -z "$s5cmd" ] || timed s5cmd "$s5cmd" --endpoint-url "$endpoint" ls 's3://bench/*'
  [ -z "$rclone" ] || timed rclone "$rclone" lsf -R --fast-list --files-only "$(remote)"
  [ -z "$aws" ] || timed aws "$aws" --endpoint-url "$endpoint" s3api list-objects-v2 --bucket bench --query 'length(Contents)'
  [ -z "$s3p" ] || AWS_ENDPOINT_URL=$endpoint timed s3p "$s3p" ls --bucket bench --quiet
}

delete_with() { # name milliseconds: a fresh bucket for each
  start_server "$2"
  case $1 in
    bucketree)
      rm -rf "$scratch/state" "$scratch/plan.jsonl"
      echo proj_kept > "$scratch/projects.txt"
      cat > "$scratch/delete.sh" <<SH
set -e
export BUCKETREE_REGISTRY="$scratch/projects.txt" BUCKETREE_MAX_BYTES='1000 TB' BUCKETREE_MAX_PROJECTS=1000000
program() { "$bucketree" --endpoint "$endpoint" --bucket bench --region "$AWS_REGION" "\$@"; }
program plan delete --all --max-objects $objects --max-share 100% -o "$scratch/plan.jsonl"
program apply "$scratch/plan.jsonl" --confirm 'EMPTY bench $objects'
SH
      timed bucketree bash "$scratch/delete.sh" ;;
    s5cmd) timed s5cmd "$s5cmd" --endpoint-url "$endpoint" rm 's3://bench/*' ;;
    rclone) timed rclone "$rclone" delete --fast-list --checkers 64 --transfers 64 "$(remote)" ;;
  esac
  curl -s "$endpoint/counts" | sed "s/^/    $1: /" || true
  stop_server
}

report() { # milliseconds
  echo "$what $objects keys ($kind), $1 ms a request; least of $rounds"
  printf '  %-12s%10s%10s%12s%12s%10s\n' program 'wall s' 'cpu s' 'keys/s' 'peak MiB' ratio
  sort -k1,1 -k2,2n "$scratch/results" | awk '!seen[$1]++' | awk -v objects="$objects" '
    { wall[$1] = $2; cpu[$1] = $3 + $4; memory[$1] = $5 / 1024; order[++count] = $1 }
    END { for (at = 1; at <= count; at++) { name = order[at]
      printf "  %-12s%10.2f%10.2f%12.0f%12.0f%9.2fx\n", name, wall[name], cpu[name], objects / wall[name], memory[name], wall[name] / wall["bucketree"] } }'
}

for latency in "${latencies[@]}"; do
  : > "$scratch/results"
  if [ "$what" = list ]; then
    start_server "$latency"
    for _ in $(seq "$rounds"); do list_once; done
    stop_server
  else
    for _ in $(seq "$rounds"); do
      delete_with bucketree "$latency"
      [ -z "$s5cmd" ] || delete_with s5cmd "$latency"
      [ -z "$rclone" ] || [ "$latency" -gt 0 ] || delete_with rclone "$latency"
    done
  fi
  report "$latency"
done
