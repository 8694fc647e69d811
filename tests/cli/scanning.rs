//! Scans that are kept, looked into without the bucket, and compared.

use crate::program::{Ran, World, program};

/// The program without a bucket: no endpoint, no credentials, nobody who answers.
fn offline(world: &World, arguments: &[&str], code: i32) -> Ran {
    let mut command = program(world.home.path());
    let ran = Ran::of(command.env("BUCKETREE_REGISTRY", world.demo("registry")).args(arguments));
    assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
    ran
}

/// A bucket, and a scan of it in `scan.parquet`.
fn scanned() -> World {
    let world = World::start();
    world.check(&["scan", "--out", "scan.parquet"], 0, &[]);
    world
}

#[test]
fn a_scan_says_what_the_bucket_said() {
    let world = scanned();
    for verb in [&["ls", "--json"][..], &["ls", "-0"], &["ls", "audio/"], &["du"], &["du", "projects/", "--json"]] {
        let there = world.check(verb, 0, &[]);
        let here = offline(&world, &[verb, &["--from", "scan.parquet"]].concat(), 0);
        assert!(!there.stdout.is_empty());
        assert_eq!(here.text(), there.text(), "{verb:?}");
    }
    let verdicts = |ran: &Ran| -> Vec<(String, String)> {
        let word = |value: &serde_json::Value, field: &str| value[field].to_string();
        ran.json().iter().map(|object| (word(object, "key"), word(object, "verdict"))).collect()
    };
    let there = world.check(&["audit", "--json"], 0, &[]);
    let here = offline(&world, &["audit", "--json", "--from", "scan.parquet"], 0);
    assert_eq!(verdicts(&here), verdicts(&there));
    let summary = offline(&world, &["audit", "--summary", "--from", "scan.parquet"], 0);
    assert!(summary.text().contains("listing complete, kept at 20"), "{summary:?}");
}

#[test]
fn nothing_is_planned_or_changed_by_a_scan() {
    let world = scanned();
    for verb in [
        &["plan", "trash", "-o", "plan.jsonl"][..],
        &["plan", "delete", "-o", "plan.jsonl", "--verdict", "untracked"],
        &["apply", "plan.jsonl", "--confirm", "x"],
        &["resume", "x"],
        &["restore", "x"],
        &["trash", "empty"],
        &["verify", "x"],
        &["doctor"],
        &["scan"],
    ] {
        let ran =
            world.check(&[verb, &["--from", "scan.parquet"]].concat(), 4, &["guard \"listing complete\"", "kept"]);
        assert!(ran.stdout.is_empty(), "{ran:?}");
    }
    assert!(!world.path("plan.jsonl").exists());
    world.check(&["ls", "--from", "scan.parquet", "--bucket", "other"], 2, &["--bucket"]);
}

#[test]
fn a_damaged_scan_is_an_error_and_never_a_smaller_bucket() {
    let world = scanned();
    let whole = std::fs::read(world.path("scan.parquet")).unwrap();
    for (name, bytes) in [
        ("cut.parquet", whole[..whole.len() / 2].to_vec()),
        ("edited.parquet", {
            let mut edited = whole.clone();
            edited[whole.len() / 3] ^= 1;
            edited
        }),
    ] {
        world.write(name, bytes);
        for verb in ["ls", "du", "audit"] {
            let ran = offline(&world, &[verb, "--from", name], 1);
            assert!(ran.stdout.is_empty() && ran.stderr.contains(name), "{ran:?}");
        }
    }
    let none = offline(&world, &["ls", "--from", "no-such.parquet"], 1);
    assert!(none.stderr.contains("no-such.parquet"), "{none:?}");
}

#[test]
fn scans_are_kept_found_and_compared() {
    let world = World::start();
    world.check(&["diff", "previous", "last"], 2, &["no scan of this bucket is kept"]);
    let first = world.check(&["scan", "--json"], 0, &[]).one();
    let plan = world.check(&["plan", "delete", "--json", "-o", "plan.jsonl"], 0, &[]).one();
    let confirm = plan["confirm"].as_str().unwrap();
    world.check(&["apply", "plan.jsonl", "--confirm", confirm], 0, &[]);
    let second = world.check(&["scan", "--json"], 0, &[]).one();
    let gone = plan["objects"].as_u64().unwrap();
    assert_eq!(second["objects"].as_u64().unwrap() + gone, first["objects"].as_u64().unwrap());

    let kept = world.check(&["scans", "--json"], 0, &[]).json();
    assert_eq!(kept.len(), 3, "the listing of the plan is kept between the two: {kept:?}");
    assert_eq!((&kept[0]["id"], &kept[2]["id"]), (&second["id"], &first["id"]));

    let by_id = [first["id"].as_str().unwrap(), second["id"].as_str().unwrap()];
    for [before, after] in [["previous", "last"], by_id] {
        let changes = world.check(&["diff", before, after, "--json"], 0, &[]).json();
        assert_eq!(changes.len() as u64, gone);
        assert!(changes.iter().all(|change| change["change"] == "removed" && change["after"].is_null()));
    }
    let summary = world.check(&["diff", "previous", "last", "--summary", "--json"], 0, &[]).one();
    assert_eq!(summary["by_change"]["removed"]["objects"].as_u64(), Some(gone));
    assert_eq!(summary["net_bytes"].as_i64(), plan["bytes"].as_i64().map(|bytes| -bytes));
    let count = |group: &str| -> u64 {
        let groups = summary[group].as_array().unwrap().iter();
        groups.map(|group| group["by_change"]["removed"]["objects"].as_u64().unwrap()).sum()
    };
    assert_eq!((count("by_folder"), count("by_project")), (gone, gone));
    let backwards = world.check(&["diff", "last", "previous"], 0, &[]);
    assert_eq!(backwards.text().matches("added\t-\t").count() as u64, gone);
    let table = world.check(&["diff", "last", "last", "--summary"], 0, &[]);
    assert!(table.text().contains("0 B"), "{table:?}");
}

#[test]
fn only_the_newest_scans_are_kept() {
    let world = World::start();
    let keep = |most: &str, code| world.check_with(&[("BUCKETREE_KEPT_SCANS", most)], &["scan"], code, &[]);
    let kept = || world.check(&["scans", "--json"], 0, &[]).json().len();
    (0..3).for_each(|_| drop(keep("2", 0)));
    assert_eq!(kept(), 2);
    keep("0", 2);
    keep("many", 2);
    keep("1", 0);
    assert_eq!(kept(), 1);
}

#[test]
fn a_scan_replaces_neither_a_file_nor_an_object() {
    let world = scanned();
    let before = std::fs::read(world.path("scan.parquet")).unwrap();
    world.check(&["scan", "--out", "scan.parquet"], 1, &["scan.parquet is there already"]);
    assert_eq!(std::fs::read(world.path("scan.parquet")).unwrap(), before);
    let target = format!("s3://{}/scans/one.parquet", world.demo("bucket"));
    let put = world.check(&["scan", "--json", "--out", &target], 0, &[]).one();
    assert_eq!(put["file"].as_str(), Some(target.as_str()));
    let listed = world.check(&["ls", "--json", "scans/"], 0, &[]).one();
    assert_eq!((listed["key"].as_str(), &listed["size"]), (Some("scans/one.parquet"), &put["file_bytes"]));
    world.check(&["scan", "--out", &target], 1, &["scans/one.parquet is there already"]);
    for wrong in ["s3://", "s3://bucket", "s3:///key"] {
        world.check(&["scan", "--out", wrong], 2, &["names no object"]);
    }
    world.check(&["scan", "--out", "s3://no-such-bucket/one.parquet"], 1, &["no-such-bucket"]);
}

#[test]
fn a_scan_of_a_part_knows_that_it_is_one() {
    let world = World::start();
    world.check(&["scan", "audio/"], 2, &["--out"]);
    world.check(&["scan", "audio/", "--out", "audio.parquet"], 0, &[]);
    let part = offline(&world, &["ls", "audio/", "--from", "audio.parquet"], 0);
    assert_eq!(part.text(), world.check(&["ls", "audio/"], 0, &[]).text());
    for verb in [&["ls"][..], &["ls", "video/"], &["du"], &["audit"], &["audit", "audio/"]] {
        let ran = offline(&world, &[verb, &["--from", "audio.parquet"]].concat(), 1);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("only what begins with audio/"), "{ran:?}");
    }
    world.check(&["scan", "--out", "all.parquet"], 0, &[]);
    world.check(&["diff", "audio.parquet", "all.parquet"], 2, &["prefix"]);
}

#[test]
fn usage_adds_up_and_has_a_price() {
    let world = World::start();
    let total = world.check(&["du", "--json"], 0, &[]).json().pop().unwrap();
    for by in ["project", "user", "layout", "type", "age"] {
        let mut groups = world.check(&["usage", "--by", by, "--json"], 0, &[]).json();
        let all = groups.pop().unwrap();
        assert_eq!(
            (&all["kind"], &all["bytes"], &all["objects"]),
            (&"total".into(), &total["bytes"], &total["objects"])
        );
        assert!(groups.len() > 1, "{by}: {groups:?}");
        let sum: u64 = groups.iter().map(|group| group["bytes"].as_u64().unwrap()).sum();
        assert_eq!(Some(sum), total["bytes"].as_u64(), "{by}");
    }
    let bytes = total["bytes"].as_f64().unwrap();
    let cost = |price: &[(&str, &str)]| {
        let ran = world.check_with(price, &["usage", "--json"], 0, &[]);
        ran.json().pop().unwrap()["dollars_a_month"].as_f64().unwrap() / bytes * 1e9
    };
    assert!((cost(&[]) - 0.015).abs() < 1e-9);
    assert!((cost(&[("BUCKETREE_PRICE_PER_GB", "2.5")]) - 2.5).abs() < 1e-9);
    world.check_with(&[("BUCKETREE_PRICE_PER_GB", "-1")], &["usage"], 2, &["price_per_gb"]);
    world.check(&["usage", "--by", "color"], 2, &["project, user, layout, type, age"]);
}

#[test]
fn whatever_lists_says_how_many_requests_that_took_and_what_they_cost() {
    let world = World::start();
    let last = |args: &[&str], price: &[(&str, &str)]| world.check_with(price, args, 0, &[]).json().pop().unwrap();
    let verbs: [&[&str]; 5] = [
        &["audit", "--summary", "--json"],
        &["du", "--json"],
        &["usage", "--json"],
        &["registry", "check", "--json"],
        &["scan", "--json"],
    ];
    for verb in verbs {
        let free = last(verb, &[]);
        let requests = free["requests"].as_f64().unwrap();
        assert!(requests >= 1.0, "{verb:?}");
        assert!(free["request_dollars"].is_null(), "{verb:?}: nobody said what a server of one's own charges");
        let priced = last(verb, &[("BUCKETREE_PRICE_CLASS_A", "1000000")]);
        assert_eq!(priced["request_dollars"].as_f64(), priced["requests"].as_f64(), "{verb:?}");
    }
    let folder = &world.check(&["du", "--json"], 0, &[]).json()[0];
    assert!(folder.get("requests").is_none(), "only the whole listing has requests, not each folder: {folder}");
    let (plain, priced) = (&[][..], &[("BUCKETREE_PRICE_CLASS_A", "1000000")][..]);
    for (verb, words) in
        [(&["audit", "--summary"][..], "listing complete: "), (&["usage"][..], "listed with "), (&["scan"][..], "; ")]
    {
        let says = |price, text: &str| {
            let out = world.check_with(price, verb, 0, &[]).text().to_owned();
            assert!(out.contains(words) && out.contains(text), "{verb:?}: {out}");
        };
        says(plain, "request");
        says(priced, ", $");
    }
}

#[test]
fn a_store_without_uploads_is_said_to_be_one() {
    let world = World::start();
    world.check(&["uploads", "list"], 1, &["not supported by this store"]);
    world.check(&["uploads", "abort"], 1, &["not supported by this store"]);
    world.check(&["uploads", "abort", "--older-than", "1d"], 4, &["nothing young", "7d"]);
    assert!(!world.path("state/uploads.jsonl").exists());
}

#[test]
fn audits_and_plans_keep_their_listing_and_a_full_disk_does_not_stop_them() {
    let world = World::start();
    let kept = || world.check(&["scans", "--json"], 0, &[]).json().len();
    assert_eq!(kept(), 0);
    world.check(&["audit", "--summary"], 0, &[]);
    assert_eq!(kept(), 1);
    world.check(&["plan", "trash", "--project", "proj_1", "-o", "one.jsonl"], 0, &[]);
    assert_eq!(kept(), 2);
    for _ in 0..5 {
        world.check(&["audit", "--summary"], 0, &[]);
    }
    assert_eq!(kept(), 5, "only the newest are kept");
    std::fs::remove_dir_all(world.path("state/scans")).unwrap();
    world.write("state/scans", "no folder can be made here");
    world.check(&["audit", "--summary"], 0, &["the scan is not kept for the next start"]);
    world.check(&["plan", "trash", "--project", "proj_1", "-o", "two.jsonl"], 0, &["is not kept"]);
    assert!(world.path("two.jsonl").exists());
}
