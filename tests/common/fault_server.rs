//! A server that answers over real HTTP as a script says, request by request, or passes a request on to a real server.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// What a client sent.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    head: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What is done with a request.
#[derive(Clone, Debug)]
pub enum Step {
    /// The answer: status, headers, body.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Announces the whole body, sends only so many bytes of it and breaks the connection.
    Cut(usize, Vec<u8>),
    /// Sends this body a byte at a time, with such a pause before each.
    Trickle(Duration, Vec<u8>),
    /// Answers with this body and closes the connection, without having said that it would.
    HangUp(Vec<u8>),
    /// Breaks the connection without a word.
    Break,
    /// Never answers; the connection stays until the client has had enough.
    Silence,
    /// Passes the request on to this server and its answer back.
    Pass(SocketAddr),
    /// Passes the request on, then breaks the connection: carried out, answer lost.
    PassAndBreak(SocketAddr),
}

impl Step {
    pub fn xml(body: &str) -> Self {
        Self::status(200, body)
    }

    pub fn status(status: u16, body: &str) -> Self {
        Self::Answer(status, vec![("Content-Type", String::from("application/xml"))], body.as_bytes().to_vec())
    }

    pub fn error(status: u16, code: &str) -> Self {
        Self::status(status, &format!("<Error><Code>{code}</Code><Message>as it was told</Message></Error>"))
    }

    /// The same answer with this header.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Step::Answer(_, headers, _) = &mut self {
            headers.retain(|(known, _)| *known != name);
            headers.push((name, value.to_owned()));
        }
        self
    }
}

/// The `Date` of every scripted answer that brings none of its own.
pub const DATE: &str = "Sat, 21 Nov 2026 10:00:00 GMT";

struct Shared {
    script: Mutex<Script>,
    arrived: Condvar,
}

struct Script {
    steps: VecDeque<Step>,
    otherwise: Step,
    requests: Vec<Request>,
    open: bool,
}

/// The server; it stops when it is dropped.
pub struct FaultServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl FaultServer {
    /// Takes the steps in the order in which requests arrive, then answers every further request with `otherwise`.
    pub fn start(steps: impl IntoIterator<Item = Step>, otherwise: Step) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the port");
        let script = Script { steps: steps.into_iter().collect(), otherwise, requests: Vec::new(), open: true };
        let shared = Arc::new(Shared { script: Mutex::new(script), arrived: Condvar::new() });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if !accepting.script.lock().expect("script").open {
                    break;
                }
                let shared = Arc::clone(&accepting);
                thread::spawn(move || serve(&shared, stream));
            }
        });
        Self { address, shared }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.script.lock().expect("script").requests.clone()
    }

    /// Waits until so many requests have arrived.
    pub fn wait_for(&self, count: usize) {
        let script = self.shared.script.lock().expect("script");
        let wait = self
            .shared
            .arrived
            .wait_timeout_while(script, Duration::from_secs(30), |script| script.requests.len() < count);
        assert!(!wait.expect("script").1.timed_out(), "the requests never came");
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        if let Ok(mut script) = self.shared.script.lock() {
            script.open = false;
        }
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(shared: &Shared, stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    while let Some(request) = read_request(&mut reader) {
        let step = {
            let mut script = shared.script.lock().expect("script");
            script.requests.push(request.clone());
            shared.arrived.notify_all();
            script.steps.pop_front().unwrap_or_else(|| script.otherwise.clone())
        };
        if !perform(step, &request, &mut reader, &stream) {
            let _ = stream.shutdown(Shutdown::Both);
            return;
        }
    }
}

/// Does what the step says; whether the connection stays.
fn perform(step: Step, request: &Request, reader: &mut BufReader<TcpStream>, mut stream: &TcpStream) -> bool {
    match step {
        Step::Answer(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} Scripted\r\n");
            if !headers.iter().any(|(name, _)| *name == "Date") {
                head.push_str(&format!("Date: {DATE}\r\n"));
            }
            if !headers.iter().any(|(name, _)| *name == "Content-Length") && status != 204 {
                head.push_str(&format!("Content-Length: {}\r\n", body.len()));
            }
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str("\r\n");
            let body = if request.method == "HEAD" { &[] } else { body.as_slice() };
            let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
            sent.is_ok() && request.header("connection") != Some("close")
        }
        Step::Cut(bytes, body) => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body[..bytes]));
            false
        }
        Step::Trickle(pause, body) => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let mut sent = stream.write_all(head.as_bytes());
            for byte in body {
                thread::sleep(pause);
                sent = sent.and_then(|()| stream.write_all(&[byte]));
            }
            sent.is_ok()
        }
        Step::HangUp(body) => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
            false
        }
        Step::Break => false,
        Step::Silence => {
            let _ = reader.read(&mut [0; 1]);
            false
        }
        Step::Pass(upstream) => {
            let _ = forward(request, upstream).and_then(|answer| stream.write_all(&answer));
            false
        }
        Step::PassAndBreak(upstream) => {
            let _ = forward(request, upstream);
            false
        }
    }
}

/// The answer of a real server, read to its end: the request asks it to close the connection after it.
fn forward(request: &Request, upstream: SocketAddr) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(upstream)?;
    stream.write_all(&request.head)?;
    stream.write_all(b"Connection: close\r\n\r\n")?;
    stream.write_all(&request.body)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = Vec::new();
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if text.is_empty() {
            break;
        }
        head.extend_from_slice(&line);
        lines.push(text);
    }
    let mut first = lines.first()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let mut request = Request { method, target, headers, body: Vec::new(), head };
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}
