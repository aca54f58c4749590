//! The router's clock and its time zone.

use crate::clock::{Now, Zone, footer};
use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::model::Config;
use crate::config::source::Position;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// No file of zoneinfo is larger than a few kilobytes.
const LONGEST: u64 = 64 << 10;

/// What time it is, and what is odd about that. The zone is looked up only if a rule or a link's `max` asks
/// for it.
pub(super) fn now(config: &Config) -> (Now, Option<Diagnostic>) {
    let since = |then: SystemTime| then.duration_since(UNIX_EPOCH).ok();
    let instant = since(SystemTime::now()).and_then(|passed| i64::try_from(passed.as_secs()).ok()).unwrap_or(0);
    let asked =
        config.rules.iter().any(|rule| rule.schedule.is_some()) || config.links.iter().any(|link| link.quota.is_some());
    if !asked {
        return (Now { instant, zone: Zone::default() }, None);
    }
    let variable = std::env::var("TZ").unwrap_or_default();
    let (zone, doubt) = zone(&variable, Path::new("/"));
    let finding = doubt.map(|doubt| {
        let message = format!("{doubt}: times are taken as UTC");
        let help = "write the zone as POSIX does into /etc/TZ, as CET-1CEST,M3.5.0,M10.5.0/3; OpenWrt makes it from \
                    system.@system[0].timezone";
        Diagnostic::new(Severity::Warning, Position::default(), message).help(help)
    });
    (Now { instant, zone }, finding)
}

/// The time zone: by the variable `TZ` where it holds one, else by OpenWrt's `/etc/TZ`, else by the end of
/// `/etc/localtime`, else UTC. And why it is UTC, where something else seems to be meant.
fn zone(variable: &str, root: &Path) -> (Zone, Option<String>) {
    if let Ok(zone) = variable.parse() {
        return (zone, None);
    }
    let mut doubt = None;
    if let Some(text) = read(&root.join("etc/TZ")) {
        let text = String::from_utf8_lossy(&text);
        match text.trim().parse() {
            Ok(zone) => return (zone, None),
            Err(_) => doubt = Some("/etc/TZ holds no time zone as POSIX writes them"),
        }
    }
    if let Some(file) = read(&root.join("etc/localtime")) {
        match footer(&file).map(str::parse) {
            Some(Ok(zone)) => return (zone, None),
            _ => doubt = doubt.or(Some("/etc/localtime does not end in a time zone as POSIX writes them")),
        }
    }
    (Zone::default(), doubt.map(str::to_owned))
}

/// A file's content; nothing if it is not there or cannot be read.
fn read(path: &Path) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut content)).ok()?;
    Some(content)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fs;

    const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

    /// The offset in January and whether there is a doubt, with these files.
    fn found(variable: &str, files: &[(&str, &[u8])]) -> (i64, bool) {
        let root = std::env::temp_dir().join(format!("wansplit-clock-{:?}", std::thread::current().id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("etc")).unwrap();
        files.iter().for_each(|(name, content)| fs::write(root.join("etc").join(name), content).unwrap());
        let (zone, doubt) = zone(variable, &root);
        fs::remove_dir_all(&root).unwrap();
        (zone.offset_at(0), doubt.is_some())
    }

    #[test]
    fn the_zone_comes_from_the_first_place_that_has_one() {
        let (tz, localtime): (&[u8], &[u8]) = (b"BRT3\n", b"TZif2data\n<+0545>-5:45\n");
        let both = [("TZ", tz), ("localtime", localtime)];
        assert_eq!(found(BERLIN, &both), (3600, false));
        assert_eq!(found("", &both), (-10_800, false));
        assert_eq!(found("Europe/Berlin", &both), (-10_800, false), "names of zones are no zones here");
        assert_eq!(found("", &both[1..]), (20_700, false));
        assert_eq!(found("", &[]), (0, false));
    }

    #[test]
    fn what_cannot_be_read_is_utc_and_said() {
        let bad: (&str, &[u8]) = ("TZ", b"Europe/Berlin\n");
        assert_eq!(found("", &[bad]), (0, true));
        assert_eq!(found("", &[bad, ("localtime", b"TZif2data\n<+0545>-5:45\n")]), (20_700, false));
        for localtime in [&b"TZif\0data\n"[..], b"TZif2data\n\n", b"", b"\xff"] {
            assert_eq!(found("", &[("localtime", localtime)]), (0, true), "{localtime:?}");
        }
        assert_eq!(found("", &[("TZ", b"UTC\n")]), (0, false));
    }
}
