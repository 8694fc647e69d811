//! Frames while a listing pours in: the console's loop looks at keys first, takes pages in for four milliseconds, and draws
//! at most sixty times a second. A key may come at any moment of that, so what it waits for is what is under way then.

use std::time::{Duration, Instant};

use bucketree::app::Event;
use bucketree::app::stroke::Stroke;
use bucketree::app::update;
use bucketree::domain::progress::ScanProgress;

use super::world::{NOW, Shape, World, on_core, pages};

/// What `take_jobs` of the console allows.
const TURN: Duration = Duration::from_millis(4);

/// Keys of somebody who does not wait: walking, opening, jumping to both ends, marking, a filter that grows.
const KEYS: &str = "jjjEjjj<c-d><c-d>GkkgJJ<pgdn><space>`G``gl/4<enter>GgjGj<esc>";

/// Lists a bucket of `count` objects and presses a key after every turn of pages.
pub fn pour(count: u64, shape: Shape) {
    let mut world = World::empty(count);
    let strokes = Stroke::parse_all(KEYS).expect("keys");
    let mut strokes = strokes.iter().cycle();
    // Pages are made ahead, a few at a time as in the channel of the console, so that only their way in is measured.
    let mut pages = pages(count, shape).peekable();
    while pages.peek().is_some() {
        let waiting: Vec<_> = pages.by_ref().take(32).collect();
        let mut waiting = waiting.into_iter().peekable();
        while waiting.peek().is_some() {
            // The key is pressed as a turn begins, which is when it waits the longest.
            let (pressed, before) = (Instant::now(), on_core());
            while pressed.elapsed() < TURN
                && let Some(page) = waiting.next()
            {
                let ticket = world.listing();
                update(&mut world.state, Event::Scan(ticket, ScanProgress::Page(page)));
            }
            let Some(stroke) = strokes.next() else { return };
            let at = world.state.now + TURN;
            let mut effects = update(&mut world.state, Event::Key { key: stroke.event(), at });
            world.draw();
            world.frame(pressed.elapsed(), on_core() - before);
            effects.extend(update(&mut world.state, Event::Tick { at, clock: NOW }));
            world.answer_apart(effects);
        }
    }
    world.print("a key while a listing pours in");
}
