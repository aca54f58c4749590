//! The soak: events by chance, one after the other, and after each everything that must hold.
//!
//! All choices of an event come from the seed and the event's number, so a seed tells the whole story.

mod configuration;
mod connections;
mod event;
mod foreign;
mod leftovers;
mod play;
mod traffic;
mod twin;
mod world;

use crate::daemon::Daemon;
use crate::dice::Dice;
use crate::program::Wansplit;
use crate::topology::{Lab, Setup};
use connections::{CLIENTS, Question};
use event::Event;
use leftovers::Holding;
use play::Stage;
use std::fmt::Write;
use std::thread;
use std::time::{Duration, Instant};
use traffic::Traffic;
use twin::Twin;
use world::World;

/// So long may the daemon take until all is as it should be. Not a bound that is measured against: nothing takes as long.
const PATIENCE: Duration = Duration::from_secs(45);
/// So long after its cause a verdict on a link may come: three rounds, and the time the last one waits for its answers.
const VERDICT: Duration = Duration::from_millis(1500);
/// New connections after each event.
const CONNECTIONS: u32 = 4;
/// So many events are told when one fails.
const TOLD: usize = 12;

/// What is to be soaked.
#[derive(Debug, Clone)]
pub struct Soak {
    /// The program.
    pub binary: String,
    /// What decides everything.
    pub seed: u64,
    /// For so long, or
    pub lasts: Duration,
    /// until this event is over.
    pub last_event: Option<u32>,
    /// Whether the daemon may be ended and started again; without that it is one process all the time.
    pub restarts: bool,
}

/// What was done.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Events.
    pub events: u32,
    /// New connections that were compared with `explain`.
    pub connections: u32,
    /// Connections to ports that are bound to one link.
    pub knocks: u64,
    /// Packets and rounds of flows on links that nothing happened to.
    pub sent: u64,
    /// Those of them without an answer.
    pub lost: u64,
    /// Memory of the daemon after ten events, at the end, and the most, in KiB.
    pub memory_kib: [u64; 3],
    /// Its open files after ten events, at the end, and the most.
    pub files: [usize; 3],
}

/// What is told when something fails.
struct Diary<'a> {
    soak: &'a Soak,
    wansplit: &'a Wansplit<'a>,
    events: Vec<String>,
}

impl Soak {
    /// Does it; in namespaces of its own. Panics, and tells the story, when something does not hold.
    #[must_use]
    pub fn run(&self) -> Summary {
        println!("SEED={} repeats this", self.seed);
        let mut world = World::new(&mut Dice::new(self.seed));
        let lab = Lab::with(&Setup { links: 3, main_default: vec![1, 2, 3], clients: CLIENTS, ..Setup::default() });
        let twin = Twin::new();
        foreign::furnish(&lab.router);
        let others = foreign::others(&lab.router);
        let wansplit = Wansplit::new(&self.binary, &lab.router, &world.configuration.text());
        let wansplit = wansplit.with_network(&lab.network_dump(&[]));
        let mut daemon = wansplit.daemon(&[]);
        let mut traffic = Traffic::new(&lab);
        let mut diary = Diary { soak: self, wansplit: &wansplit, events: Vec::new() };
        let mut summary = Summary::default();
        settle(&daemon, &twin, &wansplit, &world);
        let begin = Instant::now();
        while begin.elapsed() < self.lasts && self.last_event != Some(summary.events) {
            summary.events += 1;
            // Each event's dice are its own: how often something was asked meanwhile changes nothing.
            let mut dice = Dice::new(self.seed.wrapping_mul(1_000_003).wrapping_add(u64::from(summary.events)));
            let event = Event::draw(&mut world, &mut dice, self.restarts);
            diary.tell(summary.events, &event);
            traffic.prepare(&world, &event.touches());
            Stage { lab: &lab, wansplit: &wansplit, daemon: &mut daemon, world: &mut world }.play(&event);
            settle(&daemon, &twin, &wansplit, &world);
            if !event.touches().is_empty() {
                // What a link has just been through may still become a verdict.
                thread::sleep(VERDICT);
                settle(&daemon, &twin, &wansplit, &world);
            }
            none(&traffic.check(&world, !event.is_lawless()));
            if event.is_lawless() {
                traffic.forgive(&event.touches());
            }
            for _ in 0..CONNECTIONS {
                let question = Question::draw(&mut dice);
                eventually("connections go where explain says", || {
                    question.objection(&lab, &wansplit, &world).into_iter().collect()
                });
                summary.connections += 1;
            }
            eventually("what is others' is untouched", || twin::compare(foreign::others(&lab.router), others.clone()));
            eventually("nothing is gathered", || Holding::of(&daemon).objections());
            summary.note(&Holding::of(&daemon));
        }
        traffic.end_all();
        let _ = daemon.terminate();
        wansplit.stop();
        none(&foreign::ours(&lab.router));
        (summary.knocks, summary.sent, summary.lost) = (traffic.knocks, traffic.sent, traffic.lost);
        diary.events.clear();
        summary
    }
}

impl Summary {
    fn note(&mut self, holding: &Holding) {
        if self.events <= 10 {
            (self.memory_kib, self.files) = ([holding.anonymous_kib; 3], [holding.files; 3]);
        }
        self.memory_kib = [self.memory_kib[0], holding.anonymous_kib, self.memory_kib[2].max(holding.anonymous_kib)];
        self.files = [self.files[0], holding.files, self.files[2].max(holding.files)];
    }
}

impl Diary<'_> {
    fn tell(&mut self, number: u32, event: &Event) {
        let line = format!("{number:5}. {event:?}");
        println!("{line}");
        self.events.push(line);
    }
}

impl Drop for Diary<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        let (number, told) = (self.events.len(), self.events.len().saturating_sub(TOLD));
        eprintln!("the last events:\n{}", self.events[told..].join("\n"));
        let say = |what: &str, text: &str| eprintln!("--- {what}:\n{text}");
        say("configuration", &std::fs::read_to_string("/run/lab-wansplit.config").unwrap_or_default());
        let output = self.wansplit.run(&["status"]);
        say("status", &format!("{}{}", output.stdout, output.stderr));
        let router = self.wansplit.router();
        say("ip rules and routes of ours", &[foreign::rules(router), foreign::routes(router)].concat().join("\n"));
        let restarts = if self.soak.restarts { "" } else { " RESTARTS=no" };
        eprintln!("--- again: scripts/soak SEED={} EVENT={number}{restarts}", self.soak.seed);
    }
}

/// Waits until the daemon knows how things stand, and the kernel holds what it should.
fn settle(daemon: &Daemon, twin: &Twin, wansplit: &Wansplit, world: &World) {
    eventually("the daemon knows how things stand, and the kernel holds it", || {
        let status = wansplit.try_status().unwrap_or_default();
        if status["daemon"] != daemon.id() || status["resting"] == true {
            return vec![format!("daemon {} does not answer, or rests", daemon.id())];
        }
        let objections = world.objections(&status);
        if objections.is_empty() { twin.difference(wansplit) } else { objections }
    });
}

/// Waits until there are no objections.
fn eventually(what: &str, mut objections: impl FnMut() -> Vec<String>) {
    let since = Instant::now();
    loop {
        let found = objections();
        if found.is_empty() {
            return;
        }
        assert!(since.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}:\n{}", lines(&found));
        thread::sleep(Duration::from_millis(50));
    }
}

fn none(found: &[String]) {
    assert!(found.is_empty(), "{}", lines(found));
}

fn lines(found: &[String]) -> String {
    found.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    })
}
