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

/// Passes everything on until the bytes of a connection, or of all of them, are used up. Dropping it closes every
/// connection.
pub struct CuttingProxy {
    /// Where it listens.
    pub address: SocketAddr,
    counters: Arc<Counters>,
    accepting: JoinHandle<()>,
}

struct Counters {
    /// Bytes that each new connection has.
    each: AtomicU64,
    /// Bytes that all connections together still have.
    together: AtomicU64,
    /// Bytes of the last connection so far.
    last: AtomicU64,
    /// Bytes of all connections so far.
    all: AtomicU64,
}

impl CuttingProxy {
    /// A proxy before `server` that lets everything through.
    pub async fn start(server: SocketAddr, end: End) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let unlimited = || AtomicU64::new(u64::MAX);
        let (each, together) = (unlimited(), unlimited());
        let counters = Arc::new(Counters { each, together, last: AtomicU64::new(0), all: AtomicU64::new(0) });
        let shared = Arc::clone(&counters);
        let accepting = tokio::spawn(async move {
            let mut passing = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                shared.last.store(0, Ordering::SeqCst);
                let counters = Arc::clone(&shared);
                passing.spawn(async move {
                    if let Ok(upstream) = TcpStream::connect(server).await {
                        pass(client, upstream, &counters, end).await;
                    }
                });
            }
        });
        Self { address, counters, accepting }
    }

    /// Every connection from now on ends after so many bytes from the server.
    pub fn end_after(&self, bytes: u64) {
        self.counters.each.store(bytes, Ordering::SeqCst);
    }

    /// After so many bytes from now, all connections end and every new one at once: the server has died. `u64::MAX`
    /// brings it to life again.
    pub fn die_after(&self, bytes: u64) {
        self.counters.all.store(0, Ordering::SeqCst);
        self.counters.together.store(bytes, Ordering::SeqCst);
    }

    /// Bytes from the server that passed through the last connection.
    pub fn passed(&self) -> u64 {
        self.counters.last.load(Ordering::SeqCst)
    }

    /// Bytes from the server that passed since [`CuttingProxy::die_after`].
    pub fn passed_together(&self) -> u64 {
        self.counters.all.load(Ordering::SeqCst)
    }
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(mut client: TcpStream, mut upstream: TcpStream, counters: &Counters, end: End) {
    let (mut asked, mut answered) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    let mut left = counters.each.load(Ordering::SeqCst);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => match read {
                Ok(length) if length > 0 && upstream.write_all(&asked[..length]).await.is_ok() => {}
                _ => return,
            },
            read = upstream.read(&mut answered) => {
                let Some(length) = read.ok().filter(|&length| length > 0) else { return };
                let together = counters.together.load(Ordering::SeqCst);
                let fits = length.min(usize::try_from(left.min(together)).unwrap_or(usize::MAX));
                if client.write_all(&answered[..fits]).await.is_err() {
                    return;
                }
                counters.last.fetch_add(fits as u64, Ordering::SeqCst);
                counters.all.fetch_add(fits as u64, Ordering::SeqCst);
                left -= fits as u64;
                if together < u64::MAX {
                    counters.together.fetch_sub(fits as u64, Ordering::SeqCst);
                }
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
