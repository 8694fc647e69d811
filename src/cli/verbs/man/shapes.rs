//! The words about what `--json` prints.

/// A JSON shape: the verb, a note, and each field with its meaning.
pub type Shape = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// What holds for every shape.
pub const JSON: &[&str] = &[
    "With --json every line of stdout is one JSON value. Each has schema, the version of its shape (1): within a version \
     fields keep their meaning, and new ones may come. A key that is not UTF-8 stands in key_base64 instead of key. Sizes \
     are bytes; times are RFC 3339 or null.",
];

/// What a listing took.
pub const ASKED: (&str, &str) = (
    "requests, request_dollars",
    "list requests that the listing took, and what they cost at price_class_a; null where that is not known",
);

const ASKED_AT_THE_END: (&str, &str) = ("requests, request_dollars", "of the last line: as for audit --summary");

const REQUESTS_OF_A_RUN: (&str, &str) = (
    "requests",
    "what the run asked of the store, by kind: list, head, get, put, copy, delete-many, delete; for runs in those parts that \
     came to an end",
);

const OBJECT_KEY: (&str, &str) = ("key or key_base64", "the exact key");

/// Every shape.
pub const SHAPES: &[Shape] = &[
    (
        "ls",
        "One line per object.",
        &[
            OBJECT_KEY,
            ("size", "bytes"),
            ("last_modified", "time of the last change"),
            ("etag", "entity tag without quotes, empty if there is none"),
            ("storage_class", "as the store names it"),
        ],
    ),
    (
        "du",
        "One line per folder and object directly under the prefix, then the total.",
        &[
            ("kind", "folder, object or total"),
            ("key or key_base64", "the key, or the prefix of a folder"),
            ("objects", "objects in it"),
            ("bytes", "bytes in it"),
            ("newest", "time of the newest change in it"),
            ASKED_AT_THE_END,
        ],
    ),
    (
        "audit",
        "One line per object.",
        &[
            OBJECT_KEY,
            ("size, last_modified, etag, storage_class", "as for ls"),
            ("verdict", "live, untracked, orphaned, conflict, unrecognized or undetermined"),
            ("flags", "list of flags"),
            ("project", "canonical id of the project that it is counted under, or null"),
            (
                "readings",
                "list of layout, health (canonical or legacy), project (canonical id), live (whether the registry has it) and \
                 fields (what the layout captured: user, project, scene, type, file, ext)",
            ),
            (
                "evidence",
                "because (the rule that decided), claims (list of kind row or reference, owner live, dead or unknown, \
                 project), sources (what was asked, with counts and times), age_seconds, judged_at",
            ),
        ],
    ),
    (
        "audit --summary",
        "One line.",
        &[
            ("objects, bytes", "of what was selected"),
            ("complete, incomplete_because", "whether the whole bucket was listed, and why not"),
            (
                "registry",
                "state (usable, absent or unusable), reasons, projects, tracked (null if keys are not tracked), sources",
            ),
            ("by_verdict", "for each verdict: objects, bytes"),
            ("by_flag", "for each flag: objects, bytes"),
            ("by_project", "list of project (null for objects of none), live, objects, bytes, by_verdict"),
            ("missing", "tracked or referenced keys that are not in the listing"),
            ASKED,
        ],
    ),
    (
        "plan trash, plan delete, registry backfill, registry prune",
        "One line; also if a guard refuses the drafted plan, which is then not written.",
        &[
            ("plan", "id of the plan"),
            ("kind", "trash, delete, backfill or prune"),
            ("file", "where it was written; null if a guard refuses or no file was named"),
            ("objects, bytes", "in the plan"),
            ("by_verdict", "for each verdict: objects, bytes"),
            ("by_project", "list of project, objects, bytes"),
            ("left_out", "objects that were meant and left out, by the reason: young, protected or a verdict"),
            ("not_in_bucket", "keys of --keys-from that are not in the bucket"),
            ("guards", "list of name, passed, message, protects, lowered_by"),
            (
                "atomic_deletes, deletes",
                "whether a deletion can only hit the object that was looked at, as measured by doctor --probe; in words",
            ),
            ("expires_at", "when it can no longer be applied"),
            ("confirm", "the text for apply --confirm; null if a guard refuses"),
        ],
    ),
    (
        "apply, resume, restore, trash empty",
        "One line at the end of the run.",
        &[
            ("run", "id of the run"),
            ("planned", "keys in the plan"),
            (
                "outcomes",
                "keys by outcome: deleted, trashed, restored, recorded, absent-before, deleted-by-earlier-attempt, skipped-changed, \
                 skipped-now-live, denied, locked, failed, unknown; they sum to planned",
            ),
            ("verified", "whether every key that should be gone was proved gone"),
            ("verification", "result (passed, still-there, inconclusive), still_there, why"),
            ("bytes_gone", "bytes that are gone"),
            (
                "rows",
                "of the registry: removed, added (by backfill), put_back (of restored keys), dropped (kept ones that can no longer \
                 return), left_read_only (they stay), listed_in (file of rows to remove), problem",
            ),
            ("cancelled", "whether the user stopped it"),
            ("stopped", "why it stopped early, or null"),
            ("success", "whether nothing failed, nothing is unknown and the proof holds"),
            REQUESTS_OF_A_RUN,
            ("seconds", "how long it took"),
        ],
    ),
    (
        "verify",
        "One line.",
        &[
            ("run", "id of the run"),
            ("verified", "whether everything that should be gone is proved gone"),
            ("verification", "result, still_there, why"),
            ("gone", "objects proved gone"),
            ("recreated", "list of keys that hold another object now"),
            ("still_there", "list of keys that still hold the object that should be gone"),
        ],
    ),
    (
        "runs, runs show",
        "One line per run; for runs show one line for the run, then one per key.",
        &[
            ("run, started_at, endpoint, bucket, planned, outcomes", "of the run"),
            ("verification", "the last one, or null"),
            ("finished, cancelled, stopped", "how it ended"),
            ("under_way", "who carries it out at this moment, or null"),
            REQUESTS_OF_A_RUN,
            ("damage", "what is wrong with its journal, or null"),
            ("key or key_base64, size, outcome, why", "of a key; outcome is null if none was recorded"),
        ],
    ),
    (
        "trash list",
        "One line per run.",
        &[
            ("run", "id of the run that moved it there; null for what no run did"),
            ("objects, bytes", "in the trash"),
            ("newest", "when the last of it came there"),
        ],
    ),
    (
        "trash lifecycle",
        "One line.",
        &[
            ("rules, own", "every rule of the bucket as its store wrote it; the one for the trash, or null"),
            ("document", "what would be written"),
            ("differs, written", "whether that is something else than there is; whether it was written"),
        ],
    ),
    (
        "registry check",
        "One line per difference, then the summary.",
        &[
            (
                "kind",
                "untracked, missing, wrong-size, repeated or dead-row; with --project also only-registry, only-bucket and both; \
                 summary in the last line",
            ),
            OBJECT_KEY,
            ("size", "bytes of the object"),
            ("project, owner", "whose, and whether that is live, dead or unknown"),
            ("claim", "row or reference"),
            ("proof", "of a missing key: proved, there-after-all, unproven or not-asked"),
            ("recorded", "bytes that the row says"),
            ("rows", "how many rows have the key"),
            (
                "agrees, problem, in_both, untracked, missing, missing_proved, wrong_sizes, repeated, dead_rows",
                "of the summary: whether nothing differs, why the comparison cannot be trusted, and counts",
            ),
            ASKED_AT_THE_END,
        ],
    ),
    (
        "audit --explain",
        "One line per object of the project.",
        &[("found_by", "registry, layout or both"), OBJECT_KEY, ("size, verdict", "as for audit")],
    ),
    (
        "runs export, runs check",
        "One value: the fields of runs, and:",
        &[("file", "the bundle"), ("seal", "digest over all of it")],
    ),
    (
        "layouts test",
        "One line per key.",
        &[
            OBJECT_KEY,
            ("readings", "as for audit, without live"),
            ("overflow", "whether there may be more readings"),
            ("layouts", "list of layout, template, health, reads, why_not"),
        ],
    ),
    (
        "doctor",
        "One line per check.",
        &[
            ("check", "what was checked"),
            ("status", "ok, note (it works, and somebody should know) or failed"),
            ("seen", "what was found"),
            ("mend", "how to mend it; empty if there is nothing to mend"),
        ],
    ),
    (
        "config show",
        "One line per setting.",
        &[
            ("setting", "its name in the configuration file"),
            ("value", "its value, hidden where it is a secret; null if it is not set"),
            ("origin", "where it came from"),
        ],
    ),
    ("config path, config init", "One line.", &[("path", "the configuration file")]),
    (
        "demo --serve",
        "One line when the bucket can be reached.",
        &[
            ("endpoint, bucket, region", "where it is"),
            ("access_key_id, secret_access_key", "credentials that open this sample data only"),
            ("registry", "the SQLite file beside it"),
        ],
    ),
];
