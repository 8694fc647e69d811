//! How each kind of file is filled up to a size, legally: any reader of the format accepts the result.

use bytes::Bytes;

use super::{Kind, Piece, SampleBody};

const PNG: &[u8] = include_bytes!("../../../assets/demo/picture.png");
const JPEG: &[u8] = include_bytes!("../../../assets/demo/photo.jpg");
const MP4: &[u8] = include_bytes!("../../../assets/demo/clip.mp4");

/// Length, type and checksum around the data of a PNG chunk.
const PNG_FRAME: u64 = 12;
/// The data of a full filling chunk.
const PNG_DATA: u64 = 64 * 1024;
/// The last chunk of every PNG, `IEND`, which has no data.
const PNG_END: usize = 12;
/// Marker and length of a JPEG segment.
const JPEG_FRAME: u64 = 4;
/// The most that a JPEG segment can hold besides its marker (ITU-T T.81, B.1.1.4: the length counts its own two bytes).
const JPEG_DATA: u64 = 65_535 - 2;
/// Size and type of an MP4 box.
const MP4_FRAME: u64 = 8;
/// One frame of silence: MPEG-1 layer III, 64 kbit/s, 48 kHz, mono, so 24 ms in exactly 192 bytes without a reservoir.
const MP3_FRAME: u64 = 192;
/// Its header; side information and data are all zero, which is silence.
const MP3_HEADER: [u8; 4] = [0xff, 0xfb, 0x54, 0xc4];
/// Header of an ID3v2 tag, header of its one frame, encoding byte and 32 digits.
const ID3: u64 = 10 + 10 + 1 + 32;

/// A template and one full filling frame, so that whatever remains can be split between two of them.
pub(super) const SMALLEST_PNG: u64 = PNG.len() as u64 + PNG_FRAME;
pub(super) const SMALLEST_JPEG: u64 = JPEG.len() as u64 + JPEG_FRAME;
pub(super) const SMALLEST_MP4: u64 = MP4.len() as u64 + MP4_FRAME;
pub(super) const SMALLEST_MP3: u64 = ID3 + MP3_FRAME;
pub(super) const SMALLEST_JSON: u64 = 128;

/// What `body` is made of; the lengths add up to its size.
pub(super) fn pieces(body: &SampleBody) -> Vec<Piece> {
    let digits = Bytes::from(format!("{:032x}", body.tag));
    match body.kind {
        Kind::Png => png(body.size, &digits),
        Kind::Jpeg => jpeg(body.size, &digits),
        Kind::Mp3 => mp3(body.size, &digits),
        Kind::Mp4 => mp4(body.size, &digits),
        Kind::Json => json(body.size, &digits),
        Kind::Text => text(body.size, &digits),
    }
}

/// `total` bytes split into frames of `frame + 0..=most` bytes; yields the data length of each. The last two share what
/// would leave too little for a frame.
fn framed(mut total: u64, frame: u64, most: u64) -> Vec<u64> {
    let mut lengths = Vec::new();
    while total > 0 {
        let mut whole = total.min(frame + most);
        let rest = total - whole;
        if rest > 0 && rest < frame {
            whole -= frame;
        }
        lengths.push(whole.saturating_sub(frame));
        total -= whole;
    }
    lengths
}

/// Private ancillary chunks (`paDd`, safe to copy) before the end chunk. Full chunks are alike, so is their checksum.
fn png(size: u64, digits: &Bytes) -> Vec<Piece> {
    let (picture, end) = PNG.split_at(PNG.len() - PNG_END);
    let mut pieces = vec![Piece::Bytes(Bytes::from_static(picture))];
    let mut known: Option<(u64, u32)> = None;
    for length in framed(size.saturating_sub(PNG.len() as u64), PNG_FRAME, PNG_DATA) {
        let filling = Piece::Fill { pattern: digits.clone(), length };
        let checksum = match known {
            Some((same, checksum)) if same == length => checksum,
            _ => crc32(&[b"paDd", &filling.slice(0..length)]),
        };
        known = Some((length, checksum));
        let mut head = (length as u32).to_be_bytes().to_vec();
        head.extend_from_slice(b"paDd");
        pieces.extend([
            Piece::Bytes(head.into()),
            filling,
            Piece::Bytes(Bytes::copy_from_slice(&checksum.to_be_bytes())),
        ]);
    }
    pieces.push(Piece::Bytes(Bytes::from_static(end)));
    pieces
}

/// Comment segments after the JFIF header, which must come first.
fn jpeg(size: u64, digits: &Bytes) -> Vec<Piece> {
    let header = 4 + usize::from(u16::from_be_bytes([JPEG[4], JPEG[5]]));
    let (head, photo) = JPEG.split_at(header);
    let mut pieces = vec![Piece::Bytes(Bytes::from_static(head))];
    for length in framed(size.saturating_sub(JPEG.len() as u64), JPEG_FRAME, JPEG_DATA) {
        let [high, low] = (length as u16 + 2).to_be_bytes();
        pieces.push(Piece::Bytes(Bytes::copy_from_slice(&[0xff, 0xfe, high, low])));
        pieces.push(Piece::Fill { pattern: digits.clone(), length });
    }
    pieces.push(Piece::Bytes(Bytes::from_static(photo)));
    pieces
}

/// A tag with a title and padding, then as many frames of silence as fit.
fn mp3(size: u64, digits: &Bytes) -> Vec<Piece> {
    let frames = size.saturating_sub(ID3) / MP3_FRAME;
    let padding = size - ID3 - frames * MP3_FRAME;
    let mut head = b"ID3\x03\0\0".to_vec();
    // "Synchsafe": seven bits a byte, so that no byte looks like the start of a frame. It does not count its own ten bytes.
    let tag = ID3 - 10 + padding;
    head.extend([21, 14, 7, 0].map(|shift| (tag >> shift) as u8 & 0x7f));
    head.extend_from_slice(b"TIT2\0\0\0\x21\0\0\0");
    head.extend_from_slice(digits);
    let mut frame = MP3_HEADER.to_vec();
    frame.resize(MP3_FRAME as usize, 0);
    vec![
        Piece::Bytes(head.into()),
        Piece::Fill { pattern: Bytes::from_static(&[0]), length: padding },
        Piece::Fill { pattern: frame.into(), length: frames * MP3_FRAME },
    ]
}

/// A `free` box after the film. Its size is 32 bits: 4 GiB.
fn mp4(size: u64, digits: &Bytes) -> Vec<Piece> {
    let free = size.saturating_sub(MP4.len() as u64);
    let mut head = (free as u32).to_be_bytes().to_vec();
    head.extend_from_slice(b"free");
    vec![
        Piece::Bytes(Bytes::from_static(MP4)),
        Piece::Bytes(head.into()),
        Piece::Fill { pattern: digits.clone(), length: free.saturating_sub(MP4_FRAME) },
    ]
}

/// One object, then line ends.
fn json(size: u64, digits: &Bytes) -> Vec<Piece> {
    let object =
        format!("{{\n  \"sample\": \"{}\",\n  \"scenes\": [\"intro\", \"outro\"]\n}}", String::from_utf8_lossy(digits));
    let length = size.saturating_sub(object.len() as u64);
    vec![Piece::Bytes(object.into()), Piece::Fill { pattern: Bytes::from_static(b"\n"), length }]
}

/// The same line again and again; the last one may be cut off.
fn text(size: u64, digits: &Bytes) -> Vec<Piece> {
    let line = format!("{}: a line of sample text\n", String::from_utf8_lossy(digits));
    vec![Piece::Fill { pattern: line.into(), length: size }]
}

/// The checksum of PNG chunks (ISO 3309, as in the PNG specification, annex D).
fn crc32(parts: &[&[u8]]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in parts.iter().copied().flatten() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}
