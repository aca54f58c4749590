//! What the events of a link's life cost, and how soon they are found: processes, processor time, lost packets, seconds.

use lab::{Births, Daemon, Direction, Flow, INTERNET, Lab, Wansplit};
use std::fs;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

const CONFIG: &str = include_str!("../../../../examples/two-links.uci");
const PATIENCE: Duration = Duration::from_secs(15);
const BOTH: &[&str] = &["ipv4", "ipv6"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let Some(binary) = arguments.get(1) else {
        eprintln!("Start it by scripts/bench-events, which builds wansplit and gives its path.");
        return ExitCode::FAILURE;
    };
    let rounds: u32 = arguments.get(2).and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
    if let Err(reason) = lab::re_executed() {
        eprintln!("{reason}");
        return ExitCode::FAILURE;
    }
    let lab = Lab::new();
    let wansplit = Wansplit::new(binary, &lab.router, &watched(""));
    at_rest(&wansplit);
    carrier(&lab, &wansplit, rounds);
    for (name, options) in [("with the defaults", ""), ("with interval 100ms", "\toption interval '100ms'\n")] {
        silence(&lab, &wansplit, name, options, rounds);
    }
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

fn at_rest(wansplit: &Wansplit) {
    const TIME: Duration = Duration::from_secs(10);
    let mut daemon = wansplit.daemon(&[]);
    sleep(Duration::from_secs(5));
    let (before, cpu) = (daemon.usage(), processor(&daemon));
    sleep(TIME);
    let (after, cpu) = (daemon.usage(), processor(&daemon) - cpu);
    println!("at rest, 2 links watched in 2 families, a probe a second each:");
    let woken = (after.wakeups - before.wakeups) as f64 / TIME.as_secs_f64();
    println!("  woken up        {woken:.1} times a second");
    println!("  processor       {:.2} ms a second", cpu.as_secs_f64() * 1000.0 / TIME.as_secs_f64());
    println!("  resident        {} KiB, {} of them its own", after.rss_kib, after.anonymous_kib);
    daemon.terminate();
}

fn carrier(lab: &Lab, wansplit: &Wansplit, rounds: u32) {
    let mut daemon = wansplit.daemon(&[]);
    let settled = Duration::from_secs(6);
    println!("a link loses its carrier, {rounds} times:");
    let (mut most, mut started, mut sum) = (Duration::ZERO, 0, Duration::ZERO);
    let mail = INTERNET.map(|to| Flow::tcp(&lab.lan, to, 25, 256, Duration::from_millis(1)));
    for _ in 0..rounds {
        sleep(settled);
        let (births, before, cpu) = (Births::watch(&lab.router), daemon.usage(), processor(&daemon));
        lab.provider(1).carrier(false);
        let told = daemon.wait_for_line(Instant::now() - settled, &["link EMB", "down"], PATIENCE);
        assert!(told.is_some(), "{}", daemon.log_text());
        sleep(Duration::from_millis(1500));
        let cpu = processor(&daemon) - cpu;
        started += births.stop().len() + usize::from(daemon.usage().child_faults > before.child_faults);
        (most, sum) = (most.max(cpu), sum + cpu);
        lab.provider(1).carrier(true);
        daemon.wait_for_state("EMB", BOTH, "up", Duration::from_secs(60));
    }
    let lost: u32 = mail.map(Flow::stop).iter().map(lab::Report::lost).sum();
    println!("  processes       {started}");
    println!("  processor       {:.1} ms each, {:.1} at most (1.5 s of watching included)", ms(sum / rounds), ms(most));
    println!(
        "  lost            {lost} messages of the other link's connections, at up to 1,000 a second in each family"
    );
    daemon.terminate();
}

fn silence(lab: &Lab, wansplit: &Wansplit, name: &str, options: &str, rounds: u32) {
    wansplit.configure(&watched(options));
    let mut found = Vec::new();
    for round in 0..rounds {
        // A new daemon each time: a link that dies so often would be held.
        let mut daemon = wansplit.daemon(&[]);
        daemon.wait_for_state("EMB", BOTH, "up", PATIENCE);
        sleep(Duration::from_millis(1500 + u64::from(round) * 230));
        lab.provider(1).silence(Direction::Both);
        let since = Instant::now();
        for family in ["(IPv4)", "(IPv6)"] {
            let line = daemon.wait_for_line(since, &["link EMB", "down"], PATIENCE).into_iter();
            let line = line.chain(daemon.wait_for_line(since, &["link EMB", family, "down"], Duration::from_secs(5)));
            found.extend(line.last().map(|line| line.at - since));
        }
        lab.provider(1).speak();
        daemon.wait_for_state("EMB", BOTH, "up", Duration::from_secs(60));
        daemon.terminate();
    }
    found.sort();
    let at = |n: usize| found.get(n).copied().unwrap_or_default().as_secs_f64();
    println!("a link dies silently, {name}, {} times:", found.len());
    println!(
        "  found after     {:.2} s at best, {:.2} s half of the times, {:.2} s at worst",
        at(0),
        at(found.len() / 2),
        at(found.len().saturating_sub(1))
    );
}

/// Processor time a daemon has used, as the scheduler counts it: to the nanosecond, where `stat` has ticks of 10 ms.
fn processor(daemon: &Daemon) -> Duration {
    let text = fs::read_to_string(format!("/proc/{}/schedstat", daemon.id())).unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok()).unwrap_or(0))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
