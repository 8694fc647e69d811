//! The words of the manual page that do not follow from the command line.

/// A section: its title and paragraphs.
type Section = (&'static str, &'static [&'static str]);

/// What comes between the verbs and the JSON shapes.
pub const SECTIONS: &[Section] = &[
    (
        "VERDICTS",
        &[
            "live: a layout's reading names a live project and, where keys are tracked, the registry has the key; or no \
             layout reads the key and a live row or reference has it.",
            "untracked: the key names a live project, the registry tracks keys and does not have this one.",
            "orphaned: at least one reading, and every reading names a project that the registry does not have.",
            "conflict: key and registry disagree.",
            "unrecognized: no reading at all; kept.",
            "undetermined: the listing is incomplete or the registry cannot be trusted; nothing can be said.",
            "Flags stand beside the verdict: double-prefixed, legacy, young, duplicate, protected.",
        ],
    ),
    (
        "SELECTORS",
        &[
            "Selectors of different kinds are combined by and. Of several values of one kind one must hold; of several \
             flags all. --project, --scene, --user and --layout must hold of one and the same reading; a project also \
             of a row of the registry. Ids are compared as whole tokens without their prefix: proj_1 is 1 and never 10.",
            "Without --verdict, plan selects orphaned objects. Untracked objects are planned only on their own. Objects of \
             any other verdict are planned only if they are named one by one with --keys-from, or if a place is cleared.",
            "To clear a place, name it with --prefix, --scene, --user or --all (the whole bucket). Orphaned objects are \
             planned; what else lies there is counted by its verdict and kept, unless that verdict is named too: --all \
             --verdict orphaned --verdict live. Undetermined objects are only ever planned by --keys-from. The caps hold; \
             --max-objects and --max-share lift them. A plan for the whole bucket, and one that would empty it, is \
             confirmed with EMPTY before the bucket and the number.",
            "A file of --keys-from whose name ends in .jsonl holds JSON lines with key or key_base64, as `audit --json` and \
             `ls --json` print them; any other holds keys that end with NUL, if there is a NUL in it, or with a newline. Keys \
             are taken byte for byte.",
        ],
    ),
    (
        "TRASH",
        &[
            "`plan trash` is the usual way of deleting. Its run copies each object to .bucketree/trash/RUN/KEY in the same bucket, \
             looks at both, and deletes the source only if the copy has its size, content type, metadata, headers, storage \
             class and, where it stands for the content, its ETag; otherwise the source is kept and the reason is said. ETags of \
             uploads in parts cannot be compared; the run says how many copies that concerns. A key that would become \
             longer than 1,024 bytes goes to .bucketree/trash/RUN.long/SHA256 of the key; the run's plan has the key. Objects \
             over 5 GB are copied by parts. Tags are kept with objects up to 5 GB only.",
            "What lies in the trash costs as before, is protected and is never an orphan. The registry's rows of what \
             went there are kept aside in the run's folder and removed; where the registry cannot be changed from here, they \
             stay. `restore RUN` is the same move the other way, and puts each row back when its object is proved restored: it never writes over an object, says which \
             keys it left in the trash for that, and is a run of its own. `trash empty` deletes for good, as \
             `plan delete` does, and drops the rows that can no longer return. Copies of a run that was stopped or found an object changed stay in the trash until it is \
             emptied.",
            "`trash lifecycle` shows the lifecycle rules of the bucket and exactly what would be written so that the store itself \
             deletes what has been in the trash for 30 days, or --days N; with --set it writes that. All other rules stay to \
             the byte, and are read again and compared afterwards. Rows that were kept stay in the run's folder then. A store \
             without such rules says so.",
            "--via, or executor in the configuration, says how keys are deleted: batch, many in a request; single, one in \
             each; sequential, one after the other. Where a store has no request for many, batch goes on with one in each.",
        ],
    ),
    (
        "THE REGISTRY'S ROWS",
        &[
            "Rows follow objects, never lead them: a row goes only when its object is proved gone, if its project is not alive \
             and it is still exactly the row that was read; the whole row is written to the run's folder first. With apply \
             --keep-rows all rows stay.",
            "`registry check` compares both directions: objects of live projects that are not tracked, tracked or referenced \
             keys that are not in the bucket, each asked for by HEAD, sizes that differ, keys tracked more than once, and rows of \
             dead projects. With --project it also lists what is only in the registry, only in the bucket, and in both. \
             `registry backfill -o FILE` plans rows for what is untracked, of what the layout and a HEAD tell; what is young is \
             left to the app. `registry prune -o FILE` plans the removal of rows of dead projects whose objects are proved \
             missing; rows of live projects or of unknown owners only with --also. Neither changes the bucket. Both plans are \
             confirmed by apply, journaled, and resumed like any other.",
            "`audit --project P --explain` says of each object of a project whether tracked keys find it, layouts, or both: an \
             app that deletes what it tracks misses what only layouts find.",
        ],
    ),
    (
        "UNFINISHED RUNS",
        &[
            "A run that was killed, lost its disk or was left at once is unfinished: `runs` says so, and no other plan is \
             carried out on its bucket until `resume RUN` has brought it to its end. What the journal says stays said. A key \
             that was sent and has no outcome is looked at: gone means that the lost request deleted it, unchanged means that \
             it is due again, changed means that it is kept. What was never sent is due. Everything is asked again before \
             it is deleted, as the first time.",
            "A run may be gone on with as long as its plan may be applied. After that, or with --close, resume only finds out \
             what became of what was sent. A run that stopped early, or has keys of which nothing is known, may be resumed \
             too; so may one at whose end nothing could be proved, or whose registry rows could not be removed.",
            "The journal is a chain of checksums. A last line that was not written to its end is cut off; a journal that \
             was changed anywhere else is left as it is, and refused.",
            "`runs export RUN -o FILE` writes all of a run into one file of JSON lines: the plan and the journal to the byte, \
             a line per key with the columns of the reports of S3 Batch Operations and the evidence, and the verification. \
             Each line carries a checksum over itself and all before it. `runs check FILE` checks it anywhere, without \
             the bucket: the checksums, and that every line follows from the plan and the journal. The seal that both print \
             proves, where it was kept apart, that the file is the one that was written.",
            "On one bucket one run is under way at a time: a second one is refused and told who has the first.",
        ],
    ),
    (
        "CAPABILITIES",
        &[
            "What a store does with conditions is measured, never assumed: many ignore them and delete. `doctor --probe` \
             writes a few small objects under .bucketree/canary/, tries each question on them, and removes them. The \
             answers are kept with their date in the state folder and hold for 30 days.",
            "Where conditional deletion was proved, every deletion names the ETag of the object that was planned, or the time \
             of its last change, the only condition that R2 documents: an object that changes in the last moment is kept. \
             Where only deletions of one key heed a condition, --via single is atomic and batches are not. Elsewhere each object is looked at just before it \
             is deleted, and the plan says that this is not atomic.",
        ],
    ),
    (
        "LOCKS",
        &[
            "One run at a time: a lock of the operating system keeps out other runs from the same state folder. Where the \
             store was proved to honour If-None-Match, a run also writes .bucketree/lock.json (who, where, since when), shows \
             a sign of life under .bucketree/lock/ every minute, looks before each request whether the lock is still its \
             own, and removes it at the end. No listing shows these objects, but for ls .bucketree/.",
            "Another run is refused and told whose lock it is and how long its owner was silent. What a run of this state \
             folder left when it was killed is taken over by the next one. The lock of any other run that was silent for 10 \
             minutes goes to whoever names it with --take-over-lock RUN.",
            "A run that stood still for so long itself, because the machine slept, looks at lock, plan, registry and objects \
             again before it sends anything; if the plan's hour is over by then, it stops. A run that does not stand still goes on beyond that hour.",
        ],
    ),
    (
        "REGISTRIES",
        &[
            "What the app knows is read from a file, from sqlite:PATH, or from a server: postgres://USER:PASSWORD@HOST/DATABASE, \
             mysql://USER:PASSWORD@HOST/DATABASE. Characters of user and password that have a meaning in addresses are \
             percent-encoded, and encryption is chosen as the database's own tools do (sslmode=verify-full, \
             ssl-mode=VERIFY_IDENTITY). By default a database has the tables of assets/sql; other tables, columns and queries \
             are named in the profile. A table of another schema is SCHEMA.TABLE.",
            "Projects, tracked keys and references are read within one transaction and are of one moment. Refused are a \
             replica, which may lag behind, unless the profile says replica = true; tables of MySQL without snapshots, as \
             MyISAM, unless it says no_snapshot = true; queries with a LIMIT; and tables of which PostgreSQL's policies hide \
             rows from the user. A database that says nothing for a minute has failed (timeout). Whatever ends before the \
             database itself announced the end was not read: every verdict is undetermined then, with the source named.",
            "Places that hold keys without tracking them are [[profiles.NAME.registry.references]], each with from and \
             key_field, and owner_field where it is known whose the object is. Keys may be written there behind a url, with a \
             leading_slash or percent_encoded: the key is read so, and what is written is checked as a key as well. A value \
             that leads to another host than the url protects what it may mean and condemns nothing.",
            "Keys and ids are compared byte by byte, whatever the collation of a column.",
            "mongodb:// and mongodb+srv:// are read as Auto Shorts has them: projects by _id, r2_file_paths by object_key and \
             project_id, and scenes.media.storageKey and scenes.audio.storageKey of projects as references. projects_table, \
             tracked_table, the fields and the references name others; a field may be a path through documents and arrays. \
             Ids may be ObjectIds, text, whole numbers or UUIDs. Reads go to the primary and see only what most of the servers have.",
            "A file may be packed with gzip, and may be what mongoexport writes, canonical or relaxed.",
        ],
    ),
    (
        "OUTPUT",
        &[
            "On a terminal keys are escaped so that nothing is hidden and no two look alike. On a pipe `ls` writes the exact \
             bytes of one key a line; use -0 where keys may hold newlines. Lists on a pipe are separated by tabs, the key \
             last. Results go to stdout; messages, progress and logs to stderr.",
        ],
    ),
];

/// What holds for every guard; the table follows.
pub const GUARDS: &[&str] = &[
    "A plan is written, and carried out, only if every guard passes. A plan carries the answer of each guard; what a guard \
     refused is refused for good. There is no flag to skip the guards; each says below who may lower it. Beside them, apply \
     needs --confirm with the bucket's name and the number of objects, and refuses a plan that was edited by one byte.",
    "--accept-shrink is the word of a person that bucket and registry are right although they have more than 20 % less than \
     last time. `bucketree plan ... --accept-shrink` remembers the smaller counts and says so in the plan; zero and the minimums still hold.",
    "With observe_days (or --observe-days N) an object is planned only if it was orphaned or untracked, with the same ETag, in \
     every complete scan of at least N days: every audit remembers what it saw, as digests, in the folder sightings of the \
     state folder. Until then the object has the flag unconfirmed and is left out of what is selected in bulk.",
    "Tracked keys that are not in the listing are asked for by HEAD, up to 50 of them, where they are more than max_missing. \
     If one of them is there, the listing is wrong and nothing may be deleted by it. If all are proved gone, they are rows \
     of deleted objects, and harmless up to half of the tracked keys; above that, bucket and registry hardly belong \
     together.",
    "Before each request the registry and the objects are asked again: what is alive by then, or is no longer the \
     object that was planned, is kept and said. Each key ends with exactly one outcome, in the journal before \
     it is on the screen. Afterwards what is gone is proved by looking; only then are its rows removed from the \
     registry.",
    "Ctrl-C during apply finishes the requests in flight and reports; a second one leaves at once and says how many \
     outcomes are unknown.",
];

/// Before the table of variables.
pub const ENVIRONMENT: &[&str] = &[
    "A setting comes from, highest first: its flag, the environment, the file of --env-file, the profile, the default. \
     BUCKETREE_CONFIG, BUCKETREE_PROFILE and BUCKETREE_ENV_FILE stand for --config, --profile and --env-file; \
     BUCKETREE_STATE_DIR names the state folder; BUCKETREE_LOG is a filter of log lines that wins over -v; NO_COLOR turns \
     colors off. For the others the name in the configuration file stands in parentheses.",
];

/// What is kept where.
pub const FILES: &[&str] = &[
    "The configuration file: `bucketree config path` says where; `bucketree config init` writes one with every setting \
     explained.",
    "The state folder ($XDG_STATE_HOME/bucketree or ~/.local/state/bucketree on Linux) holds runs/RUN/plan.jsonl (the plan as \
     it was confirmed), runs/RUN/journal.jsonl (the append-only record), runs/RUN/rows.jsonl (rows of the registry \
     that the run took out, whole), runs/RUN/rows-to-remove.jsonl (where the registry \
     cannot be changed from here), registry-seen.json (the counts of the last trusted registry), scans/BUCKET/ID.parquet (kept scans), and demo/ (the same for the \
     embedded bucket).",
];

/// How it is used.
pub const EXAMPLES: &[&str] = &[
    "bucketree audit --summary",
    "bucketree plan trash --project 1 -o plan.jsonl",
    "bucketree apply plan.jsonl --confirm 'autoshorts-media 61'",
    "bucketree restore 019aa5c4 --prefix projects/proj_1/",
    "bucketree trash empty --older-than 30d",
    "bucketree registry check --project 1",
    "bucketree registry prune -o rows.jsonl; bucketree apply rows.jsonl --confirm 'autoshorts-media 12'",
    "bucketree audit --json --verdict unrecognized logs/ > keys.jsonl; bucketree plan delete --verdict unrecognized --keys-from \
     keys.jsonl -o plan.jsonl",
    "bucketree scan; bucketree diff --summary previous last",
    "bucketree scan --out today.parquet; bucketree audit --from today.parquet --summary",
    "bucketree ls -0 backups/ | xargs -0 -n 1 echo",
];
