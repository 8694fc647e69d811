#!/usr/bin/env bash
# A one-node Ceph object gateway on loopback, its data in memory: an S3 server that nobody here wrote.
#
#   rgw.sh install            the Debian packages, if missing
#   rgw.sh start DIRECTORY    prints `export BUCKETREE_TEST_S3_RGW='endpoint,bucket,region,access_key,secret_key'`
#   rgw.sh stop DIRECTORY
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

install() { apt_install curl ceph-mon ceph-osd radosgw ceph-base ceph-common; }

# No authentication between the daemons: they are alone on loopback. Without it they cannot encrypt either, and refuse
# to talk at all unless every mode says `crc`.
configuration() {
  cat <<END
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon_host = [v2:127.0.0.1:$monitor_port/0]
mon_initial_members = a
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_cluster_mode = crc
ms_service_mode = crc
ms_client_mode = crc
ms_mon_cluster_mode = crc
ms_mon_service_mode = crc
ms_mon_client_mode = crc
mon_allow_pool_size_one = true
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_crush_chooseleaf_type = 0
osd_objectstore = memstore
memstore_device_bytes = 4294967296
mon_data = $directory/mon
osd_data = $directory/osd
rgw_data = $directory/rgw
mgr_data = $directory/mgr
run_dir = $directory/run
crash_dir = $directory/run
admin_socket = $directory/run/\$name.\$pid.asok
log_file = $directory/\$name.ceph.log
rgw_enable_usage_log = false
rgw_frontends = beast endpoint=127.0.0.1:$gateway_port
END
}

start() {
  local bucket=conformance monitor_port gateway_port osd_uuid
  access_key=$(random_hex 10) secret_key=$(random_hex 20)
  monitor_port=$(free_port 13300) gateway_port=$(free_port 17480)
  # Data of an earlier start does not survive: each start has an empty bucket.
  rm --recursive --force "$directory"/{mon,osd,rgw,mgr,run}
  mkdir "$directory"/{mon,osd,rgw,mgr,run}
  export CEPH_CONF=$directory/ceph.conf
  configuration >"$CEPH_CONF"

  local fsid
  fsid=$(sed --quiet 's/^fsid = //p' "$CEPH_CONF")
  monmaptool --create --clobber --addv a "[v2:127.0.0.1:$monitor_port]" --fsid "$fsid" "$directory/monmap" \
    >"$directory/setup.log"
  ceph-mon --mkfs --id a --monmap "$directory/monmap" >>"$directory/setup.log" 2>&1
  launch monitor ceph-mon --foreground --id a
  wait_until 60 'the monitor answers' timeout 10 ceph status

  osd_uuid=$(cat /proc/sys/kernel/random/uuid)
  ceph osd new "$osd_uuid" >>"$directory/setup.log" 2>&1
  ceph-osd --mkfs --id 0 --osd-uuid "$osd_uuid" >>"$directory/setup.log" 2>&1
  launch storage ceph-osd --foreground --id 0
  # It creates its pools, so it waits for the storage by itself.
  timeout 120 radosgw-admin user create --uid test --display-name test --access-key "$access_key" \
    --secret-key "$secret_key" >>"$directory/setup.log" 2>&1 || fail 'the user was not created'
  launch gateway radosgw --foreground --name client.rgw.a
  wait_until 120 'the gateway made a bucket' signed PUT default "http://127.0.0.1:$gateway_port/$bucket"

  echo "export BUCKETREE_TEST_S3_RGW='http://127.0.0.1:$gateway_port,$bucket,default,$access_key,$secret_key'"
}

run_verb "$@"
