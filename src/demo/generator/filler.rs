//! Ordinary projects, as many as it takes.

use super::shapes::Shape;
use super::{Maker, Project};
use crate::domain::Verdict;

const USERS: [&str; 10] =
    ["user123", "ada", "grace", "linus", "user456", "mary.k", "studio-nine", "user_7", "zoe", "katherine"];

const SLUGS: [&str; 8] =
    ["travel-vlog", "cooking_tips", "unboxing", "daily_news", "fitness-101", "pets", "history_shorts", "science"];

/// What the app wrote at a time: since when, in days, and in which shapes. Later eras come first.
const ERAS: [(i64, &[Shape]); 5] = [
    (120, &[Shape::Canonical, Shape::Output]),
    (270, &[Shape::Canonical, Shape::Output, Shape::Tree]),
    (420, &[Shape::Tree, Shape::ByContent]),
    (600, &[Shape::ByContent, Shape::Flat, Shape::DoubleFlat]),
    (i64::MAX, &[Shape::Flat, Shape::DoubleFlat, Shape::DoubleTree, Shape::DoubleByContent, Shape::DoubleCanonical]),
];

/// Adds whole projects until there are `objects` objects; the last one may stay in part.
pub(super) fn add(maker: &mut Maker, objects: u64) {
    let mut number = 0;
    while (maker.sample.objects.len() as u64) < objects {
        number += 1;
        let project = next_project(maker, number);
        maker.register(&project);
        let had_rows_left = !project.live && maker.random.chance(15);
        let shapes = ERAS.iter().find(|(until, _)| project.days < *until).map_or(&[][..], |(_, shapes)| shapes);
        let scenes = maker.random.between(1, 6);
        for scene in 1..=scenes {
            let name = if project.id.starts_with("proj_") { format!("scene{scene}") } else { maker.random.hex(24) };
            for &shape in shapes {
                if shape == Shape::Output && scene > 1 {
                    continue;
                }
                for file in shape.files(&project, &name) {
                    if maker.sample.objects.len() as u64 == objects {
                        return;
                    }
                    if project.live {
                        // The app tracks what it writes today; of what it wrote before, most was recorded later.
                        let tracked = matches!(shape, Shape::Canonical | Shape::Output) || maker.random.chance(80);
                        let verdict = if tracked { Verdict::Live } else { Verdict::Untracked };
                        maker.add_to(&project, &file, verdict);
                        if tracked {
                            maker.track(&project.id, &file);
                        }
                    } else {
                        maker.add_to(&project, &file, Verdict::Orphaned);
                        if had_rows_left {
                            maker.track(&project.id, &file);
                        }
                    }
                }
            }
        }
    }
}

fn next_project(maker: &mut Maker, number: u64) -> Project {
    let random = &mut maker.random;
    let id = if random.chance(75) { random.hex(24) } else { format!("proj_{}-{number}", random.pick(&SLUGS)) };
    let user = if random.chance(70) {
        (*random.pick(&USERS)).to_owned()
    } else {
        // One more user for about every twenty projects.
        format!("user{}", 1000 + random.below(number / 20 + 1))
    };
    // Deleted projects are old ones: nothing but the fixed part is a young orphan.
    let live = random.chance(75);
    let days = random.between(if live { 1 } else { 30 }, 720) as i64;
    Project { id, user, live, days }
}
