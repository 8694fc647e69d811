//! Keys in JSON, exactly: `"key"` holds a key that is UTF-8, `"key_base64"` the bytes of one that is not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::domain::Key;

/// A key as two JSON fields of which exactly one is present; meant for `#[serde(flatten)]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyFields {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    key_base64: Option<String>,
}

impl From<&Key> for KeyFields {
    fn from(key: &Key) -> Self {
        match key.as_str() {
            Some(text) => Self { key: Some(text.into()), key_base64: None },
            None => Self { key: None, key_base64: Some(STANDARD.encode(key.as_bytes())) },
        }
    }
}

impl TryFrom<KeyFields> for Key {
    type Error = String;

    fn try_from(fields: KeyFields) -> Result<Key, String> {
        match (fields.key, fields.key_base64) {
            (Some(text), None) => Ok(Key::new(text)),
            (None, Some(encoded)) => {
                STANDARD.decode(&encoded).map(Key::new).map_err(|error| format!("key_base64 is not base64: {error}"))
            }
            _ => Err("exactly one of key and key_base64 must be given".into()),
        }
    }
}
