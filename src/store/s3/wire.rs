//! What goes over the wire. The SDK signs, sends and times out; what is sent is checked here against a list of permitted
//! requests, and what comes back is taken as it came: the SDK's own reading of answers is replaced.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::config::interceptors::{BeforeSerializationInterceptorContextMut, BeforeTransmitInterceptorContextMut};
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{Error, Output};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse, SharedResponseDeserializer};
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::body::SdkBody;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::errors::http_date;
use crate::domain::{Key, Timestamp};

/// Far above 1,000 keys of 1,024 bytes, percent-encoded, with everything around them.
pub(super) const MAX_DOCUMENT: u64 = 16 << 20;

/// A whole answer, as it came.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Headers,
    pub(super) body: Bytes,
}

impl Answer {
    /// A header's text, if the answer has it.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        match self.headers.try_get(name) {
            Some(Ok(text)) => Some(text),
            _ => None,
        }
    }

    /// Every header with its text.
    pub(super) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter_bytes().filter_map(|(name, value)| Some((name, std::str::from_utf8(value).ok()?)))
    }

    /// The server's clock by its `Date` header.
    pub(super) fn server_time(&self) -> Option<Timestamp> {
        self.header("date").and_then(http_date)
    }
}

/// Where the answer to one request is put.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot(Arc<Mutex<Option<Result<Answer, TooLong>>>>);

/// An answer that announced more bytes than make sense and was not read.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooLong(pub(super) u64);

impl Slot {
    /// The answer, if one came.
    pub(super) fn take(self) -> Option<Result<Answer, TooLong>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, answer: Result<Answer, TooLong>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }
}

/// What the SDK is told in place of a key. It refuses keys of white space alone and knows no bytes but UTF-8, so the real
/// key is written into the URL just before the request is signed.
pub(super) const PLACEHOLDER: &str = "key";

/// RFC 3986 2.3 "unreserved", and the slash: what SigV4 leaves alone in a path.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The interceptor of one request whose SDK output type is `O`.
pub(super) struct Wire<O> {
    slot: Slot,
    limit: u64,
    key: Option<Key>,
    headers: Vec<(&'static str, String)>,
    crc32: bool,
    body: Option<String>,
    output: PhantomData<fn() -> O>,
}

impl<O> Wire<O> {
    /// Puts the answer into `slot`; refuses bodies that announce more than `limit` bytes.
    pub(super) fn new(slot: &Slot, limit: u64) -> Self {
        let slot = slot.clone();
        Self { slot, limit, key: None, headers: Vec::new(), crc32: false, body: None, output: PhantomData }
    }

    /// The request is for this key; the SDK was told [`PLACEHOLDER`].
    pub(super) fn of(self, key: &Key) -> Self {
        Self { key: Some(key.clone()), ..self }
    }

    /// Whether a deletion of many keeps the SDK's CRC32 instead of a Content-MD5.
    pub(super) fn with_crc32(self, crc32: bool) -> Self {
        Self { crc32, ..self }
    }

    /// The request carries this document, which the SDK cannot write as it is.
    pub(super) fn carrying(self, document: String) -> Self {
        Self { body: Some(document), ..self }
    }

    /// The request carries this header, which the SDK does not know.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

impl<O> fmt::Debug for Wire<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

/// The SDK's output types can all be empty; this says so without naming their builders everywhere.
pub(super) trait EmptyOutput: fmt::Debug + Send + Sync + Sized + 'static {
    /// An output without content.
    fn empty() -> Result<Self, BoxError>;
}

impl<O: EmptyOutput> Intercept for Wire<O> {
    fn name(&self) -> &'static str {
        "Wire"
    }

    fn modify_before_serialization(
        &self,
        _: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let keep = Keep { slot: self.slot.clone(), limit: self.limit, output: PhantomData::<fn() -> O> };
        config.interceptor_state().store_put(SharedResponseDeserializer::new(keep));
        Ok(())
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(document) = &self.body {
            let headers = context.request_mut().headers_mut();
            headers.insert("content-type", "application/xml");
            headers.insert("content-length", document.len().to_string());
            *context.request_mut().body_mut() = SdkBody::from(document.as_str());
        }
        for (name, value) in &self.headers {
            context.request_mut().headers_mut().insert(*name, value.clone());
        }
        trim(context.request_mut(), self.key.as_ref(), self.crc32)
    }
}

/// Gives the request its final, permitted form.
fn trim(request: &mut HttpRequest, key: Option<&Key>, crc32: bool) -> Result<(), BoxError> {
    let uri = request.uri().to_owned();
    let (path, query) = uri.split_once('?').unwrap_or((&uri, ""));
    let path = match key {
        Some(key) => {
            let bucket = path.strip_suffix(PLACEHOLDER).ok_or("the URL does not end with the key")?;
            format!("{bucket}{}", percent_encode(key.as_bytes(), ESCAPED))
        }
        // The SDK writes `/bucket/`; R2's local server knows only `/bucket`, and all know that.
        None => path.strip_suffix('/').filter(|path| !path.ends_with("//")).unwrap_or(path).to_owned(),
    };
    // The SDK adds x-id for its own statistics; without it a DELETE has no query at all, so that any query is a fault.
    let query: Vec<&str> = query.split('&').filter(|part| !part.is_empty() && !part.starts_with("x-id=")).collect();
    if !is_permitted(request, &query, key.is_some()) {
        return Err(format!("{} with query {query:?} is not among the permitted requests", request.method()).into());
    }
    let uri = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
    request.set_uri(uri)?;
    let is_lifecycle = query == ["lifecycle"] && request.method() == "PUT";
    if (query == ["delete"] && !crc32) || is_lifecycle {
        use_content_md5(request)?;
    }
    Ok(())
}

/// The list of permitted requests. Whatever a store might take for another one is not among them: R2 writes an empty object at
/// a `POST` without a query and at a `PUT` with an upload id but no part number.
fn is_permitted(request: &HttpRequest, query: &[&str], of_key: bool) -> bool {
    let is = |part: &str, name: &str| part.strip_prefix(name).is_some_and(|value| !value.is_empty());
    let copies = request.headers().get("x-amz-copy-source").is_some_and(|source| !source.is_empty());
    let only_new = request.headers().get("if-none-match") == Some("*");
    match (request.method(), of_key, query) {
        ("GET" | "PUT", false, ["lifecycle"]) => true,
        ("GET", false, query) => query.contains(&"list-type=2") || query.contains(&"uploads"),
        ("GET" | "HEAD" | "DELETE", true, []) | ("POST", false, ["delete"]) | ("POST", true, ["uploads"]) => true,
        ("PUT", true, []) => copies || only_new,
        ("PUT", true, [one, two]) => copies && is(one, "partNumber=") && is(two, "uploadId="),
        ("POST" | "DELETE", true, [upload]) => is(upload, "uploadId="),
        _ => false,
    }
}

/// The value of `x-amz-copy-source` for a key of this bucket: percent-encoded once, as it is decoded once.
pub(super) fn copy_source(bucket: &str, key: &Key) -> String {
    format!("/{bucket}/{}", percent_encode(key.as_bytes(), ESCAPED))
}

/// R2 and older stores refuse the CRC32 that the SDK insists on for DeleteObjects; Content-MD5 is
/// taken by nearly all; whether CRC32 is, has to be measured.
fn use_content_md5(request: &mut HttpRequest) -> Result<(), BoxError> {
    let body = request.body().bytes().ok_or("the body of a deletion is not in memory")?;
    let digest = STANDARD.encode(Md5::digest(body));
    let checksums: Vec<String> = request
        .headers()
        .iter()
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.starts_with("x-amz-checksum-") || name == "x-amz-sdk-checksum-algorithm")
        .collect();
    for name in checksums {
        request.headers_mut().remove(name);
    }
    request.headers_mut().insert("content-md5", digest);
    Ok(())
}

/// Keeps the answer in place of reading it.
struct Keep<O> {
    slot: Slot,
    limit: u64,
    output: PhantomData<fn() -> O>,
}

impl<O> fmt::Debug for Keep<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keep")
    }
}

impl<O: EmptyOutput> Keep<O> {
    fn keep(&self, answer: Result<Answer, TooLong>) -> Result<Output, OrchestratorError<Error>> {
        self.slot.put(answer);
        O::empty().map(Output::erase).map_err(OrchestratorError::other)
    }
}

impl<O: EmptyOutput> DeserializeResponse for Keep<O> {
    fn deserialize_streaming_with_config(
        &self,
        response: &mut HttpResponse,
        _: &ConfigBag,
    ) -> Option<Result<Output, OrchestratorError<Error>>> {
        let announced = response.headers().get("content-length").and_then(|length| length.parse::<u64>().ok());
        announced.filter(|&length| length > self.limit).map(|length| self.keep(Err(TooLong(length))))
    }

    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        self.keep(Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: Bytes::copy_from_slice(response.body().bytes().unwrap_or_default()),
        }))
    }
}
