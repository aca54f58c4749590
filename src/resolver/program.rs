//! The dnsmasq of this machine: whether it can fill sets of nftables.

use super::run::{PATH, ask};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// One that hung is asked again after this long: whoever asks has to wait for it.
const AGAIN: Duration = Duration::from_secs(60);

/// What dnsmasq can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ability {
    /// It fills sets.
    Fills,
    /// It is built without: it does not even start with a line about sets.
    Lacks,
    /// There is none.
    Absent,
    /// It could not be asked, and why.
    Unknown(String),
}

/// dnsmasq, and what it said of itself. It is asked again when it is another file.
#[derive(Debug, Default)]
pub struct Program {
    known: Option<(Stamp, Ability, Instant)>,
}

/// What tells one program from another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp(PathBuf, u64, u64, i64, i64);

impl Program {
    /// What it can do.
    pub fn ability(&mut self) -> Ability {
        let Some(stamp) = Stamp::now() else { return Ability::Absent };
        let counts = |ability: &Ability, at: &Instant| !matches!(ability, Ability::Unknown(_)) || at.elapsed() < AGAIN;
        match &self.known {
            Some((known, ability, at)) if *known == stamp && counts(ability, at) => ability.clone(),
            _ => {
                let ability = ask_ability(&stamp.0);
                self.known = Some((stamp, ability.clone(), Instant::now()));
                ability
            }
        }
    }

    /// Whether it is another one than was asked last.
    pub fn is_another(&self) -> bool {
        self.known.as_ref().map(|(stamp, ..)| stamp) != Stamp::now().as_ref()
    }

    /// Whether it understands a file.
    pub fn test(&self, file: &Path) -> Result<(), String> {
        let Some(Stamp(program, ..)) = Stamp::now() else { return Ok(()) };
        let argument = format!("--conf-file={}", file.display());
        let (good, said) = ask(&program, &["--test", &argument])?;
        if good {
            return Ok(());
        }
        let why = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it says nothing");
        Err(format!("dnsmasq does not understand what it is to be told of domains, so it is not told: {why}"))
    }
}

impl Ability {
    /// What is to be said of it; nothing if it is what one wants.
    pub fn complaint(&self) -> Option<String> {
        const UNTIL: &str = "install dnsmasq-full; rules with domains match nothing until then";
        match self {
            Self::Fills => None,
            Self::Lacks => Some(format!("dnsmasq here cannot fill sets (no nftset): {UNTIL}")),
            Self::Absent => Some(format!("there is no dnsmasq here, which fills the sets of domains: {UNTIL}")),
            Self::Unknown(why) => Some(format!("it is not known whether dnsmasq can fill sets: {why}")),
        }
    }
}

impl Stamp {
    fn now() -> Option<Self> {
        let places = PATH.split(':').map(|directory| Path::new(directory).join("dnsmasq"));
        places.into_iter().find_map(|path| {
            let about = fs::metadata(&path).ok()?;
            Some(Self(path, about.ino(), about.size(), about.mtime(), about.mtime_nsec()))
        })
    }
}

fn ask_ability(program: &Path) -> Ability {
    match ask(program, &["--version"]) {
        Ok((_, said)) => ability(&said),
        Err(why) => Ability::Unknown(why),
    }
}

/// From what `dnsmasq --version` says: `Compile time options: IPv6 ... no-ipset nftset auth ...`. A program older than the
/// option says nothing of it.
fn ability(said: &str) -> Ability {
    let options = said.lines().find_map(|line| line.strip_prefix("Compile time options:"));
    match options {
        Some(options) if options.split_whitespace().any(|word| word == "nftset") => Ability::Fills,
        Some(_) => Ability::Lacks,
        None => Ability::Unknown("its --version does not say".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_was_built_with_is_read_from_its_version() {
        let said = |options: &str| format!("Dnsmasq version 2.90\nCompile time options: {options}\n\nThis software\n");
        for (options, expected) in [
            ("IPv6 GNU-getopt no-DBus no-ipset nftset auth", Ability::Fills),
            ("IPv6 GNU-getopt no-DBus no-ipset no-nftset auth", Ability::Lacks),
            ("IPv6 GNU-getopt no-DBus ipset auth", Ability::Lacks),
        ] {
            assert_eq!(ability(&said(options)), expected);
        }
        assert!(matches!(ability("dnsmasq: not found"), Ability::Unknown(_)));
    }
}
