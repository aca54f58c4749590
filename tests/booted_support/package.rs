//! The package, as a router would download it.

use super::must;
use std::fs;
use std::path::{Path, PathBuf};

/// The program in it. It needs this machine's libraries, unlike what is released, which takes another build.
pub fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_wansplit").into()
}

/// Has `scripts/package` make the .ipk.
pub fn pack(work: &Path, ipk: &Path) {
    let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
    let (program, feed) = (work.join("wansplit"), work.join("feed"));
    fs::create_dir_all(work).expect("a folder");
    fs::copy(binary(), &program).expect("the program");
    must("strip", &[&text(&program)]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/package");
    let (program, output) = (text(&program), text(&feed));
    must(&text(&script), &["--program", &program, "--architecture", "x86_64", "--output", &output]);
    let made = fs::read_dir(feed.join("x86_64")).expect("the feed's folder").flatten().map(|entry| entry.path());
    let made: Vec<PathBuf> = made.filter(|file| file.extension().is_some_and(|end| end == "ipk")).collect();
    assert_eq!(made.len(), 1, "one package: {made:?}");
    fs::copy(&made[0], ipk).expect("the package on the disk");
}
