//! Documents as canonical extended JSON (mongodb.com/docs/manual/reference/mongodb-extended-json): text that a person can
//! read and that leads back to the very same document, types and order of fields included.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mongodb::bson::{Bson, Document};

/// Writes a document, if it can be read back exactly.
pub(super) fn write(document: &Document) -> Option<String> {
    let mut text = String::new();
    write_document(document, &mut text)?;
    let back = read(&text)?;
    // By their bytes: not a number is never equal to itself.
    (bytes(&back)? == bytes(document)?).then_some(text)
}

/// Reads what [`write`] wrote.
pub(super) fn read(text: &str) -> Option<Document> {
    serde_json::from_str(text).ok()
}

/// What is compared where two documents must be exactly the same.
pub(super) fn bytes(document: &Document) -> Option<Vec<u8>> {
    document.to_vec().ok()
}

fn write_document(document: &Document, text: &mut String) -> Option<()> {
    text.push('{');
    for (at, (name, value)) in document.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&serde_json::to_string(name).ok()?);
        text.push(':');
        write_value(value, text)?;
    }
    text.push('}');
    Some(())
}

fn write_value(value: &Bson, text: &mut String) -> Option<()> {
    match value {
        Bson::Document(document) => return write_document(document, text),
        Bson::Array(array) => {
            text.push('[');
            for (at, value) in array.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_value(value, text)?;
            }
            text.push(']');
        }
        Bson::Int32(number) => write!(text, "{{\"$numberInt\":\"{number}\"}}").ok()?,
        Bson::Int64(number) => write!(text, "{{\"$numberLong\":\"{number}\"}}").ok()?,
        Bson::Double(number) => write!(text, "{{\"$numberDouble\":\"{}\"}}", double(*number)).ok()?,
        Bson::DateTime(time) => {
            write!(text, "{{\"$date\":{{\"$numberLong\":\"{}\"}}}}", time.timestamp_millis()).ok()?;
        }
        Bson::Binary(binary) => {
            let (text64, kind) = (BASE64_STANDARD.encode(&binary.bytes), u8::from(binary.subtype));
            write!(text, "{{\"$binary\":{{\"base64\":\"{text64}\",\"subType\":\"{kind:02x}\"}}}}").ok()?;
        }
        // What has no shorter form in the relaxed JSON, which is what this writes.
        other => text.push_str(&serde_json::to_string(other).ok()?),
    }
    Some(())
}

fn double(number: f64) -> String {
    if number.is_infinite() {
        return String::from(if number > 0.0 { "Infinity" } else { "-Infinity" });
    }
    format!("{number:?}")
}

#[cfg(test)]
mod tests {
    use mongodb::bson::oid::ObjectId;
    use mongodb::bson::spec::BinarySubtype;
    use mongodb::bson::{Binary, DateTime, Timestamp, Uuid, doc};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_type_comes_back_exactly() {
        let document = doc! {
            "_id": ObjectId::from_bytes([7; 12]), "zuerst": "\u{e9}\n\"$\u{1}", "a": 1_i32, "b": 1_i64, "c": 1.0, "d": -0.0,
            "e": f64::INFINITY, "f": 1e300, "g": null, "h": true, "i": [1_i64, [{"x": []}]], "j": {"b": 1, "a": 2_i64},
            "k": DateTime::from_millis(-1), "l": DateTime::from_millis(1_790_000_000_123), "m": Uuid::from_bytes([9; 16]),
            "n": Binary { subtype: BinarySubtype::Generic, bytes: vec![0, 255] },
            "o": Bson::Timestamp(Timestamp { time: 3, increment: 4 }), "p": Bson::MaxKey, "q": Bson::MinKey,
        };
        let text = write(&document).expect("text");
        assert_eq!(read(&text), Some(document));
        assert!(text.contains("\"b\":{\"$numberLong\":\"1\"},\"c\":{\"$numberDouble\":\"1.0\"}"), "{text}");
        assert!(text.contains("\"k\":{\"$date\":{\"$numberLong\":\"-1\"}}"), "{text}");
    }

    #[test]
    fn what_would_come_back_as_something_else_is_not_written() {
        // A document whose one field looks like the JSON of another type.
        assert_eq!(write(&doc! { "_id": 1, "x": { "$numberInt": "7" } }), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(text in "\\PC{0,8}", whole in any::<i64>(), fraction in any::<f64>(), name in "[a-z.]{1,4}") {
            let document = doc! { "_id": whole, name: [Bson::Double(fraction), Bson::String(text)] };
            let written = write(&document);
            // A not-a-number has many bit patterns, of which text keeps one.
            prop_assert!(written.is_some() || fraction.is_nan());
            if let Some(written) = written {
                prop_assert_eq!(bytes(&read(&written).expect("a document")), bytes(&document));
            }
        }
    }
}
