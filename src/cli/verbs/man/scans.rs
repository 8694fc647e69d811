//! The words about kept scans.

use super::shapes::{ASKED, Shape};

/// What a kept scan is, and what may be done with one.
pub const KEPT_SCANS: &[&str] = &[
    "`scan` lists the whole bucket and keeps the listing in the state folder, as the console, audit, plan and \
     registry do after each complete one; the newest five of each bucket are kept (kept_scans). The console shows the last one at once, says how old it is, and \
     lists the bucket behind it: until that has ended nothing is marked in bulk and nothing is planned. `scans` lists what \
     is kept.",
    "`scan --out` writes a scan to a new file, or as a new object with s3://BUCKET/KEY at the same endpoint, in one request. \
     Neither ever replaces anything. Only complete listings are kept.",
    "ls, du, audit, usage and the console look into a scan in a file with --from; the registry is asked as always, the bucket never. \
     Ages are counted up to now. Whatever plans, deletes or asks the bucket refuses --from.",
    "`diff A B` says what came, went and changed from scan A to scan B. A key has changed if its tag, time, class or size has; \
     it has grown if it has more bytes. With --summary the totals by folder (--levels) and by the project that the \
     keys name; no registry is asked.",
    "A scan is a Parquet file that any reader of Parquet takes. Columns: key (bytes), size (unsigned), etag (text, empty if \
     there was none), last_modified (milliseconds, UTC; null if the store gave none), storage_class (text); one row for each \
     object in the order of the keys' bytes. Key-value metadata: bucketree.schema (1), id, tool, endpoint, account, bucket, \
     region, folds_nfc, prefix (percent-encoded), begun, ended, server_time, complete, requests, objects, and sha256, all \
     with bucketree. before their names. sha256 is the SHA-256 of the whole file in which its own 64 digits are zeros. A \
     file in which one byte was changed, or that was written anew by another program, is refused here.",
    "In DuckDB, the folders that take the most: SELECT split_part(decode(key), '/', 1) AS folder, count(*) AS objects, \
     sum(size) AS bytes FROM 'scan.parquet' GROUP BY folder ORDER BY bytes DESC. What was listed and when: SELECT \
     decode(key), decode(value) FROM parquet_kv_metadata('scan.parquet').",
];

/// What the numbers of `usage` are.
pub const USAGE: &[&str] = &[
    "`usage` groups objects by what the first layout that reads the key says: project, user, layout, or type (the kind of \
     media, else the ending); or by age. No registry is asked. Costs are those of storage at price_per_gb and \
     price_per_gb_infrequent, by default R2's prices of $0.015 and $0.01 for 10^9 bytes and a month \
     (https://developers.cloudflare.com/r2/pricing/); free allowances are not taken off.",
    "Whatever lists the bucket says how many requests that took, and what they cost: a million requests that list, write or \
     copy at price_class_a, a million that read at price_class_b; deletions are free of charge. By default these are $4.50 and \
     $0.36 on R2, $5.00 and $0.40 on Amazon's S3 (https://aws.amazon.com/s3/pricing/), and unknown elsewhere: then only the \
     requests are told. A run counts its requests by kind; `runs show` has them. What is repeated because a read failed \
     counts once, and so does a copy by parts.",
];

/// What `uploads` does.
pub const UPLOADS: &[&str] = &[
    "`uploads list` shows multipart uploads that were begun and neither completed nor ended: their parts cost, and no listing of \
     objects has them. `uploads abort` ends those older than min_age (--older-than for more). It says which they are, and ends \
     them only with --confirm and the bucket's name and their number; parts that were sent are gone then, objects are not \
     touched. Each is written to uploads.jsonl in the state folder before it is sent, and again with what came of it. \
     Stores without these requests are said to be.",
];

/// The shapes of their verbs.
pub const SHAPES: &[Shape] = &[
    (
        "uploads list, uploads abort",
        "One line per upload.",
        &[
            ("key or key_base64", "the key that it would become"),
            ("upload, begun", "its id, and when it was begun"),
            ("outcome", "of uploads abort --confirm: aborted, absent (somebody was faster) or unknown"),
        ],
    ),
    (
        "usage",
        "One line per group, then the total.",
        &[
            ("kind, by", "group or total; project, user, layout, type or age"),
            ("name", "of the group; null for what no layout reads, for what has no time, and for the total"),
            ("objects, bytes", "in it"),
            ("dollars_a_month", "what storing it costs at price_per_gb and price_per_gb_infrequent"),
            ("requests, request_dollars", "of the total: as for audit --summary"),
        ],
    ),
    (
        "scan, scans",
        "One line per scan.",
        &[
            ("id", "id of the scan"),
            ("endpoint, bucket", "what was listed"),
            ("prefix", "key or key_base64: only keys that begin with it were listed"),
            ("begun, ended", "by the clock of the machine that listed"),
            ("server_time", "the server's clock at the first page, or null"),
            ASKED,
            ("objects", "objects listed"),
            ("file, file_bytes", "where it is, and how long that file or object is"),
        ],
    ),
    (
        "diff",
        "One line per key that differs.",
        &[
            ("change", "added, removed, grown or changed"),
            ("key or key_base64", "the exact key"),
            ("before, after", "size, last_modified, etag, storage_class in each scan; null where it is not there"),
        ],
    ),
    (
        "diff --summary",
        "One line.",
        &[
            ("before, after", "the scans, as for scans but for the file"),
            ("by_change", "for each change: objects, bytes (of grown ones those that they have more)"),
            ("net_bytes", "bytes that there are more than before"),
            ("by_folder", "list of key or key_base64 (the folder), by_change, net_bytes"),
            ("by_project", "list of project (null for none), by_change, net_bytes"),
        ],
    ),
];
