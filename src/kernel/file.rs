//! Writes small files so that a reader, or a power cut, finds either the old or the new content.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Replaces a file, or makes it. Its permissions stay; a symbolic link stays one.
///
/// # Errors
/// The new file cannot be written beside the old one, or not be put in its place. Then the old one is untouched.
pub fn replace(path: &Path, content: &str) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut beside = target.clone().into_os_string();
    beside.push(".wansplit-new");
    let beside = PathBuf::from(beside);
    let written = write(&beside, content, &target).and_then(|()| fs::rename(&beside, &target));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write(path: &Path, content: &str, model: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    if let Ok(metadata) = fs::metadata(model) {
        file.set_permissions(metadata.permissions())?;
    }
    file.write_all(content.as_bytes())?;
    // Without it a power cut soon after may leave an empty file on flash.
    file.sync_all()
}

/// A text file's content; a file that does not exist is empty.
///
/// # Errors
/// It exists, but cannot be read, or is not UTF-8.
pub fn read(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        other => other,
    }
}
