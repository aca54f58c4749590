//! Troubles by chance for as long as one likes, against the daemon: it must hold out, and nobody else may notice.
//!
//! Everything happens in network namespaces of its own; nothing of the machine is touched.

use lab::{Daemon, Dice, Flow, INTERNET, Knocker, Lab, Setup, Trouble, Wan, Wansplit, Way, side};
use serde_json::Value;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

const SEED: &str = "WANSPLIT_SEED";
/// Port of a service that goes by one link and, if it fails, by the other; by its first link.
const SERVICES: [u16; 2] = [443, 2525];
/// Port of what goes by one link or not at all.
const BOUND: [u16; 2] = [6001, 6002];
/// From this on, in minutes, there is time for a link that flaps for a minute, and for the time it is held back then.
const LONG: f64 = 8.0;
/// A link that came and went too often is held back for up to five minutes.
const LONGEST_HOLD: Duration = Duration::from_secs(330);

const CONFIG: &str = "
config globals 'globals'
  option enabled '1'
config link 'one'
  option interface 'wan'
  option interval '200ms'
  option timeout '300ms'
  option max_loss '50'
  list track_ip '192.0.2.10'
  list track_ip '2001:db8:ffff::10'
config link 'two'
  option interface 'wanb'
  option interval '200ms'
  option timeout '300ms'
  option max_loss '50'
  list track_ip '192.0.2.10'
  list track_ip '2001:db8:ffff::10'
config policy 'first_one'
  list use 'one'
  list use 'two'
config policy 'first_two'
  list use 'two'
  list use 'one'
config policy 'only_one'
  list use 'one'
  option fallback 'unreachable'
config policy 'only_two'
  list use 'two'
  option fallback 'unreachable'
config rule 'web'
  list dest_port '443'
  option use 'first_one'
config rule 'stream'
  list dest_port '2525'
  option use 'first_two'
config rule 'bound_one'
  list dest_port '6001'
  option use 'only_one'
config rule 'bound_two'
  list dest_port '6002'
  option use 'only_two'
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(binary), Some(minutes)) = (arguments.first(), arguments.get(1).and_then(|text| text.parse::<f64>().ok()))
    else {
        eprintln!("Start it by scripts/soak-links, which builds wansplit and gives its path and the minutes.");
        return ExitCode::FAILURE;
    };
    if let Err(reason) = lab::re_executed() {
        eprintln!("{reason}");
        return ExitCode::FAILURE;
    }
    let mut dice = Dice::seeded(SEED);
    let lab = Lab::with(&Setup { main_default: vec![1, 2], ..Setup::default() });
    let wansplit = Wansplit::new(binary, &lab.router, CONFIG).with_network(&lab.network_dump(&[]));
    let mut soak = Soak { lab: &lab, wansplit: &wansplit, daemon: wansplit.daemon(&[]), kills: 0, most_kib: 0 };
    soak.wait_until_well();
    let until = Instant::now() + Duration::from_secs_f64(minutes * 60.0);
    let mut round = 0;
    while Instant::now() < until {
        round += 1;
        let trouble = if round == 5 && minutes >= LONG { Trouble::LongFlapping } else { *dice.choose(&Trouble::ALL) };
        soak.round(round, trouble, &mut dice);
    }
    println!(
        "{round} troubles, the daemon killed {} times, never more than {} KiB resident",
        soak.kills, soak.most_kib
    );
    ExitCode::SUCCESS
}

struct Soak<'a> {
    lab: &'a Lab,
    wansplit: &'a Wansplit<'a>,
    daemon: Daemon<'a>,
    kills: u32,
    most_kib: u64,
}

impl Soak<'_> {
    /// One trouble on one link, while flows run on the other; panics if anybody is harmed.
    fn round(&mut self, round: u32, trouble: Trouble, dice: &mut Dice) {
        let link = 1 + u8::from(dice.below(2) == 1);
        let lasts = Duration::from_millis(dice.below(3_000));
        let killed = dice.below(4) == 0;
        print!("{round:4}. {trouble:?} on link {link} for {} ms", lasts.as_millis());
        println!("{}", if killed { ", and the daemon is killed" } else { "" });
        let other = 3 - link;
        self.lab.forget_strays();
        let leaks = BOUND.map(|port| (port, self.lab.count_leaks(link_of(port), &format!("th dport {port}"))));
        let flows: Vec<Flow> = if trouble.is_vandalism() { Vec::new() } else { self.flows(other) };
        let targets = INTERNET.iter().flat_map(|to| BOUND.map(|port| (None, *to, port)));
        let knocker = Knocker::start_slowly(&self.lab.lan, targets.collect(), Duration::from_millis(10));

        let [begins, ends] = trouble.actions();
        trouble.begin(self.lab, link);
        self.report(begins, link, &trouble.down(link));
        thread::sleep(lasts / 2);
        if killed {
            self.daemon.kill9();
            self.kills += 1;
            thread::sleep(Duration::from_millis(dice.below(300)));
            self.daemon.start_again();
        }
        thread::sleep(lasts / 2);
        trouble.end(self.lab, link);
        self.report(ends, link, &[]);

        if killed {
            self.daemon.wait_until_ready();
        }
        self.wait_until_well();
        self.most_kib = self.most_kib.max(self.daemon.usage().rss_kib);
        assert!(knocker.stop() > 0);
        for flow in flows {
            assert!(flow.goes_on(5), "a flow on link {other} hangs: {:?}", flow.so_far());
            flow.stop().assert_whole(Way::Link(other));
        }
        // While its own state is gone, nothing can be promised.
        if !trouble.is_vandalism() {
            for (port, leaks) in leaks {
                assert_eq!(leaks.packets(), 0, "packets to {port} that left by another link");
            }
            // What comes for an address that has gone is answered by an ICMP error, by whichever link, or goes back.
            let strays = self.lab.strays();
            let harmless = |stray: &String| !["tcp", "udp", "echo-request"].iter().any(|word| stray.contains(word));
            assert!(strays.iter().all(harmless), "packets with another link's address: {strays:?}");
        }
        // A short trouble may be over before it is found: then the link is down for a moment from now on.
        let until = Instant::now() + Duration::from_secs(10);
        for (port, link) in SERVICES.into_iter().zip([1, 2]) {
            let ways = || INTERNET.map(|to| self.lab.tcp(&self.lab.lan, to, port));
            while Instant::now() < until && ways() != [Way::Link(link); 2] {
                thread::sleep(Duration::from_millis(50));
            }
            assert_eq!(ways(), [Way::Link(link); 2], "tcp {port}");
        }
    }

    /// UDP and TCP in both families.
    fn flows(&self, link: u8) -> Vec<Flow> {
        let (lan, port) = (&self.lab.lan, SERVICES[usize::from(link) - 1]);
        let start = |to| {
            [
                Flow::udp(lan, to, port, Duration::from_millis(5)),
                Flow::tcp(lan, to, port, 2048, Duration::from_millis(5)),
            ]
        };
        INTERNET.into_iter().flat_map(start).collect()
    }

    /// What netifd would say, if it notices.
    fn report(&self, action: Option<&str>, link: u8, down: &[u8]) {
        let Some(action) = action else { return };
        self.wansplit.report_network(&self.lab.network_dump(down));
        for interface in Wan(link).interfaces() {
            let mut command = self.wansplit.prepare(&["hotplug"]);
            command.env("ACTION", action).env("INTERFACE", interface);
            // While the daemon is away nobody hears it.
            let _ = self.lab.router.start(&mut command).wait();
        }
    }

    fn wait_until_well(&self) {
        let took = self.daemon.wait_for_status("both links are up", LONGEST_HOLD, is_well);
        if took > Duration::from_secs(30) {
            println!("      well after {} s", took.as_secs());
        }
    }
}

/// The link a bound port is bound to.
fn link_of(port: u16) -> u8 {
    if port == BOUND[0] { 1 } else { 2 }
}

fn is_well(status: &Value) -> bool {
    let families = |link| ["ipv4", "ipv6"].map(|family| side(status, link, family)["state"] == "up");
    status["in_sync"] == true && [families("one"), families("two")] == [[true; 2]; 2]
}
