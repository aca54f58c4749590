use super::*;
use crate::bus::frame::Frame;
use crate::bus::recorded::{self, DENIED, DUMP, ECHO, NO_METHOD, NOT_FOUND};
use serde_json::json;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

const OBJECT: u32 = 0x7b41_31f3;
const LONG: Duration = Duration::from_secs(20);

/// A caller that hears exactly these bytes from ubusd, and then that the connection has ended.
fn call_over(bytes: &[u8], method: &str, arguments: &Value) -> Result<Value, Error> {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(bytes).unwrap();
    theirs.shutdown(Shutdown::Write).unwrap();
    let patience = Patience::new(LONG);
    let mut session = Session::new(ours, patience)?;
    let number = session.find("network.interface")?;
    let mut answer = Map::new();
    let status = session.invoke(number, method, &json::write(arguments).unwrap(), &mut answer)?;
    if status == Status::OK {
        return Ok(Value::Object(answer));
    }
    Err(Error::Refused { what: method.to_owned(), status })
}

fn recorded_dump() -> Value {
    serde_json::from_str(include_str!("../../../tests/fixtures/network/network.interface-dump-synthetic.json")).unwrap()
}

#[test]
fn the_recorded_dump_is_what_ubus_printed() {
    let dump = call_over(&recorded::server(DUMP), "dump", &json!({})).unwrap();
    assert_eq!(serde_json::to_string(&dump).unwrap(), serde_json::to_string(&recorded_dump()).unwrap());
}

#[test]
fn every_type_comes_back() {
    let arguments = json!({"s": "a", "b": true, "t": {"x": 1}, "l": [1, "b"], "i": 5});
    assert_eq!(call_over(&recorded::server(ECHO), "echo", &arguments).unwrap(), arguments);
}

#[test]
fn refusals_are_told_apart() {
    let refusal = |exchange| match call_over(&recorded::server(exchange), "x", &Value::Null) {
        Err(Error::Refused { status, .. }) => status,
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal(DENIED), Status::PERMISSION_DENIED);
    assert_eq!(refusal(NO_METHOD), Status::METHOD_NOT_FOUND);
    let absent = call_over(&recorded::server(NOT_FOUND), "x", &Value::Null).unwrap_err();
    assert_eq!(absent.to_string(), "no object 'network.interface' on ubus");
}

#[test]
fn a_damaged_byte_is_an_error_or_another_value_but_never_a_panic() {
    let mut outcomes = [0, 0];
    for exchange in [DUMP, ECHO, DENIED, NO_METHOD, NOT_FOUND] {
        let sound = recorded::server(exchange);
        for place in 0..sound.len() {
            for change in [0x01, 0x04, 0x20, 0x80, 0xff] {
                let mut bytes = sound.clone();
                bytes[place] ^= change;
                outcomes[usize::from(call_over(&bytes, "dump", &json!({})).is_ok())] += 1;
            }
        }
    }
    assert!(outcomes[0] > 3000 && outcomes[1] > 3000, "{outcomes:?}");
}

#[test]
fn two_damaged_bytes_and_a_cut_at_any_place() {
    let sound = recorded::server(ECHO);
    for end in 0..sound.len() {
        assert!(matches!(call_over(&sound[..end], "echo", &json!({})), Err(Error::Lost)), "cut at {end}");
    }
    for first in (12..sound.len()).step_by(3) {
        for second in (first + 1..sound.len()).step_by(5) {
            let mut bytes = sound.clone();
            (bytes[first], bytes[second]) = (0xff, 0);
            let _ = call_over(&bytes, "echo", &json!({}));
        }
    }
}

/// Listens where ubusd would, for as many connections as there are scripts.
struct Fake {
    place: PathBuf,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    fn new(scripts: Vec<Box<dyn FnOnce(Peer) + Send>>) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let place = std::env::temp_dir().join(format!("wansplit-bus-{}-{number}", std::process::id()));
        let listener = UnixListener::bind(&place).unwrap();
        let serve = move || scripts.into_iter().for_each(|script| script(Peer::accept(&listener)));
        Self { place, thread: Some(thread::spawn(serve)) }
    }

    fn caller(&self) -> Caller {
        Caller::new(Some(&self.place))
    }

    fn join(mut self) {
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.place);
    }
}

/// The other end of a connection, already greeted.
struct Peer(UnixStream);

impl Peer {
    fn accept(listener: &UnixListener) -> Self {
        let mut stream = listener.accept().unwrap().0;
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.write_all(&Draft::new(Kind::Hello, 0, 7).finish().unwrap()).unwrap();
        Self(stream)
    }

    /// Reads a request; none if the caller has gone.
    fn request(&mut self) -> Option<(Kind, u16, Vec<u8>)> {
        let mut head = [0; 12];
        self.0.read_exact(&mut head).ok()?;
        let mut bytes = vec![0; crate::bus::frame::length(&head).unwrap()];
        bytes[..12].copy_from_slice(&head);
        self.0.read_exact(&mut bytes[12..]).unwrap();
        let frame = Frame::parse(&bytes).unwrap();
        Some((frame.kind, frame.sequence, frame.fields().to_vec()))
    }

    fn send(&mut self, draft: Draft) {
        let _ = self.0.write_all(&draft.finish().unwrap());
    }

    fn end(&mut self, sequence: u16, status: u32) {
        self.send(Draft::new(Kind::Status, sequence, 0).number(id::STATUS, status));
    }

    /// Answers the next lookup.
    fn found(&mut self) {
        let Some((Kind::Lookup, sequence, _)) = self.request() else { panic!("no lookup") };
        let path = Draft::new(Kind::Data, sequence, 0).text(id::PATH, "test").number(id::OBJECT, OBJECT);
        self.send(path.number(id::OBJECT_TYPE, 1).bytes(id::SIGNATURE, &[]));
        self.end(sequence, 0);
    }

    /// Answers the next lookup and the next call, with the arguments of the call and these fields.
    fn echo(&mut self, more: &Value) {
        self.found();
        let Some((Kind::Invoke, sequence, mut fields)) = self.request() else { panic!("no call") };
        // What does not concern the caller must not disturb it.
        self.send(Draft::new(Kind::Ping, 77, 0));
        self.send(Draft::new(Kind::Notify, sequence, 0).bytes(id::ACTIVE, &[1]));
        self.send(Draft::new(Kind::Data, sequence.wrapping_sub(1), OBJECT).bytes(id::DATA, &[9; 4]));
        fields.extend(json::write(more).unwrap());
        self.send(Draft::new(Kind::Data, sequence, OBJECT).number(id::OBJECT, OBJECT).bytes(id::DATA, &fields));
        self.end(sequence, 0);
        let Some((Kind::Data, 77, _)) = self.request() else { panic!("the ping was not answered") };
    }
}

#[test]
fn answers_and_arguments_of_any_size() {
    let sizes = [10, 850, 900, 60_000, 65_400, 65_536, 70_000, 1_000_000];
    let script = move |mut peer: Peer| {
        for size in sizes {
            peer.echo(&json!({"answer": "y".repeat(size)}));
            peer.echo(&json!({}));
        }
        peer.found();
    };
    let fake = Fake::new(vec![Box::new(script)]);
    let mut caller = fake.caller();
    for size in sizes {
        let answer = caller.call("test", "echo", &json!({"small": -1}), LONG).unwrap();
        assert_eq!(answer, json!({"small": -1, "answer": "y".repeat(size)}));
        let large = json!({"argument": "x".repeat(size)});
        assert_eq!(caller.call("test", "echo", &large, LONG).unwrap(), large);
    }
    let too_large = caller.call("test", "echo", &json!({"argument": "x".repeat(1 << 20)}), LONG).unwrap_err();
    assert_eq!(too_large.to_string(), "the call is too large: ubus takes at most 1048576 bytes");
}

#[test]
fn an_answer_that_does_not_end_takes_its_time_and_no_more() {
    let never = |found: bool| {
        move |mut peer: Peer| {
            if found {
                peer.found();
                let (_, sequence, _) = peer.request().unwrap();
                let whole = Draft::new(Kind::Data, sequence, OBJECT).bytes(id::DATA, &[0; 400]).finish().unwrap();
                peer.0.write_all(&whole[..100]).unwrap();
            }
            // Until the caller gives up.
            while peer.request().is_some() {}
        }
    };
    let fake =
        Fake::new(vec![Box::new(never(true)), Box::new(never(false)), Box::new(|mut peer| peer.echo(&json!({})))]);
    let mut caller = fake.caller();
    let began = Instant::now();
    let told = |caller: &mut Caller, patience| caller.call("test", "x", &json!({}), patience).unwrap_err().to_string();
    let half = Duration::from_millis(500);
    assert_eq!(told(&mut caller, half), "the object 'test' did not answer within 0.5 s");
    assert_eq!(told(&mut caller, Duration::from_secs(1)), "ubus did not answer within 1 s");
    assert!(began.elapsed() >= Duration::from_millis(1400));
    // The connection that is out of step is gone.
    assert_eq!(caller.call("test", "x", &json!({"a": 1}), LONG).unwrap(), json!({"a": 1}));
    fake.join();
}

#[test]
fn messages_without_end_do_not_keep_it() {
    let script = |mut peer: Peer| {
        peer.found();
        let (_, sequence, _) = peer.request().unwrap();
        let other = Draft::new(Kind::Data, sequence.wrapping_add(1), 0).finish().unwrap();
        while peer.0.write_all(&other).is_ok() {}
    };
    let fake = Fake::new(vec![Box::new(script)]);
    let outcome = fake.caller().call("test", "x", &json!({}), Duration::from_millis(300));
    assert!(matches!(outcome, Err(Error::TimedOut { .. })), "{outcome:?}");
    fake.join();
}

#[test]
fn a_restarted_ubusd_is_not_noticed() {
    let echo = || Box::new(|mut peer: Peer| peer.echo(&json!({}))) as Box<dyn FnOnce(Peer) + Send>;
    let dies = |mut peer: Peer| {
        peer.found();
        let _ = peer.request();
    };
    let fake = Fake::new(vec![echo(), echo(), Box::new(dies), echo()]);
    let mut caller = fake.caller();
    assert!(caller.call("test", "x", &json!({}), LONG).is_ok());
    assert!(caller.call("test", "x", &json!({}), LONG).is_ok());
    // But a call that may have been made is not made again.
    assert!(matches!(caller.call("test", "x", &json!({}), LONG), Err(Error::Lost)));
    assert!(caller.call("test", "x", &json!({}), LONG).is_ok());
    fake.join();
}

#[test]
fn a_peer_that_never_reads() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let found = recorded::server(DUMP);
    theirs.write_all(&found).unwrap();
    let mut session = Session::new(ours, Patience::new(LONG)).unwrap();
    session.find("network.interface").unwrap();
    session.wire.borrow_mut().begin(Patience::new(Duration::from_millis(200)));
    let fields = json::write(&json!({"x": "x".repeat(1_000_000)})).unwrap();
    let outcome = session.invoke(1, "m", &fields, &mut Map::new());
    assert!(matches!(outcome, Err(Error::TimedOut { .. })), "{outcome:?}");
}

#[test]
fn what_does_not_greet_is_not_ubus() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(&Draft::new(Kind::Status, 0, 0).number(id::STATUS, 0).finish().unwrap()).unwrap();
    let error = Session::new(ours, Patience::new(LONG)).err().unwrap();
    assert_eq!(error.to_string(), "a message from ubus makes no sense: it does not begin with a greeting");
}

#[test]
fn nobody_listens() {
    let absent = std::env::temp_dir().join("wansplit-no-such-socket");
    let error = Caller::new(Some(&absent)).call("a", "b", &json!({}), LONG).unwrap_err();
    assert_eq!(error.to_string(), format!("ubus is not running (no socket at {})", absent.display()));
    // A listener that has gone leaves its socket behind.
    let stale = std::env::temp_dir().join(format!("wansplit-stale-{}", std::process::id()));
    drop(UnixListener::bind(&stale).unwrap());
    let error = Caller::new(Some(&stale)).call("a", "b", &json!({}), LONG).unwrap_err();
    std::fs::remove_file(&stale).unwrap();
    assert_eq!(error.to_string(), format!("ubus is not running (nobody listens at {})", stale.display()));
    // A path that fits no socket address.
    let long = PathBuf::from("/x".repeat(100));
    assert!(matches!(Caller::new(Some(&long)).call("a", "b", &json!({}), LONG), Err(Error::Io { .. })));
}

#[test]
fn what_cannot_be_asked() {
    let fake = Fake::new(vec![Box::new(|mut peer| while peer.request().is_some() {})]);
    let mut caller = fake.caller();
    for path in ["", "a\0b", &"p".repeat(2000)] {
        assert!(matches!(caller.call(path, "m", &json!({}), LONG), Err(Error::NoObject(_))), "{path}");
    }
    assert!(matches!(caller.call("a", "m", &json!([1]), LONG), Err(Error::Unsayable(_))));
}
