//! A TCP proxy on loopback that cuts connections, or goes silent, after so many bytes from the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What happens to a connection when its bytes are used up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Both sides are closed.
    Cut,
    /// Nothing passes any more, and nobody is told.
    Silence,
}

/// Passes everything on until a connection's bytes are used up. Dropping it closes every connection.
pub struct CuttingProxy {
    /// Where it listens.
    pub address: SocketAddr,
    bytes: Arc<AtomicU64>,
    passed: Arc<AtomicU64>,
    accepting: JoinHandle<()>,
}

impl CuttingProxy {
    /// A proxy before `server` that lets everything through.
    pub async fn start(server: SocketAddr, end: End) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (bytes, passed) = (Arc::new(AtomicU64::new(u64::MAX)), Arc::new(AtomicU64::new(0)));
        let (limit, count) = (Arc::clone(&bytes), Arc::clone(&passed));
        let accepting = tokio::spawn(async move {
            let mut passing = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (limit, count) = (limit.load(Ordering::SeqCst), Arc::clone(&count));
                count.store(0, Ordering::SeqCst);
                passing.spawn(async move {
                    if let Ok(upstream) = TcpStream::connect(server).await {
                        pass(client, upstream, limit, &count, end).await;
                    }
                });
            }
        });
        Self { address, bytes, passed, accepting }
    }

    /// Every connection from now on ends after so many bytes from the server.
    pub fn end_after(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::SeqCst);
    }

    /// Bytes from the server that passed through the last connection.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(mut client: TcpStream, mut upstream: TcpStream, mut left: u64, count: &AtomicU64, end: End) {
    let (mut asked, mut answered) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => match read {
                Ok(length) if length > 0 && upstream.write_all(&asked[..length]).await.is_ok() => {}
                _ => return,
            },
            read = upstream.read(&mut answered) => {
                let Some(length) = read.ok().filter(|&length| length > 0) else { return };
                let fits = length.min(usize::try_from(left).unwrap_or(usize::MAX));
                if client.write_all(&answered[..fits]).await.is_err() {
                    return;
                }
                count.fetch_add(fits as u64, Ordering::SeqCst);
                left -= fits as u64;
                if fits < length {
                    break;
                }
            }
        }
    }
    if end == End::Silence {
        // Until the client gives up.
        while client.read(&mut asked).await.is_ok_and(|length| length > 0) {}
    }
}
