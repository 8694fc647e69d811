//! The words about what the console adds to the verbs.

/// Keys and views of the console that do what verbs do, through the same jobs.
pub const CONSOLE: &[&str] = &[
    "View 6 lists the runs of the bucket; each opens with the outcome of every key, and is exported, verified, gone on with, \
     closed, restored or, where keys failed, planned again from there. View 7 shows the sources of the registry with their \
     counts and times, and the keys on which bucket and registry disagree; v asks the store for each missing key, and a key \
     leads to its object or its project.",
    "z plans to restore the last run, or the run under the cursor, and T to empty the trash of what has been there for as \
     long as you say; both are confirmed like any other plan. The dialog that confirms a plan says how keys are deleted, and \
     Tab chooses another way. S and the typed word accept do what --accept-shrink does, until the bucket is listed again.",
];
