//! `others`: programs of the same kind whose configuration is there.

use super::arguments::Arguments;
use crate::bus::Caller;
use crate::commands::Place;
use crate::import::Format;
use crate::json::object;
use crate::survey::rivals;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The programs whose configuration says something, whether they start at boot, and whether they run now.
pub fn answer(place: &Place, _: &Arguments) -> Result<Value, String> {
    let started = rivals::started(Path::new(rivals::STARTED_AT_BOOT));
    let running = rivals::running(&mut Caller::new(None));
    let other = |format: Format| {
        let (program, file) = (format.word(), file(place, format)?);
        has_content(&file).then(|| {
            object! {
                "program": program, "file": file.display().to_string(),
                "enabled": started.contains(program), "running": running.contains(program),
            }
        })
    };
    Ok(object! { "others": Format::ALL.into_iter().filter_map(other).collect::<Vec<_>>() })
}

/// Where a program's configuration is: its usual file, beside ours. None for what has no such place.
pub(super) fn file(place: &Place, format: Format) -> Option<PathBuf> {
    let usual = Path::new(format.usual_file()?);
    Some(Path::new(&place.config).with_file_name(usual.file_name()?))
}

/// Whether a file has more than blank lines and comments. One that cannot be read has nothing to offer.
fn has_content(file: &Path) -> bool {
    let says = |line: &[u8]| !matches!(line.trim_ascii_start().first(), None | Some(b'#'));
    std::fs::read(file).is_ok_and(|text| text.split(|byte| *byte == b'\n').any(says))
}
