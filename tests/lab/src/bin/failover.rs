//! How soon a dead link is left, what is lost meanwhile, and what the daemon uses for it: rows for `scripts/bench`, as JSON.

use lab::{Births, Daemon, Direction, Flow, INTERNET, Lab, Wansplit, Way};
use serde_json::{Value, json};
use std::fs;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

const CONFIG: &str = include_str!("../../../../examples/two-links.uci");
const PATIENCE: Duration = Duration::from_secs(15);
/// Slowly enough that what is lost in a second fits into the flow's window, and it never stops to wait.
const UDP_EVERY: Duration = Duration::from_millis(20);
const BOTH: &[&str] = &["ipv4", "ipv6"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, binary, rounds] = arguments.as_slice() else {
        eprintln!("Start it by scripts/bench --only failover, which builds wansplit and gives its path.");
        return ExitCode::FAILURE;
    };
    let Ok(rounds) = rounds.parse::<u32>() else {
        eprintln!("'{rounds}' is no number of rounds");
        return ExitCode::FAILURE;
    };
    if let Err(reason) = lab::re_executed() {
        eprintln!("{reason}");
        return ExitCode::FAILURE;
    }
    let lab = Lab::new();
    let mut rows = vec![alone(&lab, &Wansplit::new(binary, &lab.router, CONFIG), rounds)];
    let wansplit = Wansplit::new(binary, &lab.router, &watched(""));
    let carrier = |link: &lab::Provider, alive: bool| link.carrier(alive);
    let silence = |link: &lab::Provider, alive: bool| if alive { link.speak() } else { link.silence(Direction::Both) };
    rows.push(with_daemon(&lab, &wansplit, "carrier", "default", rounds, &carrier));
    rows.push(with_daemon(&lab, &wansplit, "silence", "default", rounds, &silence));
    wansplit.configure(&watched("\toption interval '100ms'\n"));
    rows.push(with_daemon(&lab, &wansplit, "silence", "100ms", rounds, &silence));
    println!("{}", Value::from(rows));
    ExitCode::SUCCESS
}

/// The classic recipe with both links watched in both families.
fn watched(options: &str) -> String {
    let hosts: String = INTERNET.iter().map(|host| format!("\tlist track_ip '{host}'\n")).collect();
    let line = |line: &str| match line.starts_with("config link") {
        true => format!("{line}\n{hosts}{options}"),
        false => format!("{line}\n"),
    };
    CONFIG.lines().map(line).collect()
}

/// The other link's connections: a message a millisecond, in each family.
fn mail(lab: &Lab) -> [Flow; 2] {
    INTERNET.map(|to| Flow::tcp(&lab.lan, to, 25, 256, Duration::from_millis(1)))
}

/// What became of them: asked and not answered, or ended.
fn lost(flows: [Flow; 2]) -> (u32, u32) {
    let reports = flows.map(Flow::stop);
    let broken = reports.iter().filter(|report| report.error.is_some()).count();
    (reports.iter().map(lab::Report::lost).sum(), u32::try_from(broken).unwrap_or(u32::MAX))
}

/// A carrier is lost with no program running: how soon new connections go by the other link.
fn alone(lab: &Lab, wansplit: &Wansplit, rounds: u32) -> Value {
    wansplit.apply();
    let mail = mail(lab);
    let mut connected = Vec::new();
    for _ in 0..rounds {
        sleep(Duration::from_secs(1));
        // From before: the command that pulls the cable takes a millisecond or two itself.
        let since = Instant::now();
        lab.provider(1).carrier(false);
        for to in INTERNET {
            connected.push(connected_by(lab, since, to, Way::Link(2)));
        }
        lab.provider(1).carrier(true);
    }
    let (lost, broken) = lost(mail);
    json!({ "what": "carrier, no program", "interval": null, "connected_ms": connected, "lost_others": lost, "broken_others": broken })
}

/// How long after `since` a new web connection is answered by this link, in milliseconds.
fn connected_by(lab: &Lab, since: Instant, to: std::net::IpAddr, wanted: Way) -> f64 {
    loop {
        match lab.time_to_connect(since, &lab.lan, to, 443) {
            Some((took, way)) if way == wanted => return ms(took),
            _ => assert!(since.elapsed() < PATIENCE, "no new connection by {wanted:?}"),
        }
    }
}

/// A link dies under traffic, the daemon finds it, and the link comes back.
fn with_daemon(
    lab: &Lab,
    wansplit: &Wansplit,
    what: &str,
    interval: &str,
    rounds: u32,
    live: &dyn Fn(&lab::Provider, bool),
) -> Value {
    let (mut found, mut reset, mut connected, mut moved) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut processor, mut lost_own, mut processes) = (Vec::new(), Vec::new(), 0);
    let mail = mail(lab);
    for round in 0..rounds {
        // A new daemon each time: a link that dies so often would be held.
        let mut daemon = wansplit.daemon(&[]);
        daemon.wait_for_state("EMB", BOTH, "up", PATIENCE);
        // At any moment between two probes.
        sleep(Duration::from_millis(1500 + u64::from(round) * 230 % 1000));
        let web = INTERNET.map(|to| Flow::tcp(&lab.lan, to, 443, 256, Duration::from_millis(1)));
        let names = INTERNET.map(|to| Flow::udp(&lab.lan, to, 53, UDP_EVERY));
        let (births, before, cpu) = (Births::watch(&lab.router), daemon.usage(), cpu(&daemon));
        let since = Instant::now();
        live(lab.provider(1), false);
        // Side by side: each is timed from the link's death.
        std::thread::scope(|scope| {
            let told: Vec<_> = web.iter().map(|flow| scope.spawn(|| flow.breaks(PATIENCE))).collect();
            let gone_on = |flow: &Flow| flow.goes_on(1).then(|| since.elapsed());
            let on: Vec<_> = names.iter().map(|flow| scope.spawn(move || gone_on(flow))).collect();
            let joined = |thread: std::thread::ScopedJoinHandle<'_, Option<Duration>>| {
                ms(thread.join().expect("a watcher's thread").expect("the dead link's connections are told"))
            };
            reset.extend(told.into_iter().map(joined));
            moved.extend(on.into_iter().map(joined));
        });
        for to in INTERNET {
            connected.push(connected_by(lab, Instant::now(), to, Way::Link(2)));
        }
        for family in ["(IPv4)", "(IPv6)"] {
            // One that is lost in both families at once is told in one line without a family.
            let line = daemon.wait_for_line(since, &["link EMB", "down"], PATIENCE).expect("the daemon's word");
            let both = !line.text.contains("(IPv");
            let line =
                if both { Some(line) } else { daemon.wait_for_line(since, &["link EMB", family, "down"], PATIENCE) };
            found.extend(line.map(|line| ms(line.at - since)));
        }
        // What it still does about it: it looks once more for connections a second later.
        sleep(Duration::from_millis(1500));
        processor.push(ms(self::cpu(&daemon) - cpu));
        processes += births.stop().len() + usize::from(daemon.usage().child_faults > before.child_faults);
        lost_own.extend(names.map(Flow::stop).iter().map(lab::Report::lost));
        for flow in web {
            let _ = flow.stop();
        }
        live(lab.provider(1), true);
        daemon.wait_for_state("EMB", BOTH, "up", Duration::from_secs(60));
        daemon.terminate();
    }
    let (lost_others, broken) = lost(mail);
    json!({
        "what": what, "interval": interval, "rounds": rounds, "found_ms": found, "reset_ms": reset, "moved_ms": moved,
        "connected_ms": connected, "cpu_ms": processor, "processes": processes, "lost_own": lost_own,
        "lost_others": lost_others, "broken_others": broken,
    })
}

/// Processor time a daemon has used, as the scheduler counts it: to the nanosecond, where `stat` has ticks of 10 ms.
fn cpu(daemon: &Daemon) -> Duration {
    let text = fs::read_to_string(format!("/proc/{}/schedstat", daemon.id())).unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok()).unwrap_or(0))
}

fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}
