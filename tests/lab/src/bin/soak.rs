//! Events by chance for as long as one likes, against the daemon: it must hold out, and nobody else may notice.
//!
//! Everything happens in network namespaces of its own; nothing of the machine is touched.

use lab::Soak;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn main() -> ExitCode {
    let Some(soak) = soak() else {
        eprintln!("Start it by scripts/soak, which builds wansplit and says what may be asked for.");
        return ExitCode::FAILURE;
    };
    if let Err(reason) = lab::re_executed() {
        eprintln!("{reason}");
        return ExitCode::FAILURE;
    }
    let summary = soak.run();
    let [first, last, most] = summary.memory_kib;
    println!(
        "{} events, {} connections compared, {} flows tried at kill switches, {} packets on links that nothing happened \
         to, {} lost",
        summary.events, summary.connections, summary.knocks, summary.sent, summary.lost
    );
    println!("memory of the daemon: {first} KiB after ten events, {last} at the end, {most} at most");
    println!("its open files: {:?}", summary.files);
    ExitCode::SUCCESS
}

/// `BINARY [MINUTES] [SEED=N] [EVENT=N] [RESTARTS=no]`
fn soak() -> Option<Soak> {
    let mut arguments = std::env::args().skip(1);
    let binary = arguments.next()?;
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| u64::from(time.subsec_nanos()));
    let mut soak = Soak { binary, seed: clock, lasts: Duration::from_secs(120), last_event: None, restarts: true };
    for argument in arguments {
        match argument.split_once('=') {
            Some(("SEED", value)) => soak.seed = value.parse().ok()?,
            Some(("EVENT", value)) => {
                soak.last_event = Some(value.parse().ok()?);
                soak.lasts = Duration::from_secs(24 * 3600);
            }
            Some(("RESTARTS", "no")) => soak.restarts = false,
            Some(_) => return None,
            None => soak.lasts = Duration::try_from_secs_f64(argument.parse::<f64>().ok()? * 60.0).ok()?,
        }
    }
    Some(soak)
}
