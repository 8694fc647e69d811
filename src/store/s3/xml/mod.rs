//! Strict reading of XML answers: text exactly as sent, a root that must be the expected one, an end that must be there.
//!
//! The convenient ways to read such answers all lie in some case: a deserializer into structs takes `<Error>` or a login
//! page for an answer without errors, trims keys (" lead" becomes "lead"), or folds line ends. So tags and texts are read
//! here, without a copy of any; `quick-xml` reads what answers hardly ever hold, and the tests compare every answer with it.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3};
use quick_xml::events::Event;
use quick_xml::reader::Reader;

/// How an answer broke the protocol, for a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Breach(pub String);

impl Breach {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// The elements that mean something to us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Name {
    ListBucketResult,
    DeleteResult,
    CopyObjectResult,
    CopyPartResult,
    InitiateMultipartUploadResult,
    CompleteMultipartUploadResult,
    UploadId,
    ListMultipartUploadsResult,
    Upload,
    Initiated,
    NextKeyMarker,
    NextUploadIdMarker,
    Error,
    Html,
    Contents,
    CommonPrefixes,
    Deleted,
    Key,
    Size,
    LastModified,
    ETag,
    StorageClass,
    IsTruncated,
    NextContinuationToken,
    KeyCount,
    EncodingType,
    Prefix,
    StartAfter,
    Code,
    Message,
    Region,
    Other,
}

impl Name {
    fn of(local: &str) -> Self {
        match local.as_bytes() {
            b"ListBucketResult" => Self::ListBucketResult,
            b"DeleteResult" => Self::DeleteResult,
            b"CopyObjectResult" => Self::CopyObjectResult,
            b"CopyPartResult" => Self::CopyPartResult,
            b"InitiateMultipartUploadResult" => Self::InitiateMultipartUploadResult,
            b"CompleteMultipartUploadResult" => Self::CompleteMultipartUploadResult,
            b"UploadId" => Self::UploadId,
            b"ListMultipartUploadsResult" => Self::ListMultipartUploadsResult,
            b"Upload" => Self::Upload,
            b"Initiated" => Self::Initiated,
            b"NextKeyMarker" => Self::NextKeyMarker,
            b"NextUploadIdMarker" => Self::NextUploadIdMarker,
            b"Error" => Self::Error,
            b"html" | b"HTML" => Self::Html,
            b"Contents" => Self::Contents,
            b"CommonPrefixes" => Self::CommonPrefixes,
            b"Deleted" => Self::Deleted,
            b"Key" => Self::Key,
            b"Size" => Self::Size,
            b"LastModified" => Self::LastModified,
            b"ETag" => Self::ETag,
            b"StorageClass" => Self::StorageClass,
            b"IsTruncated" => Self::IsTruncated,
            b"NextContinuationToken" => Self::NextContinuationToken,
            b"KeyCount" => Self::KeyCount,
            b"EncodingType" => Self::EncodingType,
            b"Prefix" => Self::Prefix,
            b"StartAfter" => Self::StartAfter,
            b"Code" => Self::Code,
            b"Message" => Self::Message,
            b"Region" => Self::Region,
            _ => Self::Other,
        }
    }
}

/// Deeper than any answer of S3, and shallow enough to bound what a hostile answer can make us hold.
const MAX_DEPTH: usize = 16;

/// Reads `body` to its end. `closed` is called at each closing element below the root with its path (root first, the
/// element last) and its text; the text is `None` if the element has children.
///
/// # Errors
/// Anything but one complete element named `root`, and whatever `closed` refuses.
pub(super) fn read(
    body: &[u8],
    root: Name,
    mut closed: impl FnMut(&[Name], Option<&str>) -> Result<(), Breach>,
) -> Result<(), Breach> {
    read_texts(body, root, |path, text| closed(path, text.as_ref().map(Text::as_str)))
}

/// As [`read`], with texts that can be kept without a copy.
///
/// # Errors
/// As [`read`].
pub(super) fn read_texts<'a>(
    body: &'a [u8],
    root: Name,
    mut closed: impl FnMut(&[Name], Option<Text<'a, '_>>) -> Result<(), Breach>,
) -> Result<(), Breach> {
    let body = std::str::from_utf8(body).map_err(|_| Breach::new("the answer is not UTF-8"))?;
    let mut walk = Walk::default();
    let mut at = 0;
    while at < body.len() {
        let rest = &body.as_bytes()[at..];
        let plain = memchr2(b'<', b'&', rest).unwrap_or(rest.len());
        if plain > 0 {
            walk.text(&body[at..at + plain])?;
        }
        at += plain;
        at += match (rest.get(plain), rest.get(plain + 1)) {
            (Some(b'&'), _) => walk.reference_in(&body[at..])?,
            (Some(_), Some(b'/')) => walk.end_tag(&body[at..], &mut closed)?,
            (Some(_), Some(b'!' | b'?')) => walk.other(&body[at..])?,
            (Some(_), _) => walk.start_tag(&body[at..], root, &mut closed)?,
            (None, _) => 0,
        };
    }
    walk.end()
}

/// The text of an element.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text<'a, 'w> {
    /// As it stands in the answer.
    Plain(&'a str),
    /// Put together from several pieces.
    Joined(&'w str),
}

impl<'a> Text<'a, '_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Text::Plain(text) | Text::Joined(text) => text,
        }
    }

    /// The text, to keep.
    pub(super) fn keep(self) -> Cow<'a, str> {
        match self {
            Text::Plain(text) => Cow::Borrowed(text),
            Text::Joined(text) => Cow::Owned(text.to_owned()),
        }
    }
}

/// Where a reader is.
#[derive(Default)]
struct Walk<'a> {
    path: Vec<Name>,
    /// The names of the open elements as they were written.
    open: Vec<&'a str>,
    /// The text of the innermost element, if it is one piece.
    plain: &'a str,
    /// Its text, if it is several.
    joined: String,
    leaf: bool,
    ended: bool,
}

fn no_xml(why: &str) -> Breach {
    Breach::new(format!("the answer is not XML: {why}"))
}

impl<'a> Walk<'a> {
    /// A start tag, with whatever attributes it has; how long it is.
    fn start_tag(
        &mut self,
        rest: &'a str,
        root: Name,
        closed: &mut impl FnMut(&[Name], Option<Text<'a, '_>>) -> Result<(), Breach>,
    ) -> Result<usize, Breach> {
        let bytes = rest.as_bytes();
        let mut end = memchr3(b'>', b'"', b'\'', bytes);
        while let Some(quote) = end.filter(|&at| bytes[at] != b'>') {
            let value = memchr(bytes[quote], &bytes[quote + 1..]).ok_or_else(|| no_xml("a tag is cut off"))?;
            let behind = quote + value + 2;
            end = memchr3(b'>', b'"', b'\'', &bytes[behind..]).map(|at| behind + at);
        }
        let end = end.ok_or_else(|| no_xml("a tag is cut off"))?;
        let inner = &rest[1..end];
        let (inner, is_empty) = inner.strip_suffix('/').map_or((inner, false), |inner| (inner, true));
        let name = inner.find(is_space).map_or(inner, |at| &inner[..at]);
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') || name.contains('<') {
            return Err(no_xml("a tag without a name"));
        }
        self.open(Name::of(local(name)), root)?;
        self.open.push(name);
        if is_empty {
            self.close(closed)?;
        }
        Ok(end + 1)
    }

    /// An end tag, which must be that of the innermost element; how long it is.
    fn end_tag(
        &mut self,
        rest: &'a str,
        closed: &mut impl FnMut(&[Name], Option<Text<'a, '_>>) -> Result<(), Breach>,
    ) -> Result<usize, Breach> {
        let end = memchr(b'>', rest.as_bytes()).ok_or_else(|| no_xml("a tag is cut off"))?;
        let name = rest[2..end].trim_end_matches(is_space);
        match self.open.last() {
            Some(open) if *open == name => self.close(closed)?,
            _ => return Err(no_xml("an end tag that closes nothing")),
        }
        Ok(end + 1)
    }

    /// A comment, character data, a declaration; how long it is.
    fn other(&mut self, rest: &'a str) -> Result<usize, Breach> {
        let mut reader = Reader::from_str(rest);
        match reader.read_event().map_err(|error| no_xml(&error.to_string()))? {
            Event::CData(text) => self.joined_text(&text)?,
            Event::DocType(_) => return Err(Breach::new("the answer is a web page, not the store's")),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            _ => return Err(no_xml("something unknown")),
        }
        usize::try_from(reader.buffer_position()).ok().filter(|&length| length > 0).ok_or_else(|| no_xml("its end"))
    }

    fn open(&mut self, name: Name, root: Name) -> Result<(), Breach> {
        if self.path.is_empty() && (self.ended || name != root) {
            return Err(Breach::new(match name {
                Name::Html => String::from("the answer is a web page, not the store's"),
                _ => format!("the answer is no {root:?}"),
            }));
        }
        if self.path.len() == MAX_DEPTH {
            return Err(Breach::new("the answer is nested too deeply"));
        }
        if self.leaf && !self.is_blank() {
            return Err(Breach::new("text beside elements"));
        }
        self.path.push(name);
        self.forget_text();
        self.leaf = true;
        Ok(())
    }

    fn close(
        &mut self,
        closed: &mut impl FnMut(&[Name], Option<Text<'a, '_>>) -> Result<(), Breach>,
    ) -> Result<(), Breach> {
        if !self.leaf && !self.is_blank() {
            return Err(Breach::new("text beside elements"));
        }
        if self.path.len() > 1 {
            let text = if self.joined.is_empty() { Text::Plain(self.plain) } else { Text::Joined(&self.joined) };
            closed(&self.path, self.leaf.then_some(text))?;
        }
        self.path.pop();
        self.open.pop();
        self.forget_text();
        self.leaf = false;
        self.ended = self.path.is_empty();
        Ok(())
    }

    fn is_blank(&self) -> bool {
        self.plain.trim().is_empty() && self.joined.trim().is_empty()
    }

    fn forget_text(&mut self) {
        self.plain = "";
        self.joined.clear();
    }

    fn text(&mut self, text: &'a str) -> Result<(), Breach> {
        if self.path.is_empty() && !text.trim().is_empty() {
            return Err(Breach::new("text outside of the answer's element"));
        }
        if self.plain.is_empty() && self.joined.is_empty() {
            self.plain = text;
            return Ok(());
        }
        self.joined_text(text)
    }

    /// Text that is not the only piece, or not as it stands.
    fn joined_text(&mut self, text: &str) -> Result<(), Breach> {
        if self.path.is_empty() && !text.trim().is_empty() {
            return Err(Breach::new("text outside of the answer's element"));
        }
        self.joined.push_str(std::mem::take(&mut self.plain));
        self.joined.push_str(text);
        Ok(())
    }

    /// `&name;`; how long it is.
    fn reference_in(&mut self, rest: &str) -> Result<usize, Breach> {
        let end = memchr(b';', rest.as_bytes())
            .ok_or_else(|| Breach::new("the answer holds an unknown character reference"))?;
        let resolved = resolve(&rest[1..end])?;
        if self.path.is_empty() {
            return Err(Breach::new("text outside of the answer's element"));
        }
        self.joined_text(resolved.encode_utf8(&mut [0; 4]))?;
        Ok(end + 1)
    }

    fn end(&self) -> Result<(), Breach> {
        match (self.ended, self.path.is_empty()) {
            (true, _) => Ok(()),
            (false, true) => Err(Breach::new("the answer is empty")),
            (false, false) => Err(Breach::new("the answer is cut off")),
        }
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// A name without its namespace's prefix.
fn local(name: &str) -> &str {
    memchr(b':', name.as_bytes()).map_or(name, |colon| &name[colon + 1..])
}

fn resolve(reference: &str) -> Result<char, Breach> {
    let unknown = || Breach::new("the answer holds an unknown character reference");
    Ok(match reference {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        number => {
            let number = number.strip_prefix('#').ok_or_else(unknown)?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            code.ok().and_then(char::from_u32).ok_or_else(unknown)?
        }
    })
}

/// The text of the element `leaf` right below the root, which must be there once.
///
/// # Errors
/// As [`read`], and an answer without it or with two of it.
pub(super) fn only(body: &[u8], root: Name, leaf: Name) -> Result<String, Breach> {
    let mut found = None;
    read(body, root, |path, text| match (path, text) {
        ([_, name], Some(text)) if *name == leaf => match found.replace(text.trim().to_owned()) {
            None => Ok(()),
            Some(_) => Err(Breach::new(format!("two {leaf:?} in one answer"))),
        },
        _ => Ok(()),
    })?;
    found.filter(|text| !text.is_empty()).ok_or_else(|| Breach::new(format!("an answer without {leaf:?}")))
}

/// What an `<Error>` document says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct ErrorDocument {
    pub(super) code: String,
    pub(super) message: String,
    /// The region in which the bucket is, where the store tells it.
    pub(super) region: Option<String>,
}

/// Reads an `<Error>` document; `None` if `body` is no such thing.
pub(super) fn error_document(body: &[u8]) -> Option<ErrorDocument> {
    let mut document = ErrorDocument::default();
    read(body, Name::Error, |path, text| {
        match (path, text) {
            ([_, Name::Code], Some(text)) => document.code = text.trim().to_owned(),
            ([_, Name::Message], Some(text)) => document.message = text.trim().to_owned(),
            ([_, Name::Region], Some(text)) => document.region = Some(text.trim().to_owned()),
            _ => {}
        }
        Ok(())
    })
    .ok()?;
    Some(document)
}

#[cfg(test)]
mod tests;
