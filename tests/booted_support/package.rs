//! The package, as a router would download it.

use super::must;
use std::fs;
use std::path::{Path, PathBuf};

/// Has `scripts/package` make the .ipk of what `scripts/build` has built.
pub fn pack(work: &Path, ipk: &Path) {
    let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
    let feed = work.join("feed");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/package");
    must(&text(&script), &["x86_64-unknown-linux-musl", "--output", &text(&feed)]);
    let made = fs::read_dir(feed.join("x86_64")).expect("the feed's folder").flatten().map(|entry| entry.path());
    // Beside it lie the pages for LuCI, which this machine has not.
    let is_ours = |file: &PathBuf| {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("wansplit_") && name.ends_with(".ipk")
    };
    let made: Vec<PathBuf> = made.filter(is_ours).collect();
    assert_eq!(made.len(), 1, "one package: {made:?}");
    fs::copy(&made[0], ipk).expect("the package on the disk");
}
