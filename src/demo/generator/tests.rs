use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn sample() -> Sample {
    generate(2400, 1)
}

#[test]
fn the_same_seed_gives_the_same_and_another_another() {
    assert_eq!(sample(), sample());
    assert_ne!(sample(), generate(2400, 2));
}

#[test]
fn there_are_as_many_objects_as_asked_for_and_no_key_twice() {
    for objects in [2400, 3001, 20_000] {
        let sample = generate(objects, 7);
        assert_eq!(sample.objects.len() as u64, objects);
        let keys: BTreeSet<&str> = sample.objects.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(keys.len() as u64, objects);
        let projects: BTreeSet<&str> = sample.projects.iter().map(String::as_str).collect();
        assert_eq!(projects.len(), sample.projects.len());
    }
    assert!(generate(0, 1).objects.is_empty());
    assert!(!generate(0, 1).projects.is_empty());
}

#[test]
fn the_deleted_project_is_left_in_every_shape_and_its_lookalike_lives() {
    let sample = sample();
    assert!(!sample.projects.iter().any(|id| id == DELETED_PROJECT));
    assert!(sample.projects.iter().any(|id| id == LIVE_LOOKALIKE));
    let shapes = [
        "users/user123/projects/ID/scenes/intro/audio/narration.mp3",
        "users/user123/projects/ID/output/final_video.mp4",
        "projects/ID/scenes/intro/media/clip.mp4",
        "audio/ID/intro/narration.mp3",
        "video/ID/intro/clip.mp4",
        "media/ID/intro/image.jpg",
        "thumbnails/ID/intro/thumbnail.png",
        "ID_intro_media.mp4",
        "proj_ID_intro_media.mp4",
        "projects/proj_ID/scenes/intro/media/clip.mp4",
        "audio/proj_ID/intro/narration.mp3",
        "users/user123/projects/proj_ID/scenes/intro/video/clip.mp4",
    ];
    let verdicts: BTreeMap<&str, Verdict> =
        sample.objects.iter().map(|object| (object.key.as_str(), object.verdict)).collect();
    for shape in shapes {
        assert_eq!(verdicts.get(shape.replace("ID", "proj_1").as_str()), Some(&Verdict::Orphaned), "{shape}");
        let lookalike = verdicts.get(shape.replace("ID", "proj_10").as_str());
        assert!(matches!(lookalike, Some(Verdict::Live | Verdict::Untracked)), "{shape}");
    }
    let left: u64 = sample.rows.iter().filter(|row| row.project == DELETED_PROJECT).count() as u64;
    assert!(left > 0, "rows are left behind under the deleted project");
}

#[test]
fn every_situation_is_there() {
    let sample = sample();
    for verdict in [Verdict::Live, Verdict::Untracked, Verdict::Orphaned, Verdict::Conflict, Verdict::Unrecognized] {
        assert!(sample.objects.iter().any(|object| object.verdict == verdict), "{verdict}");
    }
    let orphans = sample.objects.iter().filter(|object| object.verdict == Verdict::Orphaned);
    let day = DAY_SECONDS * 1000;
    assert!(orphans.clone().any(|object| object.age_ms < 3 * day), "young orphans");
    assert!(!orphans.clone().any(|object| object.key.contains("proj_1/") && object.age_ms < 30 * day));
    let share = orphans.count() * 100 / sample.objects.len();
    assert!((15..40).contains(&share), "{share} % are orphans");
    let keys: BTreeSet<&str> = sample.objects.iter().map(|object| object.key.as_str()).collect();
    for row in sample.rows.iter().filter(|row| !keys.contains(row.key.as_str())) {
        assert!(sample.projects.contains(&row.project), "a missing object of a live project: {row:?}");
    }
    assert!(sample.rows.iter().any(|row| !keys.contains(row.key.as_str())));
    let mut contents = BTreeSet::new();
    let duplicates = sample.objects.iter().filter(|object| !contents.insert((object.size, object.tag))).count();
    assert!(duplicates >= 3, "{duplicates} duplicates");
}

#[test]
fn a_tracked_key_of_a_live_project_is_live_and_a_verdict_agrees_with_the_rows() {
    let sample = generate(20_000, 3);
    let owners: BTreeMap<&str, &str> = sample.rows.iter().map(|row| (row.key.as_str(), row.project.as_str())).collect();
    let is_live = |id: &str| sample.projects.iter().any(|live| live == id);
    for object in &sample.objects {
        let row = owners.get(object.key.as_str()).copied();
        match object.verdict {
            Verdict::Live => assert!(row.is_some_and(is_live), "{object:?}"),
            Verdict::Untracked | Verdict::Unrecognized => assert_eq!(row, None, "{object:?}"),
            Verdict::Orphaned => assert!(!row.is_some_and(is_live), "{object:?}"),
            Verdict::Conflict | Verdict::Undetermined => assert!(row.is_some(), "{object:?}"),
        }
    }
}

#[test]
fn ages_are_spread_over_two_years() {
    let day = DAY_SECONDS * 1000;
    let ages: Vec<i64> = sample().objects.iter().map(|object| object.age_ms).collect();
    assert!(ages.iter().all(|&age| age > 0 && age <= OLDEST_SECONDS * 1000));
    for month in 0..24 {
        let of_month = month * 30 * day..(month + 1) * 30 * day;
        assert!(ages.iter().any(|age| of_month.contains(age)), "month {month}");
    }
}
