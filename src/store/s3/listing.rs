//! The answer to a listing, believed only if it passes every check of completeness.

use std::borrow::Cow;

use super::spelling::{self, PROBE, Spelling};
use super::xml::{self, Breach, Name, Text};
use crate::domain::key::Escaped;
use crate::domain::{ETag, Key, Object, StorageClass, Timestamp};
use crate::store::ListRequest;

/// An answer whose structure was checked, with keys and echoes as the store spelled them.
#[derive(Debug, Default)]
pub(super) struct RawPage<'a> {
    entries: Vec<Entry<'a>>,
    truncated: Option<bool>,
    next: Option<String>,
    key_count: Option<usize>,
    encoded: bool,
    prefix: Option<String>,
    start_after: Option<String>,
}

#[derive(Debug, Default)]
struct Entry<'a> {
    key: Option<Cow<'a, str>>,
    size: Option<u64>,
    last_modified: Option<Timestamp>,
    etag: Option<ETag>,
    class: StorageClass,
}

/// Reads the answer and checks what needs neither the request nor the spelling of keys.
pub(super) fn read(body: &[u8]) -> Result<RawPage<'_>, Breach> {
    let mut page = RawPage::default();
    let mut entry = Entry::default();
    let standard = StorageClass::default();
    xml::read_texts(body, Name::ListBucketResult, |path, text| match (path, text) {
        ([_, Name::Contents, name], text) => entry.take(*name, text, &standard),
        ([_, Name::Contents], _) => {
            let entry = std::mem::take(&mut entry);
            if entry.key.as_deref().is_none_or(str::is_empty) {
                return Err(Breach::new("an object without a key"));
            }
            page.entries.push(entry);
            Ok(())
        }
        ([_, Name::CommonPrefixes], _) => Err(Breach::new("a folder in a listing that asked for none")),
        ([_, name], Some(text)) => page.take(*name, text.as_str()),
        _ => Ok(()),
    })?;
    match (page.truncated, &page.next) {
        (None, _) => return Err(Breach::new("IsTruncated is missing")),
        (Some(true), None) => return Err(Breach::new("there is more, but no token to continue with")),
        _ => {}
    }
    match page.key_count {
        Some(count) if count != page.entries.len() => {
            Err(Breach::new(format!("KeyCount is {count}, but there are {} keys", page.entries.len())))
        }
        _ => Ok(page),
    }
}

impl<'a> Entry<'a> {
    fn take(&mut self, name: Name, text: Option<Text<'a, '_>>, standard: &StorageClass) -> Result<(), Breach> {
        let leaf = || text.as_ref().map(Text::as_str).ok_or_else(|| Breach::new(format!("elements within {name:?}")));
        match name {
            Name::Key => {
                leaf()?;
                set(&mut self.key, text.map_or(Cow::Borrowed(""), Text::keep), name)
            }
            Name::Size => {
                let size = leaf()?.parse().map_err(|_| Breach::new("a size that is no number"))?;
                set(&mut self.size, size, name)
            }
            Name::ETag => set(&mut self.etag, ETag::new(leaf()?), name),
            Name::LastModified => {
                self.last_modified = Timestamp::parse(leaf()?);
                Ok(())
            }
            Name::StorageClass => {
                let class = leaf()?;
                self.class = if class == standard.as_str() { standard.clone() } else { StorageClass::new(class) };
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl RawPage<'_> {
    fn take(&mut self, name: Name, text: &str) -> Result<(), Breach> {
        match name {
            Name::IsTruncated => match text.trim() {
                "true" => set(&mut self.truncated, true, name),
                "false" => set(&mut self.truncated, false, name),
                _ => Err(Breach::new("IsTruncated is neither true nor false")),
            },
            Name::NextContinuationToken if text.is_empty() => Ok(()),
            Name::NextContinuationToken => set(&mut self.next, text.to_owned(), name),
            Name::KeyCount => {
                let count = text.trim().parse().map_err(|_| Breach::new("KeyCount is no number"))?;
                set(&mut self.key_count, count, name)
            }
            Name::EncodingType => {
                self.encoded = text.trim() == "url";
                Ok(())
            }
            Name::Prefix => set(&mut self.prefix, text.to_owned(), name),
            Name::StartAfter => set(&mut self.start_after, text.to_owned(), name),
            _ => Ok(()),
        }
    }

    /// How this page spells keys; `None` if it does not prove it.
    pub(super) fn spelling(&self, request: &ListRequest) -> Option<Spelling> {
        let keys: Vec<&str> = self.entries.iter().filter_map(|entry| entry.key.as_deref()).collect();
        let mut echoes: Vec<(&[u8], &str)> = Vec::new();
        if let Some(prefix) = self.prefix.as_deref().filter(|_| !request.prefix.is_empty()) {
            echoes.push((&request.prefix, prefix));
        }
        if let (Some(sent), Some(echo)) = (&request.start_after, self.start_after.as_deref()) {
            echoes.push((sent.as_bytes(), echo));
        }
        spelling::of_page(self.encoded, &keys, &echoes)
    }

    /// How this page repeats the key after which it was to begin.
    pub(super) fn into_echo(self) -> Option<String> {
        self.start_after
    }

    /// How this page spells keys, by the `echo` of a request that started after [`PROBE`].
    pub(super) fn spelling_by(&self, echo: &str) -> Option<Spelling> {
        let keys: Vec<&str> = self.entries.iter().filter_map(|entry| entry.key.as_deref()).collect();
        spelling::of_page(self.encoded, &keys, &[(PROBE.as_bytes(), echo)])
    }

    /// The objects with exact keys, and the token of the next page, after the checks that need the request.
    pub(super) fn finish(
        self,
        request: &ListRequest,
        spelling: Spelling,
    ) -> Result<(Vec<Object>, Option<String>), Breach> {
        let next = self.next.filter(|_| self.truncated == Some(true));
        if next.is_some() && next == request.continuation {
            return Err(Breach::new("the token to continue with is the one just used"));
        }
        let mut objects: Vec<Object> = Vec::with_capacity(self.entries.len());
        for entry in self.entries {
            let object = entry.into_object(spelling)?;
            let after = objects.last().map(|last| &last.key).or(request.start_after.as_ref());
            if after.is_some_and(|after| object.key <= *after) {
                return Err(breach_at("keys are not in order at", &object.key));
            }
            if !object.key.as_bytes().starts_with(&request.prefix) {
                return Err(breach_at("a key that was not asked for:", &object.key));
            }
            objects.push(object);
        }
        Ok((objects, next))
    }
}

impl Entry<'_> {
    fn into_object(self, spelling: Spelling) -> Result<Object, Breach> {
        let text = self.key.unwrap_or_default();
        let key = spelling.decode(&text).map(Key::new);
        let key = key.ok_or_else(|| breach_at("a key with a broken escape:", &Key::from(text.as_ref())))?;
        let Some(size) = self.size else { return Err(breach_at("no size for", &key)) };
        Ok(Object {
            size,
            etag: self.etag.unwrap_or_else(|| ETag::new("")),
            last_modified: self.last_modified,
            storage_class: self.class,
            key,
        })
    }
}

fn breach_at(what: &str, key: &Key) -> Breach {
    Breach::new(format!("{what} {}", Escaped(key.as_bytes())))
}

fn set<T>(slot: &mut Option<T>, value: T, name: Name) -> Result<(), Breach> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Breach::new(format!("{name:?} occurs twice"))),
    }
}
