//! `wansplit run`: one process, one poll loop. Everything that happens ends in a look at the world (`look`), which is the
//! same function of configuration and world that `wansplit apply` is.

mod alarm;
mod announce;
pub mod bus;
mod configuration;
pub mod control;
mod dnsmasq;
mod events;
mod flows;
pub mod hooks;
mod look;
mod requests;
mod settling;
mod signals;
mod status;
mod triggers;
mod usage;
mod watch;
mod words;

use crate::bus::Caller;
use crate::commands::{Exit, Loaded, Place, complain};
use crate::kernel::lock::{self, Lock};
use crate::kernel::netlink::monitor::Monitor;
use crate::kernel::{Error, Kernel};
use crate::logging;
use crate::network::firewall::Firewall;
use crate::plan::Plan;
use crate::probe::Prober;
use crate::survey::{Account, Survey};
use alarm::Alarm;
use bus::Bus;
use control::server::Server;
use dnsmasq::Dnsmasq;
use events::Events;
use flows::Sweeps;
use hooks::Hooks;
use log::{LevelFilter, debug, error, info, warn};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use settling::Settling;
use signals::{Order, Signals};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};
use triggers::{Look, Triggers};
use watch::Watches;

/// How long to wait before something that does not work is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// The daemon.
struct Daemon {
    place: Place,
    start: Instant,
    kernel: Kernel,
    monitor: Monitor,
    caller: Caller,
    bus: Bus,
    server: Server,
    signals: Signals,
    hooks: Hooks,
    dnsmasq: Dnsmasq,
    triggers: Triggers,
    alarm: Alarm,
    prober: Prober,
    watches: Watches,
    sweeps: Sweeps,
    settling: Settling,
    /// What the firewall's configuration says, and which text of it that was.
    firewall: Firewall,
    firewall_stamp: Option<configuration::Stamp>,
    events: Events,
    samples: status::Samples,
    usage: usage::Usage,
    /// The configuration in force and what follows from it; nothing before there was one.
    current: Option<Current>,
    /// Somebody said `wansplit stop`.
    resting: bool,
    /// The last look came to nothing, and is tried again soon.
    failing: bool,
    /// What this look has to complain of.
    complaints: Vec<String>,
    /// What the last one had, so that it is said once.
    told: Vec<String>,
    /// nft did not work when it was last needed.
    nft_fault: Option<look::NftFault>,
    /// How long to wait before netifd is asked again, when it did not answer.
    patience: Duration,
}

/// The configuration in force, and the world as it was at the last look.
struct Current {
    loaded: Loaded,
    stamp: configuration::Stamp,
    account: Account,
    /// Nothing before the first look that succeeded.
    state: Option<(Survey, Plan)>,
}

/// Who has something to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Signals,
    Monitor,
    Bus,
    Control,
    Prober,
    Alarm,
}

/// Runs until it is told to end.
#[must_use]
pub fn run(place: &Place) -> Exit {
    let _lock = match Lock::alone(Path::new(lock::DAEMON)) {
        Ok(lock) => lock,
        Err(Error::Locked { holder }) => {
            let who = holder.map_or(String::new(), |pid| format!(" (process {pid})"));
            complain(&format!("the daemon runs already{who}"));
            return Exit::Nothing;
        }
        Err(error) => {
            complain(&error.to_string());
            return Exit::Kernel;
        }
    };
    logging::to_system_log_or_stderr(LevelFilter::Info);
    match Daemon::start(place) {
        Ok(mut daemon) => {
            daemon.serve();
            daemon.meter_last();
        }
        Err(error) => {
            error!("{error}");
            return Exit::Kernel;
        }
    }
    info!("ended; the routes, rules and marks stay in place");
    Exit::Done
}

impl Daemon {
    fn start(place: &Place) -> Result<Self, Error> {
        // Before the first look: what changes from here on is heard.
        let signals = Signals::take()?;
        let kernel = Kernel::new();
        let listening = |failure| Error::Netlink { what: "listen to its announcements".into(), failure };
        let monitor = Monitor::open().map_err(listening)?;
        let server = Server::open(Path::new(control::SOCKET))?;
        let now = Instant::now();
        let mut triggers = Triggers::default();
        triggers.touch(now, Look { config: true, network: true });
        Ok(Self {
            place: place.clone(),
            start: now,
            kernel,
            monitor,
            caller: Caller::new(None),
            bus: Bus::new(now),
            server,
            signals,
            hooks: Hooks::default(),
            dnsmasq: Dnsmasq::default(),
            triggers,
            alarm: Alarm::default(),
            prober: Prober::new().map_err(|errno| Error::io("wait for", Path::new("probes"))(errno.into()))?,
            watches: Watches::default(),
            sweeps: Sweeps::default(),
            settling: Settling::default(),
            firewall: Firewall::default(),
            firewall_stamp: None,
            events: Events::default(),
            samples: status::Samples::default(),
            usage: usage::Usage::default(),
            current: None,
            resting: false,
            failing: false,
            complaints: Vec::new(),
            told: Vec::new(),
            nft_fault: None,
            patience: PAUSE,
        })
    }

    fn serve(&mut self) {
        loop {
            let ready = self.wait();
            let now = Instant::now();
            if ready.contains(&Source::Signals) && self.obey(now) == Order::End {
                return;
            }
            if ready.contains(&Source::Monitor) {
                self.hear_kernel(now);
            }
            self.turn_bus(now, ready.contains(&Source::Bus));
            if ready.contains(&Source::Control) || self.server.deadline().is_some_and(|at| at <= now) {
                self.answer_control(now);
            }
            if ready.contains(&Source::Alarm) {
                self.alarm.heard();
                self.triggers.touch_urgently(now, Look::default());
            }
            self.hooks.turn(now);
            self.meter(now);
            self.dnsmasq.turn(now, self.resting);
            self.watch(now);
            if let Some(look) = self.triggers.due(Instant::now()) {
                self.look(look);
            }
            self.sweep(Instant::now());
        }
    }

    /// Waits until there is something to do; says who has something to be read.
    fn wait(&self) -> Vec<Source> {
        let event = |writes| if writes { PollFlags::POLLOUT | PollFlags::POLLIN } else { PollFlags::POLLIN };
        let mut all = vec![(Source::Signals, self.signals.fd(), PollFlags::POLLIN)];
        all.extend(self.monitor.fds().map(|fd| (Source::Monitor, fd, PollFlags::POLLIN)));
        all.extend(self.bus.fd().map(|(fd, writes)| (Source::Bus, fd, event(writes))));
        // Nothing is read any more from whom an answer is written to: it would stay readable for ever.
        let either = |writes| if writes { PollFlags::POLLOUT } else { PollFlags::POLLIN };
        all.extend(self.server.fds().map(|(fd, writes)| (Source::Control, fd, either(writes))));
        all.push((Source::Prober, self.prober.as_fd(), PollFlags::POLLIN));
        all.extend(self.alarm.fd().map(|fd| (Source::Alarm, fd, PollFlags::POLLIN)));
        let mut fds: Vec<PollFd> = all.iter().map(|(_, fd, events)| PollFd::new(*fd, *events)).collect();
        let until = self.deadline().map(|at| at.saturating_duration_since(Instant::now()));
        // Poll counts in milliseconds; rounded up, or it would turn in circles for the last one.
        let timeout = until.map_or(PollTimeout::NONE, |time| {
            let rounded = time.as_micros().div_ceil(1000).min(60_000);
            PollTimeout::from(u16::try_from(rounded).unwrap_or(60_000))
        });
        match poll(&mut fds, timeout) {
            Ok(0) | Err(Errno::EINTR) => Vec::new(),
            Ok(_) => {
                let ready = fds.iter().zip(&all).filter(|(fd, _)| fd.any().unwrap_or(false));
                ready.map(|(_, (source, ..))| *source).collect()
            }
            Err(errno) => {
                warn!("cannot wait for events: {errno}");
                std::thread::sleep(PAUSE);
                vec![Source::Signals, Source::Monitor, Source::Bus, Source::Control]
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let watches = self.watches.deadline().map(|moment| self.start + moment);
        let all = [
            watches,
            self.triggers.deadline(),
            self.hooks.deadline(),
            self.dnsmasq.deadline(),
            self.server.deadline(),
            self.bus.deadline(),
            self.sweeps.deadline(),
            self.usage.deadline(),
        ];
        all.into_iter().flatten().min()
    }

    /// Does what the signals ask for; says whether to go on.
    fn obey(&mut self, now: Instant) -> Order {
        while let Some(order) = self.signals.next() {
            match order {
                Order::End => return Order::End,
                Order::Reload => self.reload(now),
                Order::Report => self.report(),
                // The scripts are looked after in every turn.
                Order::Child => {}
            }
        }
        Order::Child
    }

    /// The configuration is read again; a rest ends.
    fn reload(&mut self, now: Instant) {
        self.resting = false;
        self.triggers.touch(now, Look { config: true, network: true });
    }

    fn hear_kernel(&mut self, now: Instant) {
        let news = self.monitor.read();
        if news.lost {
            debug!("the kernel's news came too fast: everything is read again");
        }
        // What netifd has to say about new addresses and routes it says on ubus too; this is for where there is a file.
        let look = Look { config: false, network: news.addresses || news.default_routes || news.lost };
        if !news.links.is_empty() || news.own_routes || news.own_rules || news.table || news.lost {
            self.triggers.touch_urgently(now, look);
        } else if news.addresses || news.default_routes {
            self.triggers.touch(now, look);
        }
    }

    /// Takes the probes' answers in and sends what is due. What that changes is told, and acted on, by the next look.
    fn watch(&mut self, now: Instant) {
        let moment = self.moment(now);
        // Where a look came to nothing, its next try includes this.
        if self.watches.turn(&mut self.prober, moment) && !self.failing && !self.resting {
            self.triggers.touch_urgently(now, Look::default());
        }
    }

    /// Time since the start, as the health of links counts it.
    fn moment(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.start)
    }

    /// Says what the last look did not say already.
    fn complain(&mut self) {
        let complaints = std::mem::take(&mut self.complaints);
        for new in complaints.iter().filter(|new| !self.told.contains(new)) {
            warn!("{new}");
        }
        self.told = complaints;
    }
}
