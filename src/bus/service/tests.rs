use super::*;
use crate::bus::blob::Malformed;
use crate::bus::frame::{self, Draft, Frame, Kind, id};
use crate::bus::object::Argument;
use crate::bus::recorded::{self, Side};
use crate::bus::{json, pipe};
use serde_json::json;
use std::io::{ErrorKind, Read, Write};

const METHODS: &[Method] = &[
    Method { name: "status", arguments: &[] },
    Method { name: "explain", arguments: &[("proto", Argument::String), ("deep", Argument::Boolean)] },
];
const START: Duration = Duration::from_secs(1000);
/// The numbers that the other side gives to our objects, in the order in which they are offered.
const OURS: u32 = 0x8000_0001;
const LISTENER: u32 = 0x8000_0002;
const INTERFACES: u32 = 0x8000_0003;
const DEVICES: u32 = 0x8000_0004;

/// ubusd's end of the connection.
struct Ubusd {
    stream: UnixStream,
    unread: Vec<u8>,
}

/// A message from us, as it looks to ubusd.
#[derive(Debug, Clone, PartialEq)]
struct Heard {
    kind: Kind,
    sequence: u16,
    peer: u32,
    object: Option<u32>,
    target: Option<u32>,
    status: Option<u32>,
    name: Option<String>,
    fields: Result<Value, Malformed>,
}

impl Ubusd {
    fn heard(&mut self) -> Vec<Heard> {
        let mut chunk = [0; 65_536];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => self.unread.extend(&chunk[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        let bytes = std::mem::take(&mut self.unread);
        let (mut rest, mut heard) = (&bytes[..], Vec::new());
        while let Some((frame, behind)) = frame::split(rest).unwrap() {
            let text = frame.text(id::PATH).or(frame.text(id::METHOD));
            heard.push(Heard {
                kind: frame.kind,
                sequence: frame.sequence,
                peer: frame.peer,
                object: frame.number(id::OBJECT),
                target: frame.number(id::TARGET),
                status: frame.number(id::STATUS),
                name: text.map(|text| text.into_owned()),
                fields: json::read(frame.attribute(id::SIGNATURE).map_or(frame.fields(), |found| found.data)),
            });
            rest = behind;
        }
        self.unread = rest.to_vec();
        heard
    }

    fn send(&mut self, draft: Draft) {
        self.stream.write_all(&draft.finish().unwrap()).unwrap();
    }

    fn answer(&mut self, question: &Heard, object: Option<u32>, status: u32) {
        if let Some(object) = object {
            self.send(Draft::new(Kind::Data, question.sequence, question.peer).number(id::OBJECT, object));
        }
        self.send(Draft::new(Kind::Status, question.sequence, question.peer).number(id::STATUS, status));
    }

    fn event(&mut self, name: &str, data: &Value) {
        let draft = Draft::new(Kind::Invoke, 1, 0).number(id::OBJECT, LISTENER).text(id::METHOD, name);
        self.send(draft.bytes(id::DATA, &json::write(data).unwrap()));
    }

    fn call(&mut self, object: u32, method: &str, fields: &[u8]) {
        let draft = Draft::new(Kind::Invoke, 77, 0xcafe).number(id::OBJECT, object).text(id::METHOD, method);
        self.send(draft.bytes(id::DATA, fields));
    }
}

/// A service that has offered its objects; ubusd has given them numbers.
fn joined() -> (Service, Ubusd) {
    let (ours, stream) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    stream.set_nonblocking(true).unwrap();
    let mut service = Service::over(ours, METHODS, START);
    let mut ubusd = Ubusd { stream, unread: Vec::new() };
    ubusd.send(Draft::new(Kind::Hello, 0, 9));
    for (question, number) in ubusd.heard().iter().zip(OURS..) {
        assert_eq!(question.kind, Kind::AddObject);
        ubusd.answer(question, Some(number), 0);
    }
    assert_eq!(service.turn(true, START).unwrap(), []);
    (service, ubusd)
}

/// A service that is subscribed to the object with this number as `network.interface`; nobody offers `network.device`.
fn subscribed(target: u32) -> (Service, Ubusd) {
    let (mut service, mut ubusd) = joined();
    for question in ubusd.heard() {
        match question.name.as_deref() {
            Some("register") => ubusd.answer(&question, None, 0),
            Some("network.interface") => ubusd.answer(&question, Some(target), 0),
            Some("network.device") => ubusd.answer(&question, None, 4),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(service.turn(true, START).unwrap(), []);
    let [question] = &ubusd.heard()[..] else { panic!("one question") };
    assert_eq!((question.kind, question.object, question.target), (Kind::Subscribe, Some(INTERFACES), Some(target)));
    ubusd.answer(question, None, 0);
    assert_eq!(service.turn(true, START).unwrap(), [Incoming::Subscribed { object: "network.interface" }]);
    (service, ubusd)
}

#[test]
fn it_offers_its_object_and_asks_for_events_before_it_looks_for_others() {
    let (ours, stream) = UnixStream::pair().unwrap();
    stream.set_nonblocking(true).unwrap();
    let _service = Service::over(ours, METHODS, START);
    let offered = Ubusd { stream, unread: Vec::new() }.heard();
    assert_eq!(
        offered.iter().map(|offer| offer.name.as_deref()).collect::<Vec<_>>(),
        [Some("wansplit"), None, None, None]
    );
    assert_eq!(offered[0].fields, Ok(json!({"status": {}, "explain": {"proto": 3, "deep": 7}})));

    let (_service, mut ubusd) = joined();
    let asked = ubusd.heard();
    let names: Vec<_> = asked.iter().filter_map(|question| question.name.as_deref()).collect();
    assert_eq!(names, ["register", "register", "network.interface", "network.device"]);
    let listener = LISTENER.cast_signed();
    assert_eq!(asked[0].fields, Ok(json!({"object": listener, "pattern": "network.interface"})));
    assert_eq!(asked[1].fields, Ok(json!({"object": listener, "pattern": "ubus.object.add"})));
    assert_eq!((asked[0].peer, asked[0].object), (1, Some(1)));
}

#[test]
fn it_subscribes_to_what_appears_later_and_again() {
    let (mut service, mut ubusd) = subscribed(5);
    let added = json!({"id": 6, "path": "network.device"});
    // Twice: events come doubled at times. One subscription it is all the same.
    for _ in 0..2 {
        ubusd.event("ubus.object.add", &added);
    }
    let event = || Incoming::Event { name: "ubus.object.add".into(), data: added.clone() };
    assert_eq!(service.turn(true, START).unwrap(), [event(), event()]);
    for question in ubusd.heard() {
        assert_eq!((question.kind, question.name.as_deref()), (Kind::Lookup, Some("network.device")));
        ubusd.answer(&question, Some(6), 0);
    }
    assert_eq!(service.turn(true, START).unwrap(), []);
    let [question] = &ubusd.heard()[..] else { panic!("one question") };
    assert_eq!((question.object, question.target), (Some(DEVICES), Some(6)));
    ubusd.answer(question, None, 0);
    assert_eq!(service.turn(true, START).unwrap(), [Incoming::Subscribed { object: "network.device" }]);

    // netifd restarts: its objects go, and come back with other numbers.
    ubusd.send(Draft::new(Kind::Unsubscribe, 0, 0).number(id::OBJECT, INTERFACES).number(id::TARGET, 5));
    ubusd.event("ubus.object.add", &json!({"id": 7, "path": "network.interface"}));
    let incoming = service.turn(true, START).unwrap();
    assert_eq!(incoming[0], Incoming::Gone { object: "network.interface" });
    let [question] = &ubusd.heard()[..] else { panic!("one question") };
    ubusd.answer(question, Some(7), 0);
    assert_eq!(service.turn(true, START).unwrap(), []);
    assert_eq!(ubusd.heard()[0].target, Some(7));
    assert_eq!(service.deadline(), Some(START + pipe::PATIENCE));
}

#[test]
fn recorded_events_and_notifications_are_understood() {
    let (mut service, mut ubusd) = subscribed(5);
    let last = |exchange| {
        let reads = recorded::reads(exchange);
        reads.into_iter().rfind(|(side, _)| *side == Side::Server).unwrap().1
    };
    let readdress = |mut bytes: Vec<u8>, object: u32| {
        let old = Frame::parse(&bytes).unwrap().number(id::OBJECT).unwrap().to_be_bytes();
        let place = bytes.windows(4).position(|window| window == old).unwrap();
        bytes[place..place + 4].copy_from_slice(&object.to_be_bytes());
        bytes
    };
    ubusd.stream.write_all(&readdress(last(recorded::LISTEN), LISTENER)).unwrap();
    ubusd.stream.write_all(&readdress(last(recorded::SUBSCRIBE), INTERFACES)).unwrap();
    let event = Incoming::Event { name: "network.foo".into(), data: json!({"a": "b"}) };
    let (name, data) = ("interface.update".into(), json!({"ifname": "wan"}));
    let notification = Incoming::Notification { object: "network.interface", name, data };
    assert_eq!(service.turn(true, START).unwrap(), [event, notification]);
    assert_eq!(ubusd.heard(), []);
}

#[test]
fn calls_are_answered() {
    let (mut service, mut ubusd) = subscribed(5);
    ubusd.call(OURS, "explain", &json::write(&json!({"proto": "tcp"})).unwrap());
    let mut incoming = service.turn(true, START).unwrap();
    let Some(Incoming::Call { ticket, method, arguments }) = incoming.pop() else { panic!("no call") };
    assert_eq!((&method[..], arguments), ("explain", json!({"proto": "tcp"})));
    service.reply(ticket.clone(), &json!({"link": "EMB"}), Status::OK);
    let [data, end] = &ubusd.heard()[..] else { panic!("two messages") };
    assert_eq!((data.kind, data.sequence, data.peer, data.object), (Kind::Data, 77, 0xcafe, Some(OURS)));
    assert_eq!(data.fields, Ok(json!({"link": "EMB"})));
    assert_eq!((end.kind, end.sequence, end.peer, end.object), (Kind::Status, 77, 0xcafe, Some(OURS)));
    assert_eq!(end.status, Some(0));

    service.reply(ticket.clone(), &Value::Null, Status::PERMISSION_DENIED);
    // An answer that no message can hold.
    service.reply(ticket, &json!({"x": "x".repeat(1 << 20)}), Status::OK);
    let statuses: Vec<_> = ubusd.heard().into_iter().map(|message| (message.kind, message.status)).collect();
    assert_eq!(statuses, [(Kind::Status, Some(6)), (Kind::Status, Some(9))]);
}

#[test]
fn what_another_program_gets_wrong_is_refused_and_no_more() {
    let (mut service, mut ubusd) = subscribed(5);
    ubusd.call(OURS, "nonsense", &[]);
    ubusd.call(OURS, "status", &[1, 2, 3, 4]);
    ubusd.call(0x1234, "status", &[]);
    // Our other objects are not for calls: this would be a forged event.
    ubusd.call(LISTENER, "network.interface", &[]);
    ubusd.call(INTERFACES, "interface.update", &[]);
    ubusd.send(Draft::new(Kind::Invoke, 3, 0).number(id::OBJECT, LISTENER).text(id::METHOD, "e").bytes(id::DATA, &[9]));
    ubusd.send(Draft::new(Kind::Invoke, 4, 0xcafe).text(id::METHOD, "no object"));
    assert_eq!(service.turn(true, START).unwrap(), []);
    let statuses: Vec<_> = ubusd.heard().into_iter().filter_map(|message| message.status).collect();
    assert_eq!(statuses, [3, 2, 4, 3, 3]);

    // Nobody waits for this one.
    let draft = Draft::new(Kind::Invoke, 5, 0xcafe).number(id::OBJECT, OURS).text(id::METHOD, "status");
    ubusd.send(draft.bytes(id::NO_REPLY, &[1]));
    let mut incoming = service.turn(true, START).unwrap();
    let Some(Incoming::Call { ticket, .. }) = incoming.pop() else { panic!("no call") };
    service.reply(ticket, &json!({}), Status::OK);
    assert_eq!(ubusd.heard(), []);

    ubusd.send(Draft::new(Kind::Ping, 6, 0));
    assert_eq!(service.turn(true, START).unwrap(), []);
    let [pong] = &ubusd.heard()[..] else { panic!("one message") };
    assert_eq!((pong.kind, pong.sequence), (Kind::Data, 6));
}

#[test]
fn events_go_out() {
    let (mut service, mut ubusd) = subscribed(5);
    service.send_event("wansplit.link", &json!({"link": "EMB", "state": "down"}), START);
    let [event] = &ubusd.heard()[..] else { panic!("one message") };
    assert_eq!((event.kind, event.object, event.name.as_deref()), (Kind::Invoke, Some(1), Some("send")));
    let data = json!({"id": "wansplit.link", "data": {"link": "EMB", "state": "down"}});
    assert_eq!(event.fields, Ok(data));
    ubusd.answer(event, None, 6);
    assert_eq!(service.turn(true, START).unwrap(), []);
    assert_eq!(service.deadline(), None);
}

#[test]
fn a_name_that_is_taken_is_an_error() {
    let (ours, stream) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    stream.set_nonblocking(true).unwrap();
    let mut service = Service::over(ours, METHODS, START);
    let mut ubusd = Ubusd { stream, unread: Vec::new() };
    let offered = ubusd.heard();
    ubusd.answer(&offered[0], None, 2);
    let error = service.turn(true, START).unwrap_err().to_string();
    assert_eq!(error, "cannot offer the object 'wansplit' (is another wansplit running?): invalid argument");
    assert!(matches!(service.turn(true, START), Err(Error::Lost)));
}

#[test]
fn messages_may_come_byte_by_byte() {
    let (mut service, mut ubusd) = subscribed(5);
    let whole = Draft::new(Kind::Invoke, 1, 0).number(id::OBJECT, LISTENER).text(id::METHOD, "e").finish().unwrap();
    let mut turns = Vec::new();
    for byte in &whole {
        ubusd.stream.write_all(&[*byte]).unwrap();
        turns.push(service.turn(true, START).unwrap().len());
    }
    assert_eq!(turns.iter().sum::<usize>(), 1);
    assert_eq!(turns.last(), Some(&1));
}

#[test]
fn a_message_that_does_not_end_is_not_waited_for_without_end() {
    let (mut service, mut ubusd) = subscribed(5);
    assert_eq!(service.deadline(), None);
    ubusd.stream.write_all(&Draft::new(Kind::Hello, 0, 0).finish().unwrap()[..7]).unwrap();
    assert_eq!(service.turn(true, START).unwrap(), []);
    let deadline = START + pipe::PATIENCE;
    assert_eq!(service.deadline(), Some(deadline));
    assert_eq!(service.turn(false, deadline - Duration::from_millis(1)).unwrap(), []);
    let error = service.turn(false, deadline).unwrap_err();
    assert_eq!(error.to_string(), "ubus did not answer within 10 s");
}

#[test]
fn a_ubusd_that_does_not_answer_is_given_up() {
    let (mut service, _ubusd) = joined();
    assert_eq!(service.deadline(), Some(START + pipe::PATIENCE));
    assert!(matches!(service.turn(false, START + pipe::PATIENCE), Err(Error::TimedOut { .. })));
}

#[test]
fn its_time_begins_when_it_is_asked() {
    let (mut service, mut ubusd) = subscribed(5);
    let later = START + pipe::PATIENCE * 2;
    service.send_event("wansplit.link", &json!({}), later);
    assert_eq!(service.deadline(), Some(later + pipe::PATIENCE));
    assert!(service.turn(false, later).is_ok());
    let [event] = &ubusd.heard()[..] else { panic!("one message") };
    ubusd.answer(event, None, 0);
    assert!(service.turn(true, later).is_ok());
    assert_eq!(service.deadline(), None);
}

#[test]
fn a_ubusd_that_does_not_read_is_given_up() {
    let (mut service, _ubusd) = subscribed(5);
    let data = json!({"x": "x".repeat(100_000)});
    let mut sent = 0;
    let error = loop {
        service.send_event("wansplit.link", &data, START);
        sent += 100_000;
        match service.turn(false, START) {
            Ok(_) if sent < 10_000_000 => assert!(sent < 300_000 || service.wants_write()),
            Ok(_) => panic!("ten megabytes are kept"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Stalled), "{error}");
    assert!(sent > 1_500_000, "{sent}");
}

#[test]
fn what_could_not_be_sent_is_sent_when_there_is_room() {
    let (mut service, mut ubusd) = subscribed(5);
    for number in 0..12 {
        service.send_event("e", &json!({"n": number, "x": "x".repeat(100_000)}), START);
    }
    assert!(service.wants_write());
    let mut heard = Vec::new();
    for _ in 0..1000 {
        heard.extend(ubusd.heard());
        assert_eq!(service.turn(false, START).unwrap(), []);
        if !service.wants_write() {
            break;
        }
    }
    heard.extend(ubusd.heard());
    let numbers: Vec<_> = heard.into_iter().map(|event| event.fields.unwrap()["data"]["n"].clone()).collect();
    assert_eq!(numbers, (0..12).map(Value::from).collect::<Vec<_>>());
}

#[test]
fn the_end_of_ubusd_is_noticed() {
    let (mut service, ubusd) = subscribed(5);
    drop(ubusd);
    assert!(matches!(service.turn(true, START), Err(Error::Lost)));
    let (mut service, ubusd) = subscribed(5);
    drop(ubusd);
    service.send_event("e", &json!({}), START);
    assert!(service.wants_write());
    assert!(matches!(service.turn(false, START), Err(Error::Lost)));
}

#[test]
fn a_flood_is_taken_in_portions() {
    let (mut service, mut ubusd) = subscribed(5);
    let event = Draft::new(Kind::Invoke, 1, 0).number(id::OBJECT, LISTENER).text(id::METHOD, "e").finish().unwrap();
    let sent = ubusd.stream.write(&event.repeat(4000)).unwrap();
    assert!(sent > 100_000, "{sent}");
    let first = service.turn(true, START).unwrap().len();
    assert!(first <= 65_536 / event.len() && first > 100, "{first}");
}

#[test]
fn a_damaged_message_ends_the_connection_or_says_something_else_but_never_panics() {
    let call = json::write(&json!({"proto": "tcp", "list": [1, {"deep": true}], "none": null})).unwrap();
    let frames = [
        Draft::new(Kind::Invoke, 7, 3).number(id::OBJECT, OURS).text(id::METHOD, "explain").bytes(id::DATA, &call),
        Draft::new(Kind::Invoke, 7, 0)
            .number(id::OBJECT, LISTENER)
            .text(id::METHOD, "ubus.object.add")
            .bytes(id::DATA, &json::write(&json!({"id": 5, "path": "network.interface"})).unwrap()),
        Draft::new(Kind::Invoke, 8, 3).number(id::OBJECT, INTERFACES).bytes(id::NO_REPLY, &[1]).text(id::METHOD, "x"),
        Draft::new(Kind::Status, 9, 0).number(id::STATUS, 0),
        Draft::new(Kind::Data, 9, 0).number(id::OBJECT, 5).bytes(id::SIGNATURE, &call),
        Draft::new(Kind::Unsubscribe, 9, 0).number(id::OBJECT, INTERFACES).number(id::TARGET, 5),
    ];
    let drafts = frames.map(|draft| draft.finish().unwrap());
    let recorded = recorded::ALL.map(recorded::server);
    let (mut broken, mut sound) = (0, 0);
    for bytes in drafts.iter().chain(&recorded) {
        for place in 0..bytes.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[place] ^= change;
                let (mut service, mut ubusd) = subscribed(5);
                ubusd.stream.write_all(&bytes).unwrap();
                match service.turn(true, START) {
                    Ok(incoming) => {
                        sound += 1;
                        for call in incoming {
                            if let Incoming::Call { ticket, .. } = call {
                                service.reply(ticket, &json!({}), Status::OK);
                            }
                        }
                    }
                    Err(_) => broken += 1,
                }
            }
        }
    }
    assert!(broken > 500 && sound > 1000, "{broken} {sound}");
}
