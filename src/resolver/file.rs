//! Our file among dnsmasq's, and the note of where there are such files.

use crate::kernel::file as files;
use crate::plan::resolver::HEADER;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Its name.
pub const NAME: &str = "wansplit.conf";
/// Its name as long as it is not complete: what begins with a dot dnsmasq does not read.
const DRAFT: &str = ".wansplit.conf.new";
/// Where the directories are noted that we wrote to, so that what is no longer wanted is found. In memory, on OpenWrt.
const NOTE: &str = "/var/run/wansplit/dnsmasq-dirs";
/// Our file in a directory.
pub fn path(directory: &Path) -> PathBuf {
    directory.join(NAME)
}

/// Its text; empty if there is none.
pub fn read(path: &Path) -> io::Result<String> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        other => other?,
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether we wrote it.
pub fn is_ours(text: &str) -> bool {
    text.starts_with(HEADER)
}

/// Writes a text beside the file, where no dnsmasq reads it by itself.
pub fn draft(path: &Path, text: &str) -> Result<Draft, String> {
    let draft = Draft(path.with_file_name(DRAFT));
    fs::write(&draft.0, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(draft)
}

/// A file that is not in place yet. Dropped, it is gone.
pub struct Draft(PathBuf);

impl Draft {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Puts it in the place of the file, all or nothing.
    pub fn put(self, path: &Path) -> Result<(), String> {
        fs::rename(&self.0, path).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Takes it away. Somebody else may have done so.
pub fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {error}", path.display()))
        }
        _ => Ok(()),
    }
}

/// The directories we wrote to.
pub fn noted() -> Vec<PathBuf> {
    files::read(Path::new(NOTE)).unwrap_or_default().lines().map(PathBuf::from).collect()
}

/// Notes directories, before they are written to. What was noted before stays: there may be a file of ours.
pub fn note(directories: &[PathBuf]) -> Result<(), String> {
    let mut noted = noted();
    let before = noted.len();
    for directory in directories {
        if !noted.contains(directory) {
            noted.push(directory.clone());
        }
    }
    if noted.len() == before {
        return Ok(());
    }
    let text: String = noted.iter().map(|directory| format!("{}\n", directory.display())).collect();
    files::replace(Path::new(NOTE), &text).map_err(|error| format!("cannot write {NOTE}: {error}"))
}
