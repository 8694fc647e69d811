//! The requests of S3 that the measured programs make.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, Response};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use percent_encoding::percent_decode_str;
use tokio::net::{TcpListener, TcpStream};

use super::{Bucket, Counts, Manners};

/// What all connections share.
pub struct Front {
    pub bucket: Bucket,
    pub manners: Manners,
    pub counts: Counts,
}

/// A whole body.
pub struct Whole(Option<Bytes>);

impl Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, Bytes::len) as u64)
    }
}

pub async fn accept(listener: TcpListener, front: Arc<Front>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(stream, Arc::clone(&front)));
    }
}

async fn connection(stream: TcpStream, front: Arc<Front>) {
    let _ = stream.set_nodelay(true); // slower without, nothing else
    let served = AtomicU64::new(0);
    // A handshake over a distance takes a round trip, too.
    tokio::time::sleep(front.manners.latency).await;
    let answer = service_fn(|request| {
        let front = Arc::clone(&front);
        let last = served.fetch_add(1, Ordering::Relaxed) + 1 == front.manners.per_connection;
        async move {
            let mut response = front.answer(request).await;
            if last {
                response.headers_mut().insert("connection", http::HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    // A client that went away is no failure of the bench.
    let _ = server.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), answer).await;
}

impl Front {
    async fn answer(&self, request: Request<Incoming>) -> Response<Whole> {
        let now = self.counts.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.counts.most_at_once.fetch_max(now, Ordering::Relaxed);
        let (head, body) = request.into_parts();
        let body = whole(body).await;
        if !self.manners.latency.is_zero() {
            tokio::time::sleep(self.manners.latency).await;
        }
        let over = self.manners.at_once > 0 && now > self.manners.at_once;
        let answer = if over {
            self.counts.refused.fetch_add(1, Ordering::Relaxed);
            error(503, "SlowDown")
        } else {
            self.carry_out(&head.method, head.uri.path(), head.uri.query().unwrap_or_default(), &body)
        };
        self.counts.now.fetch_sub(1, Ordering::Relaxed);
        answer
    }

    fn carry_out(&self, method: &Method, path: &str, query: &str, body: &[u8]) -> Response<Whole> {
        let query: Vec<(String, String)> = query.split('&').filter(|part| !part.is_empty()).map(pair).collect();
        let value = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let key = path.trim_start_matches('/').split_once('/').map(|(_, key)| decoded(key)).unwrap_or_default();
        let count = |count: &AtomicU64| count.fetch_add(1, Ordering::Relaxed);
        match method.as_str() {
            "GET" if path == "/counts" => text(200, format!("{} alive {}\n", self.counts.line(), self.bucket.alive())),
            "GET" if key.is_empty() && value("location").is_some() => text(
                200,
                "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></LocationConstraint>".into(),
            ),
            "HEAD" if key.is_empty() => text(200, String::new()),
            "GET" if key.is_empty() => {
                count(&self.counts.lists);
                self.list(&value)
            }
            "HEAD" => {
                count(&self.counts.heads);
                self.head(&key)
            }
            "POST" if value("delete").is_some() => {
                count(&self.counts.deletes);
                self.delete(body)
            }
            "DELETE" if !key.is_empty() => {
                count(&self.counts.deletes);
                self.bucket.remove([key.as_str()].into_iter());
                text(204, String::new())
            }
            _ => error(501, "NotImplemented"),
        }
    }

    /// The first page of folders right under a prefix. Objects beside them count, but are not told.
    fn folders(&self, prefix: &str) -> Response<Whole> {
        let (names, complete) = self.bucket.folders(prefix);
        let told: String =
            names.iter().map(|name| format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>")).collect();
        let more = if complete { "" } else { "<NextContinuationToken>0</NextContinuationToken>" };
        text(
            200,
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <Name>bench</Name><Prefix>{prefix}</Prefix><Delimiter>/</Delimiter><MaxKeys>1000</MaxKeys>\
                 <KeyCount>{}</KeyCount><IsTruncated>{}</IsTruncated>{more}{told}</ListBucketResult>",
                names.len(),
                !complete
            ),
        )
    }

    fn list<'a>(&self, value: &impl Fn(&str) -> Option<&'a str>) -> Response<Whole> {
        let prefix = value("prefix").unwrap_or_default();
        if value("delimiter").is_some_and(|delimiter| delimiter == "/") {
            return self.folders(prefix);
        }
        let most = value("max-keys").and_then(|most| most.parse().ok()).unwrap_or(1000);
        let begin = match (value("continuation-token"), value("start-after").or(value("marker"))) {
            (Some(token), _) => token.parse().unwrap_or_default(),
            (None, Some(after)) => self.bucket.after(after).max(self.bucket.at_or_after(prefix)),
            (None, None) => self.bucket.at_or_after(prefix),
        };
        let page = self.bucket.page(begin, prefix, most);
        let next =
            page.next.map(|at| format!("<NextContinuationToken>{at}</NextContinuationToken>")).unwrap_or_default();
        let encoding = value("encoding-type").map(|_| "<EncodingType>url</EncodingType>").unwrap_or_default();
        text(
            200,
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <Name>bench</Name><Prefix>{prefix}</Prefix><MaxKeys>{most}</MaxKeys>{encoding}<KeyCount>{}</KeyCount>\
                 <IsTruncated>{}</IsTruncated>{next}{}</ListBucketResult>",
                page.count,
                page.next.is_some(),
                page.entries
            ),
        )
    }

    fn head(&self, key: &str) -> Response<Whole> {
        let Some(entry) = self.bucket.entry(key) else { return text(404, String::new()) };
        let part = |name: &str| entry.split(&format!("<{name}>")).nth(1).and_then(|rest| rest.split('<').next());
        let mut response = text(200, String::new());
        let tag = part("ETag").unwrap_or_default().replace("&quot;", "\"");
        let modified = part("LastModified").and_then(http_date).unwrap_or_default();
        put(response.headers_mut(), "etag", &tag);
        put(response.headers_mut(), "last-modified", &modified);
        put(response.headers_mut(), "content-length", part("Size").unwrap_or_default());
        response
    }

    fn delete(&self, body: &[u8]) -> Response<Whole> {
        let body = String::from_utf8_lossy(body);
        let keys: Vec<&str> = body.split("<Key>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
        self.bucket.remove(keys.iter().copied());
        let quiet = body.contains("<Quiet>true");
        let deleted: String =
            keys.iter().filter(|_| !quiet).map(|key| format!("<Deleted><Key>{key}</Key></Deleted>")).collect();
        text(200, format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><DeleteResult>{deleted}</DeleteResult>"))
    }
}

async fn whole(mut body: Incoming) -> BytesMut {
    let mut bytes = BytesMut::new();
    while let Some(Ok(frame)) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Some(data) = frame.data_ref() {
            bytes.extend_from_slice(data);
        }
    }
    bytes
}

fn pair(part: &str) -> (String, String) {
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    (decoded(name), decoded(value))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// `2026-01-02T03:04:00.000Z` as HTTP writes it; January of 2026 began on a Thursday.
fn http_date(text: &str) -> Option<String> {
    let day: usize = text.get(8..10)?.parse().ok()?;
    let name = ["Wed", "Thu", "Fri", "Sat", "Sun", "Mon", "Tue"][day % 7];
    Some(format!("{name}, {day:02} Jan 2026 {} GMT", text.get(11..19)?))
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = http::HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn text(status: u16, body: String) -> Response<Whole> {
    let mut response = Response::new(Whole((!body.is_empty()).then(|| Bytes::from(body))));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    put(response.headers_mut(), "content-type", "application/xml");
    response
}

fn error(status: u16, code: &str) -> Response<Whole> {
    text(status, format!("<Error><Code>{code}</Code><Message>as it was told</Message></Error>"))
}
