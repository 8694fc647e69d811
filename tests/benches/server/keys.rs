//! Keys as a video app writes them: half of them flat, half in a tree. The same in every run.

/// A stream of numbers that look drawn by lot.
pub struct Lot(u64);

impl Lot {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) % bound.max(1)
    }

    /// 24 hexadecimal digits: a second of four years, then lot.
    fn id(&mut self, second: u64) -> String {
        format!("{second:08x}{:010x}{:06x}", self.below(1 << 40), self.below(1 << 24))
    }

    fn second(&mut self) -> u64 {
        1_640_995_200 + self.below(4 * 365 * 86_400)
    }
}

/// `proj_proj_<24 hex>_<24 hex>_media.mp4`, about a dozen of each project.
pub fn flat(count: usize, lot: &mut Lot) -> Vec<String> {
    let mut keys = Vec::with_capacity(count);
    while keys.len() < count {
        let second = lot.second();
        let project = lot.id(second);
        for _ in 0..(1 + lot.below(24) as usize).min(count - keys.len()) {
            let later = second + lot.below(30 * 86_400);
            keys.push(format!("proj_proj_{project}_{}_media.mp4", lot.id(later)));
        }
    }
    keys
}

/// `users/<24 hex>/projects/<24 hex>/scenes/<24 hex>/media/0001.mp4`.
pub fn tree(count: usize, lot: &mut Lot) -> Vec<String> {
    let mut keys = Vec::with_capacity(count);
    while keys.len() < count {
        let second = lot.second();
        let user = lot.id(second);
        for _ in 0..=lot.below(6) {
            let second = lot.second();
            let project = lot.id(second);
            for scene in 0..=lot.below(10) {
                let scene = lot.id(second + scene);
                for file in 0..(1 + lot.below(12) as usize).min(count - keys.len()) {
                    keys.push(format!("users/{user}/projects/{project}/scenes/{scene}/media/{file:04}.mp4"));
                }
            }
        }
    }
    keys
}

/// 32 hexadecimal digits.
fn hexadecimal(count: usize, lot: &mut Lot) -> Vec<String> {
    (0..count).map(|_| format!("{:014x}{:018x}", lot.below(1 << 56), lot.below(1 << 56))).collect()
}

/// One folder of numbers.
fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("one/img_{number:08}.png")).collect()
}

/// Ten years of days, as logs are kept.
fn dates(count: usize) -> Vec<String> {
    let day = |at: usize| at * 3650 / count.max(1);
    let key = |at: usize| {
        let (year, month, date) = (2015 + day(at) / 365, 1 + day(at) % 365 / 31, 1 + day(at) % 365 % 31);
        format!("logs/{year}/{month:02}/{date:02}/{at:07}.gz")
    };
    (0..count).map(key).collect()
}

/// Folders and files that people named.
fn words(count: usize, lot: &mut Lot) -> Vec<String> {
    const WORDS: [&str; 12] =
        ["alpha", "beta", "cat", "delta", "dog", "draft", "gamma", "images", "report", "summary", "videos", "x"];
    let word = |lot: &mut Lot| WORDS[lot.below(12) as usize];
    (0..count).map(|_| format!("{}/{}/{}-{}.jpg", word(lot), word(lot), word(lot), lot.below(1 << 20))).collect()
}

/// `count` keys of a kind: `flat`, `tree`, `hexadecimal`, `numbered`, `dates`, `words`; else half flat and half tree.
pub fn of_kind(kind: &str, count: usize) -> Vec<String> {
    let mut lot = Lot::new(7);
    let mut keys = match kind {
        "flat" => flat(count, &mut lot),
        "tree" => tree(count, &mut lot),
        "hexadecimal" => hexadecimal(count, &mut lot),
        "numbered" => numbered(count),
        "dates" => dates(count),
        "words" => words(count, &mut lot),
        _ => {
            let mut keys = flat(count / 2, &mut lot);
            keys.extend(tree(count - count / 2, &mut lot));
            keys
        }
    };
    keys.sort_unstable();
    keys.dedup();
    keys
}
