use super::*;

fn whole(body: &SampleBody) -> Vec<u8> {
    body.read(0..body.size).flatten().collect()
}

fn body(kind: Kind, size: u64) -> SampleBody {
    SampleBody { kind, size, tag: 0x0123_4567_89ab_cdef }
}

const KINDS: [Kind; 6] = [Kind::Png, Kind::Jpeg, Kind::Mp3, Kind::Mp4, Kind::Json, Kind::Text];

#[test]
fn every_size_from_the_smallest_on_can_be_made() {
    for kind in KINDS {
        let smallest = kind.smallest();
        // The places where one more frame of filling begins: PNG chunks of 64 KiB, JPEG segments of 65,537 bytes.
        let edges = [0, 65_536, 65_548, 65_537, 131_072, 131_074, 131_096];
        for size in edges.iter().flat_map(|edge| smallest + edge..smallest + edge + 20) {
            assert_eq!(whole(&body(kind, size)).len() as u64, size, "{kind:?} of {size} bytes");
        }
    }
}

#[test]
fn a_range_is_that_part_of_the_whole() {
    for kind in KINDS {
        let body = body(kind, 200_001);
        let whole = whole(&body);
        for range in [0..1, 0..200_001, 199_990..200_001, 65_530..65_560, 131_060..131_100, 5..5, 1234..150_000] {
            let part: Vec<u8> = body.read(range.clone()).flatten().collect();
            assert_eq!(part, whole[range.start as usize..range.end as usize], "{kind:?} {range:?}");
        }
    }
}

#[test]
fn tags_tell_bodies_apart() {
    for kind in KINDS {
        let one = SampleBody { kind, size: 50_000, tag: 1 };
        let other = SampleBody { tag: 2, ..one };
        assert_ne!(whole(&one), whole(&other), "{kind:?}");
        assert_ne!(one.etag(), other.etag());
        assert_eq!(one.etag(), "00000000000000000000000000000001-1");
    }
}

/// Walks chunk by chunk, as a reader does, and checks the frame of each.
#[test]
fn the_chunks_of_a_picture_follow_each_other_to_its_end() {
    let picture = whole(&body(Kind::Png, 300_000));
    let mut at = 8;
    let mut names = Vec::new();
    while at < picture.len() {
        let length = u32::from_be_bytes(picture[at..at + 4].try_into().expect("four bytes")) as usize;
        names.push(String::from_utf8_lossy(&picture[at + 4..at + 8]).into_owned());
        at += 12 + length;
    }
    assert_eq!(at, picture.len());
    assert_eq!(names.first().map(String::as_str), Some("IHDR"));
    assert_eq!(names.last().map(String::as_str), Some("IEND"));
}

#[test]
fn the_boxes_of_a_film_add_up() {
    let film = whole(&body(Kind::Mp4, 300_000));
    let mut at = 0;
    let mut names = Vec::new();
    while at < film.len() {
        let length = u32::from_be_bytes(film[at..at + 4].try_into().expect("four bytes")) as usize;
        names.push(String::from_utf8_lossy(&film[at + 4..at + 8]).into_owned());
        at += length;
    }
    assert_eq!(at, film.len());
    assert_eq!(names.last().map(String::as_str), Some("free"));
    assert!(names.contains(&"moov".to_owned()) && names.contains(&"mdat".to_owned()));
}

#[test]
fn json_can_be_read() {
    let text = whole(&body(Kind::Json, 5000));
    let value: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(value["sample"], "0000000000000000000123456789abcdef"[2..]);
}
