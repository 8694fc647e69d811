//! HTTP on a loopback port, until it is dropped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use futures::TryStreamExt;
use http::{HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use md5::{Digest, Md5};
use s3s::auth::{S3Auth, SecretKey, SimpleAuth};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpError, S3Result, s3_error};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::service::{Service, check_md5};

/// The most bytes of a DeleteObjects request: 1,000 keys of 1,024 bytes, each byte escaped, fit.
const LARGEST_REQUEST: usize = 20 * 1024 * 1024;

/// Stops listening and closes every connection when it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves `service` on `listener` to whoever signs with these credentials, each answer later by `delay`.
    pub(super) fn start(
        listener: TcpListener,
        service: Service,
        access_key_id: &str,
        secret_access_key: &str,
        delay: Duration,
    ) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let mut builder = S3ServiceBuilder::new(service);
        builder.set_auth(Credentials(SimpleAuth::from_single(access_key_id, secret_access_key)));
        let front = Arc::new(Front { service: builder.build(), delay, requests: AtomicU64::new(0) });
        let task = tokio::spawn(accept(listener, front));
        Ok(Self { address, task })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The credentials, with the error of S3 for a key id that nobody knows.
struct Credentials(SimpleAuth);

#[async_trait]
impl S3Auth for Credentials {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        self.0.lookup(access_key).cloned().ok_or_else(|| {
            s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist in our records.")
        })
    }
}

async fn accept(listener: TcpListener, front: Arc<Front>) {
    // Dropped with this task, and the connections with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, front.clone()));
                }
                Err(why) => {
                    tracing::warn!(%why, "the demo cannot accept a connection");
                    // Out of file handles, most likely: the next attempt at once would fail alike.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, front: Arc<Front>) {
    // An answer is written in pieces; without this the last one waits for an acknowledgement.
    if let Err(why) = stream.set_nodelay(true) {
        tracing::debug!(%why, "no TCP_NODELAY");
    }
    let answer = service_fn(move |request| {
        let front = front.clone();
        async move { front.answer(request).await }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), answer);
    if let Err(why) = connection.await {
        tracing::debug!(%why, "a connection to the demo ended early");
    }
}

/// What stands before the protocol: the delay, request ids, and the one check that the protocol crate leaves out.
struct Front {
    service: S3Service,
    delay: Duration,
    requests: AtomicU64,
}

impl Front {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, HttpError> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        let mut response = match checked(request.map(Body::from)).await {
            Ok(request) => self.service.call(request).await?,
            Err(why) => why.to_http_response().map_err(|why| HttpError::new(Box::new(why)))?,
        };
        if let Ok(id) = HeaderValue::from_str(&format!("{number:016X}")) {
            response.headers_mut().insert("x-amz-request-id", id);
        }
        Ok(response)
    }
}

/// A POST with a `Content-MD5` that its body has. The body of a PUT is checked where it is stored.
async fn checked(request: Request<Body>) -> S3Result<Request<Body>> {
    let Some(header) = request.headers().get("content-md5").cloned() else { return Ok(request) };
    if request.method() != Method::POST {
        return Ok(request);
    }
    let (head, mut body) = request.into_parts();
    let mut bytes = BytesMut::new();
    while let Some(run) =
        body.try_next().await.map_err(|why| s3s::S3Error::with_source(s3s::S3ErrorCode::IncompleteBody, why))?
    {
        if bytes.len() + run.len() > LARGEST_REQUEST {
            return Err(s3_error!(MaxMessageLengthExceeded));
        }
        bytes.extend_from_slice(&run);
    }
    check_md5(header.to_str().unwrap_or_default(), &Md5::digest(&bytes))?;
    Ok(Request::from_parts(head, Body::from(bytes.freeze())))
}
