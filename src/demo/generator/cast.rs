//! The fixed projects, the same for every seed but for sizes and ages: every situation that a cleanup meets, once.

use super::shapes::{File, Shape};
use super::{DELETED_PROJECT, LIVE_LOOKALIKE, Maker, Project};
use crate::domain::Verdict;

/// A deleted project whose rows were left behind, with file names that are hard to type.
const HOSTILE_PROJECT: &str = "proj_promo-2023";

/// A deleted project that the registry still speaks of in contradictions.
const DISPUTED_PROJECT: &str = "proj_archive";

/// A live project with canonical keys only.
const TIDY_PROJECT: &str = "proj456";

pub(super) fn add(maker: &mut Maker) {
    everything_left_behind(maker);
    live_lookalike(maker);
    tidy(maker);
    summers(maker);
    weekend(maker);
    hostile_names(maker);
    disputed(maker);
    missing(maker);
}

fn project(id: &str, live: bool, days: i64) -> Project {
    Project { id: id.to_owned(), user: "user123".to_owned(), live, days }
}

/// The files of a project in every shape, double-prefixed ones for the first scene only.
fn in_every_shape(project: &Project, scenes: &[&str]) -> Vec<File> {
    let mut files = Vec::new();
    for (number, scene) in scenes.iter().enumerate() {
        for shape in Shape::ALL {
            let once = matches!(
                shape,
                Shape::Output | Shape::DoubleFlat | Shape::DoubleTree | Shape::DoubleByContent | Shape::DoubleCanonical
            );
            if number == 0 || !once {
                files.extend(shape.files(project, scene));
            }
        }
    }
    files
}

/// `proj_1`: deleted in the database, and no script found its objects. Some of its rows are there, too.
fn everything_left_behind(maker: &mut Maker) {
    let deleted = project(DELETED_PROJECT, false, 400);
    for (number, file) in in_every_shape(&deleted, &["intro", "scene789", "outro"]).iter().enumerate() {
        maker.add_to(&deleted, file, Verdict::Orphaned);
        if number % 9 == 0 {
            maker.track(DELETED_PROJECT, file);
        }
    }
    for name in ["take 1 + take 2.mp4", "100%2Foff.png", "premiere \u{1f3ac}.jpg"] {
        maker.add(format!("projects/{DELETED_PROJECT}/scenes/intro/media/{name}"), 390, Verdict::Orphaned);
    }
}

/// `proj_10`: live. Most of its keys are tracked; some never were. A few files exist twice.
fn live_lookalike(maker: &mut Maker) {
    let live = project(LIVE_LOOKALIKE, true, 300);
    maker.register(&live);
    for (number, file) in in_every_shape(&live, &["intro", "scene789", "outro"]).iter().enumerate() {
        if number % 7 == 3 && !file.key.starts_with("users/") {
            maker.add_to(&live, file, Verdict::Untracked);
        } else {
            maker.add_live(&live, file);
        }
    }
    duplicate(
        maker,
        "media/proj_10/intro/image.jpg",
        "users/user123/projects/proj_10/scenes/intro/media/background.jpg",
    );
    duplicate(maker, "audio/proj_10/intro/narration.mp3", "projects/proj_10/scenes/intro/media/voiceover.mp3");
    duplicate(maker, "video/proj_1/intro/clip.mp4", "projects/proj_1/scenes/intro/media/clip.mp4");
}

/// Gives one object the content of another.
fn duplicate(maker: &mut Maker, copy: &str, original: &str) {
    let objects = &mut maker.sample.objects;
    let Some((size, tag)) =
        objects.iter().find(|object| object.key == original).map(|object| (object.size, object.tag))
    else {
        return;
    };
    if let Some(object) = objects.iter_mut().find(|object| object.key == copy) {
        (object.size, object.tag) = (size, tag);
    }
}

/// `proj456`: live, canonical and wholly tracked, as every project should be.
fn tidy(maker: &mut Maker) {
    let live = project(TIDY_PROJECT, true, 40);
    maker.register(&live);
    for shape in [Shape::Canonical, Shape::Output] {
        for file in shape.files(&live, "scene789") {
            maker.add_live(&live, &file);
        }
    }
}

/// `proj_summer` is deleted and `proj_summer_2025` is live, so that the flat names of the second can be read as both.
fn summers(maker: &mut Maker) {
    let deleted = project("proj_summer", false, 520);
    let live = project("proj_summer_2025", true, 160);
    maker.register(&live);
    for scene in ["s1", "s2"] {
        for shape in [Shape::Flat, Shape::ByContent] {
            for file in shape.files(&deleted, scene) {
                maker.add_to(&deleted, &file, Verdict::Orphaned);
            }
            for file in shape.files(&live, scene) {
                maker.add_live(&live, &file);
            }
        }
    }
}

/// `proj_weekend`: orphans, but uploaded yesterday: perhaps the database only has not heard of the project yet.
fn weekend(maker: &mut Maker) {
    let unknown = project("proj_weekend", false, 1);
    for scene in ["s1", "s2"] {
        for file in Shape::Canonical.files(&unknown, scene) {
            maker.add(file.key, 1, Verdict::Orphaned);
        }
    }
}

/// Orphans whose keys neither XML nor a terminal carries unharmed, and rows that outlived their project.
fn hostile_names(maker: &mut Maker) {
    let deleted = project(HOSTILE_PROJECT, false, 600);
    let names = ["line\nbreak.jpg", "\u{1b}[31mred\u{1b}[0m.png", "\u{202e}gpj.clip.mp4", "trailing space .txt "];
    for name in names {
        let file = File::new(format!("media/{HOSTILE_PROJECT}/s1/{name}"), Some("s1"), "media");
        maker.add_to(&deleted, &file, Verdict::Orphaned);
        maker.track(HOSTILE_PROJECT, &file);
    }
    for file in Shape::Tree.files(&deleted, "s1") {
        maker.add_to(&deleted, &file, Verdict::Orphaned);
        maker.track(HOSTILE_PROJECT, &file);
    }
}

/// Keys that name a deleted project while their row names a live one, and one the other way round.
fn disputed(maker: &mut Maker) {
    let deleted = project(DISPUTED_PROJECT, false, 450);
    let live = project(TIDY_PROJECT, true, 40);
    for (number, file) in Shape::Tree.files(&deleted, "s1").iter().enumerate() {
        if number == 2 {
            maker.add_to(&deleted, file, Verdict::Orphaned);
        } else {
            maker.add_to(&deleted, file, Verdict::Conflict);
            maker.track(TIDY_PROJECT, file);
        }
    }
    let key = "users/user123/projects/proj456/scenes/scene790/video/borrowed.mp4".to_owned();
    let file = File::new(key, Some("scene790"), "video");
    maker.add_to(&live, &file, Verdict::Conflict);
    maker.track(DISPUTED_PROJECT, &file);
}

/// Rows of a live project whose objects are not in the bucket.
fn missing(maker: &mut Maker) {
    for scene in ["scene801", "scene802", "scene803"] {
        let key = format!("users/user123/projects/{TIDY_PROJECT}/scenes/{scene}/audio/narration.mp3");
        maker.track(TIDY_PROJECT, &File::new(key, Some(scene), "audio"));
    }
}
