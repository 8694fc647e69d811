//! Strict reading of XML answers: text exactly as sent, a root that must be the expected one, an end that must be there.
//!
//! The convenient ways to read such answers all lie in some case: a deserializer into structs takes `<Error>` or a login
//! page for an answer without errors, trims keys (" lead" becomes "lead"), or folds line ends. So the events of the parser
//! are read directly and only raw text is used.

use quick_xml::events::{BytesRef, Event};
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
        match local {
            "ListBucketResult" => Self::ListBucketResult,
            "DeleteResult" => Self::DeleteResult,
            "CopyObjectResult" => Self::CopyObjectResult,
            "CopyPartResult" => Self::CopyPartResult,
            "InitiateMultipartUploadResult" => Self::InitiateMultipartUploadResult,
            "CompleteMultipartUploadResult" => Self::CompleteMultipartUploadResult,
            "UploadId" => Self::UploadId,
            "ListMultipartUploadsResult" => Self::ListMultipartUploadsResult,
            "Upload" => Self::Upload,
            "Initiated" => Self::Initiated,
            "NextKeyMarker" => Self::NextKeyMarker,
            "NextUploadIdMarker" => Self::NextUploadIdMarker,
            "Error" => Self::Error,
            "html" | "HTML" => Self::Html,
            "Contents" => Self::Contents,
            "CommonPrefixes" => Self::CommonPrefixes,
            "Deleted" => Self::Deleted,
            "Key" => Self::Key,
            "Size" => Self::Size,
            "LastModified" => Self::LastModified,
            "ETag" => Self::ETag,
            "StorageClass" => Self::StorageClass,
            "IsTruncated" => Self::IsTruncated,
            "NextContinuationToken" => Self::NextContinuationToken,
            "KeyCount" => Self::KeyCount,
            "EncodingType" => Self::EncodingType,
            "Prefix" => Self::Prefix,
            "StartAfter" => Self::StartAfter,
            "Code" => Self::Code,
            "Message" => Self::Message,
            "Region" => Self::Region,
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
    let body = std::str::from_utf8(body).map_err(|_| Breach::new("the answer is not UTF-8"))?;
    let mut reader = Reader::from_str(body);
    reader.config_mut().expand_empty_elements = true;
    let mut walk = Walk { path: Vec::with_capacity(4), text: String::new(), leaf: false, ended: false };
    loop {
        match reader.read_event().map_err(|error| Breach::new(format!("the answer is not XML: {error}")))? {
            Event::Start(start) => walk.open(Name::of(start.local_name().as_ref()), root)?,
            Event::End(_) => walk.close(&mut closed)?,
            Event::Text(text) => walk.text(&text)?,
            Event::CData(text) => walk.text(&text)?,
            Event::GeneralRef(reference) => walk.reference(&reference)?,
            Event::DocType(_) => return Err(Breach::new("the answer is a web page, not the store's")),
            Event::Empty(_) | Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => return walk.end(),
        }
    }
}

struct Walk {
    path: Vec<Name>,
    text: String,
    leaf: bool,
    ended: bool,
}

impl Walk {
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
        if self.leaf && !self.text.trim().is_empty() {
            return Err(Breach::new("text beside elements"));
        }
        self.path.push(name);
        self.text.clear();
        self.leaf = true;
        Ok(())
    }

    fn close(&mut self, closed: &mut impl FnMut(&[Name], Option<&str>) -> Result<(), Breach>) -> Result<(), Breach> {
        if !self.leaf && !self.text.trim().is_empty() {
            return Err(Breach::new("text beside elements"));
        }
        if self.path.len() > 1 {
            closed(&self.path, self.leaf.then_some(self.text.as_str()))?;
        }
        self.path.pop();
        self.text.clear();
        self.leaf = false;
        self.ended = self.path.is_empty();
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Breach> {
        if self.path.is_empty() && !text.trim().is_empty() {
            return Err(Breach::new("text outside of the answer's element"));
        }
        self.text.push_str(text);
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), Breach> {
        let unknown = || Breach::new("the answer holds an unknown character reference");
        let resolved = match &**reference {
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
        };
        self.text.push(resolved);
        Ok(())
    }

    fn end(&self) -> Result<(), Breach> {
        match (self.ended, self.path.is_empty()) {
            (true, _) => Ok(()),
            (false, true) => Err(Breach::new("the answer is empty")),
            (false, false) => Err(Breach::new("the answer is cut off")),
        }
    }
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
mod tests {
    use super::*;

    /// Every leaf text below the root, in order, or the breach.
    fn check(body: &str, expected: Result<&[&str], &str>) {
        let mut texts = Vec::new();
        let result = read(body.as_bytes(), Name::DeleteResult, |_, text| {
            texts.extend(text.map(str::to_owned));
            Ok(())
        });
        match (result, expected) {
            (Ok(()), Ok(expected)) => assert_eq!(texts, expected, "{body}"),
            (Err(Breach(text)), Err(part)) => assert!(text.contains(part), "{body}: {text}"),
            (result, _) => panic!("{body}: {result:?} with {texts:?}"),
        }
    }

    #[test]
    fn text_is_taken_exactly_as_sent() {
        check("<DeleteResult/>", Ok(&[]));
        check("<?xml version=\"1.0\"?>\n<DeleteResult xmlns=\"http://x/\">\n</DeleteResult>\n", Ok(&[]));
        check("<DeleteResult><Key> lead \r\n</Key></DeleteResult>", Ok(&[" lead \r\n"]));
        check("<DeleteResult><Key> </Key><Key/></DeleteResult>", Ok(&[" ", ""]));
        check("<DeleteResult><Key>a&amp;b&#13;&#x1F3AC;&lt;</Key></DeleteResult>", Ok(&["a&b\r\u{1f3ac}<"]));
        check("<DeleteResult><Key><![CDATA[a<b]]>c</Key></DeleteResult>", Ok(&["a<bc"]));
        check("<DeleteResult><Key>a<!-- x -->b</Key></DeleteResult>", Ok(&["ab"]));
        check("<s3:DeleteResult xmlns:s3=\"x\"><s3:Key>a</s3:Key></s3:DeleteResult>", Ok(&["a"]));
    }

    #[test]
    fn whatever_is_not_one_whole_answer_is_refused() {
        check("", Err("empty"));
        check(" \n", Err("empty"));
        check("<DeleteResult><Deleted>", Err("cut off"));
        check("<DeleteResult><Deleted></Del", Err("not XML"));
        check("<DeleteResult><Key>a</Deleted></DeleteResult>", Err("not XML"));
        check("<Error><Code>InternalError</Code></Error>", Err("no DeleteResult"));
        check("<ListBucketResult/>", Err("no DeleteResult"));
        check("<!DOCTYPE html><html></html>", Err("web page"));
        check("<html><body>Sign in</body></html>", Err("web page"));
        check("<DeleteResult/><DeleteResult/>", Err("no DeleteResult"));
        check("<DeleteResult/>tail", Err("outside"));
        check("{}", Err("outside"));
        check("<DeleteResult><Key>a<b/></Key></DeleteResult>", Err("beside"));
        check("<DeleteResult><Key><b/>a</Key></DeleteResult>", Err("beside"));
        check("<DeleteResult><Key>&nbsp;</Key></DeleteResult>", Err("reference"));
    }

    #[test]
    fn an_error_document_is_read_and_nothing_else_is_taken_for_one() {
        let document = error_document(b"<Error><Code>SlowDown</Code><Message>a &amp; b</Message></Error>");
        let document = document.expect("an error document");
        assert_eq!((document.code.as_str(), document.message.as_str()), ("SlowDown", "a & b"));
        assert_eq!(error_document(b"<html/>"), None);
        assert_eq!(error_document(b""), None);
    }
}
