//! The package, as it would be downloaded.

use super::must;
use std::fs;
use std::path::{Path, PathBuf};

/// The program in it.
pub fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_wansplit").into()
}

/// Packs `files/` and the program into an .ipk.
pub fn pack(work: &Path, ipk: &Path) {
    let (data, control) = (work.join("data"), work.join("control"));
    let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
    fs::create_dir_all(data.join("usr/sbin")).expect("a folder");
    fs::create_dir_all(&control).expect("a folder");
    must("cp", &["-r", &text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("files/.")), &text(&data)]);
    fs::copy(binary(), data.join("usr/sbin/wansplit")).expect("the program");
    must("strip", &[&text(&data.join("usr/sbin/wansplit"))]);
    fs::write(control.join("control"), "Package: wansplit\n").expect("a file");
    fs::write(control.join("conffiles"), "/etc/config/wansplit\n").expect("a file");
    for script in ["postinst", "prerm"] {
        let place = control.join(script);
        let lines = format!("#!/bin/sh\n. /lib/functions.sh\ndefault_{script} $0 $@\n");
        fs::write(&place, lines).expect("a file");
        must("chmod", &["755", &text(&place)]);
    }
    for (part, folder) in [("data.tar.gz", &data), ("control.tar.gz", &control)] {
        must("tar", &["-czf", &text(&work.join(part)), "-C", &text(folder), "."]);
    }
    must("tar", &["-czf", &text(ipk), "-C", &text(work), "./data.tar.gz", "./control.tar.gz"]);
}
