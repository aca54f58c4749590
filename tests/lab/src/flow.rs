//! Flows that go on while something happens.

use crate::client::{Dial, Way, seen_in};
use crate::host::Host;
use std::collections::{BTreeMap, HashMap};
use std::io::{BufReader, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Unanswered packets a UDP flow keeps in the air: few enough that a stalled machine overflows no socket buffer,
/// so that every loss is the network's.
const WINDOW: usize = 64;

/// A packet that has no answer for this long takes no place in the window any more.
const FORGOTTEN: Duration = Duration::from_secs(1);

/// One UDP or TCP flow that asks and is answered until it is stopped.
#[derive(Debug)]
pub struct Flow {
    shared: Arc<Shared>,
    /// A TCP flow's connection, to end a wait for an answer that will not come.
    stream: Option<TcpStream>,
    threads: Vec<JoinHandle<()>>,
}

/// What became of a flow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// UDP packets, or TCP rounds, asked.
    pub sent: u32,
    /// How many were answered.
    pub answered: u32,
    /// The answers by the way the server saw. TCP's never changes.
    pub ways: BTreeMap<Way, u32>,
    /// What ended a TCP flow, or the last error of a UDP socket.
    pub error: Option<String>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    report: Mutex<Report>,
    /// UDP packets without an answer, by number.
    waiting: Mutex<HashMap<u32, Instant>>,
}

impl Report {
    /// Asked and not answered.
    #[must_use]
    pub fn lost(&self) -> u32 {
        self.sent - self.answered
    }

    /// The ways that were seen.
    #[must_use]
    pub fn ways(&self) -> Vec<Way> {
        self.ways.keys().copied().collect()
    }

    /// Panics unless everything was answered, by this way alone and without an error.
    pub fn assert_whole(&self, way: Way) {
        let whole = self.lost() == 0 && self.error.is_none() && self.ways() == [way];
        assert!(whole, "not whole by {way:?}: {self:?}");
    }

    fn answer(&mut self, way: Way) {
        self.answered += 1;
        *self.ways.entry(way).or_default() += 1;
    }
}

impl Flow {
    /// One socket that sends a packet every `interval`. Starts when the first answer has come.
    #[must_use]
    pub fn udp(host: &Host, to: IpAddr, port: u16, interval: Duration) -> Self {
        Self::udp_from(host, None, to, port, interval)
    }

    /// The same from one of the host's addresses.
    #[must_use]
    pub fn udp_from(host: &Host, from: Option<IpAddr>, to: IpAddr, port: u16, interval: Duration) -> Self {
        let dial = Dial { from, patience: Duration::from_millis(50), ..Dial::default() };
        let socket = host.run(|| dial.connect_udp(SocketAddr::new(to, port))).expect("a UDP socket");
        let socket = Arc::new(socket);
        let shared = Arc::new(Shared::default());
        let (sender, receiver) = ((Arc::clone(&socket), Arc::clone(&shared)), Arc::clone(&shared));
        let threads = vec![
            thread::spawn(move || send_packets(&sender.0, &sender.1, interval)),
            thread::spawn(move || receive_packets(&socket, &receiver)),
        ];
        Self { shared, stream: None, threads }.started()
    }

    /// One connection that has `size` bytes echoed every `interval`. Starts when the first round is done.
    #[must_use]
    pub fn tcp(host: &Host, to: IpAddr, port: u16, size: usize, interval: Duration) -> Self {
        let dial = Dial { patience: Duration::from_secs(30), ..Dial::default() };
        let connected = host.run(|| dial.connect_tcp(SocketAddr::new(to, port)));
        let (stream, seen) = connected.unwrap_or_else(|error| panic!("tcp {to} {port} from {}: {error}", host.name()));
        let own = stream.get_ref().try_clone().expect("a copy of the connection's descriptor");
        let shared = Arc::new(Shared::default());
        let worker = Arc::clone(&shared);
        let threads = vec![thread::spawn(move || {
            if let Err(error) = go_rounds(stream, Way::of(seen), &worker, size, interval) {
                lock(&worker.report).error = Some(error.to_string());
            }
        })];
        Self { shared, stream: Some(own), threads }.started()
    }

    /// What became of it so far.
    #[must_use]
    pub fn so_far(&self) -> Report {
        lock(&self.shared.report).clone()
    }

    /// Waits until this many further answers have come; gives up after 10 s. Whether they came.
    #[must_use]
    pub fn goes_on(&self, answers: u32) -> bool {
        let wanted = self.so_far().answered + answers;
        self.wait(Duration::from_secs(10), |report| report.answered >= wanted).is_some()
    }

    /// Waits until an answer has come this way; gives up after `patience`. How long that took.
    #[must_use]
    pub fn comes_by(&self, way: Way, patience: Duration) -> Option<Duration> {
        let by_now = |report: Report| report.ways.get(&way).copied().unwrap_or(0);
        let before = by_now(self.so_far());
        self.wait(patience, |report| by_now(report) > before)
    }

    /// Waits until something has ended the flow, or a packet was refused; gives up after `patience`. How long that took.
    #[must_use]
    pub fn breaks(&self, patience: Duration) -> Option<Duration> {
        self.wait(patience, |report| report.error.is_some())
    }

    fn wait(&self, patience: Duration, wanted: impl Fn(Report) -> bool) -> Option<Duration> {
        let since = Instant::now();
        while since.elapsed() < patience {
            if wanted(self.so_far()) {
                return Some(since.elapsed());
            }
            thread::sleep(Duration::from_millis(5));
        }
        None
    }

    /// Ends it. What is still in the air gets a second to be answered.
    #[must_use]
    pub fn stop(self) -> Report {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(stream) = &self.stream {
            let since = Instant::now();
            while since.elapsed() < FORGOTTEN && !self.threads.iter().all(JoinHandle::is_finished) {
                thread::sleep(Duration::from_millis(5));
            }
            let _ = stream.shutdown(Shutdown::Both);
        }
        for thread in self.threads {
            thread.join().expect("a flow's thread");
        }
        lock(&self.shared.report).clone()
    }

    fn started(self) -> Self {
        assert!(self.goes_on(1), "the flow never got an answer: {:?}", self.so_far());
        self
    }
}

impl Shared {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no thread of a flow panics")
}

fn send_packets(socket: &UdpSocket, shared: &Shared, interval: Duration) {
    while !shared.stopped() {
        let mut waiting = lock(&shared.waiting);
        waiting.retain(|_, since| since.elapsed() < FORGOTTEN);
        if waiting.len() < WINDOW {
            let mut report = lock(&shared.report);
            let number = report.sent;
            report.sent += 1;
            waiting.insert(number, Instant::now());
            drop((waiting, report));
            // A refusal counts as a loss: no answer will come.
            if let Err(error) = socket.send(number.to_string().as_bytes()) {
                lock(&shared.report).error = Some(error.to_string());
            }
        } else {
            drop(waiting);
        }
        thread::sleep(interval);
    }
}

fn receive_packets(socket: &UdpSocket, shared: &Shared) {
    let mut buffer = [0; 256];
    let mut ending: Option<Instant> = None;
    loop {
        if let Ok(length) = socket.recv(&mut buffer) {
            let answer = &buffer[..length];
            let number = std::str::from_utf8(answer).ok().and_then(|text| text.split(' ').nth(1)?.parse().ok());
            if let (Some(seen), Some(number)) = (seen_in(answer), number) {
                lock(&shared.waiting).remove(&number);
                lock(&shared.report).answer(Way::of(seen));
            }
        }
        if shared.stopped() {
            let since = *ending.get_or_insert_with(Instant::now);
            if since.elapsed() > FORGOTTEN || lock(&shared.waiting).is_empty() {
                return;
            }
        }
    }
}

fn go_rounds(
    mut stream: BufReader<TcpStream>,
    way: Way,
    shared: &Shared,
    size: usize,
    interval: Duration,
) -> std::io::Result<()> {
    let (out, mut back) = (vec![b'x'; size], vec![0; size]);
    while !shared.stopped() {
        lock(&shared.report).sent += 1;
        stream.get_mut().write_all(&out)?;
        stream.read_exact(&mut back)?;
        lock(&shared.report).answer(way);
        thread::sleep(interval);
    }
    Ok(())
}
