//! Per-device settings under `/proc/sys/net`, and what they were before.
//!
//! The state file holds, for each setting that we changed, the value from before and ours. It is written before the
//! setting is changed, and an entry leaves it after the setting was put back; so a run may be killed between any two
//! steps, and the next one finds its way.

use super::error::Error;
use super::file;
use crate::config::model::Family;
use std::fmt;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

/// Where the kernel keeps them.
pub const ROOT: &str = "/proc/sys/net";
/// The state file. `/var/run` is in memory on OpenWrt: after a reboot the settings are gone as well.
pub const STATE: &str = "/var/run/wansplit/sysctl";

/// No setting of a device is longer: IPv6's are numbers and addresses.
const LONGEST: usize = 64;

/// A setting of one device in one family.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The family.
    pub family: Family,
    /// The device's name, or `all`.
    pub device: String,
    /// The setting's name.
    pub name: String,
}

/// A setting that is to be changed, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which one.
    pub key: Key,
    /// Its value before.
    pub from: String,
    /// Its value after.
    pub to: String,
}

/// What happened.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Settings that were changed.
    pub changed: Vec<Change>,
    /// What could not be done; the rest was.
    pub errors: Vec<Error>,
}

/// The settings of this network namespace.
pub struct Sysctls {
    root: PathBuf,
    state: PathBuf,
}

impl Default for Sysctls {
    fn default() -> Self {
        Self::at(Path::new(ROOT), Path::new(STATE))
    }
}

/// One line of the state file.
#[derive(Clone, PartialEq, Eq)]
struct Record {
    key: Key,
    original: String,
    ours: String,
}

/// What is to be done with a setting.
struct Step {
    change: Change,
    /// What the state file shall say about it before; nothing once it is put back.
    record: Option<Record>,
}

impl Sysctls {
    /// Settings and state file at other places than usual.
    #[must_use]
    pub fn at(root: &Path, state: &Path) -> Self {
        Self { root: root.to_owned(), state: state.to_owned() }
    }

    /// What [`Sysctls::apply`] would change.
    ///
    /// # Errors
    /// The state file cannot be read.
    pub fn difference(&self, wanted: &[(Key, String)]) -> Result<Vec<Change>, Error> {
        let records = self.load()?;
        Ok(self.steps(&records, wanted).into_iter().map(|step| step.change).collect())
    }

    /// Sets what is wanted, and puts back what we set before and is not wanted any more; with nothing wanted, all.
    /// A value that is right is not touched; one that somebody else changed meanwhile is not put back; a device
    /// that does not exist is passed over.
    pub fn apply(&self, wanted: &[(Key, String)]) -> Outcome {
        let mut outcome = Outcome::default();
        if let Err(error) = self.try_apply(wanted, &mut outcome) {
            outcome.errors.push(error);
        }
        outcome
    }

    fn try_apply(&self, wanted: &[(Key, String)], outcome: &mut Outcome) -> Result<(), Error> {
        let old = self.load()?;
        let steps = self.steps(&old, wanted);
        let mut records = old.clone();
        for record in steps.iter().filter_map(|step| step.record.as_ref()) {
            records.retain(|known| known.key != record.key);
            records.push(record.clone());
        }
        self.store(&old, &records)?;
        for step in steps {
            let path = self.path(&step.change.key);
            match write(&path, &step.change.to) {
                Ok(()) => outcome.changed.push(step.change),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => outcome.errors.push(Error::io("write", &path)(error)),
            }
        }
        // What is not wanted any more is put back now, or never will be: somebody changed it, or its device is gone.
        let kept: Vec<_> =
            records.iter().filter(|record| wanted.iter().any(|(key, _)| *key == record.key)).cloned().collect();
        self.store(&records, &kept)
    }

    fn steps(&self, records: &[Record], wanted: &[(Key, String)]) -> Vec<Step> {
        let mut steps = Vec::new();
        for (key, value) in wanted {
            let Some(current) = self.read(key).filter(|current| current != value) else { continue };
            // Somebody else's change since ours is the value to go back to.
            let original = match records.iter().find(|record| record.key == *key) {
                Some(record) if record.ours == current => record.original.clone(),
                _ => current.clone(),
            };
            steps.push(Step {
                record: Some(Record { key: key.clone(), original, ours: value.clone() }),
                change: Change { key: key.clone(), from: current, to: value.clone() },
            });
        }
        for record in records.iter().filter(|record| wanted.iter().all(|(key, _)| *key != record.key)) {
            if self.read(&record.key).is_some_and(|current| current == record.ours) {
                let change = Change { key: record.key.clone(), from: record.ours.clone(), to: record.original.clone() };
                steps.push(Step { change, record: None });
            }
        }
        steps
    }

    /// A device name may hold dots, so the dotted form of `sysctl` cannot name it; a path can.
    fn path(&self, key: &Key) -> PathBuf {
        let family = match key.family {
            Family::V4 => "ipv4",
            Family::V6 => "ipv6",
        };
        self.root.join(family).join("conf").join(&key.device).join(&key.name)
    }

    /// The present value; none if there is no such device, or setting.
    #[must_use]
    pub fn read(&self, key: &Key) -> Option<String> {
        let single = |part: &str| !part.is_empty() && !part.contains('/') && part != "." && part != "..";
        if !single(&key.device) || !single(&key.name) {
            return None;
        }
        // At one go: the kernel gives a setting whole, and says nothing of its length. With many links there are many.
        let mut value = [0; LONGEST];
        let length = File::open(self.path(key)).and_then(|mut file| file.read(&mut value)).ok()?;
        Some(str::from_utf8(value.get(..length)?).ok()?.trim().to_owned())
    }

    fn load(&self) -> Result<Vec<Record>, Error> {
        let text = file::read(&self.state).map_err(Error::io("read", &self.state))?;
        // A line that makes no sense was not written by us.
        Ok(text.lines().filter_map(parse).collect())
    }

    fn store(&self, old: &[Record], new: &[Record]) -> Result<(), Error> {
        if old == new {
            return Ok(());
        }
        if new.is_empty() {
            return fs::remove_file(&self.state).map_err(Error::io("remove", &self.state));
        }
        if let Some(directory) = self.state.parent() {
            fs::create_dir_all(directory).map_err(Error::io("make the directory", directory))?;
        }
        let mut text = String::new();
        for Record { key, original, ours } in new {
            let family = if key.family == Family::V4 { 4 } else { 6 };
            let _ = writeln!(text, "{family} {} {} {original} {ours}", key.device, key.name);
        }
        file::replace(&self.state, &text).map_err(Error::io("write", &self.state))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = if self.key.family == Family::V4 { "ipv4" } else { "ipv6" };
        let Key { device, name, .. } = &self.key;
        write!(f, "net/{family}/conf/{device}/{name} from {} to {}", self.from, self.to)
    }
}

/// The kernel lets no device name hold a blank, and the values are numbers.
fn parse(line: &str) -> Option<Record> {
    let mut words = line.split(' ').map(str::to_owned);
    let family = match words.next()?.as_str() {
        "4" => Family::V4,
        "6" => Family::V6,
        _ => return None,
    };
    let key = Key { family, device: words.next()?, name: words.next()? };
    Some(Record { key, original: words.next()?, ours: words.next()? })
}

/// The file must exist: it is the kernel that makes them.
fn write(path: &Path, value: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(value.as_bytes())
}
