//! The disk: busybox, nft and ip with their libraries, the kernel's modules, stand-ins for OpenWrt's service scripts, the
//! package (not installed yet), and this test program.

use super::kernel::Kernel;
use super::{must, package, scratch};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Programs of this machine that the network, wansplit and the test call.
const PROGRAMS: [&str; 4] = ["nft", "ip", "ping", "wg"];

/// What is copied of the kernel's modules: all of the network, and what it needs.
const MODULES: [&str; 6] = [
    "kernel/net",
    "kernel/lib",
    "kernel/crypto",
    "kernel/arch/x86/crypto",
    "kernel/drivers/net/veth.ko",
    "kernel/drivers/net/wireguard",
];

/// An ext4 disk image for a test, as it is before the first boot.
pub fn built(test: &str, kernel: &Kernel) -> PathBuf {
    let folder = scratch().join(test);
    let _ = fs::remove_dir_all(&folder);
    let root = folder.join("root");
    for directory in ["bin", "dev", "proc", "sys", "run", "tmp", "root", "usr/sbin", "usr/bin", "etc/rc.d"] {
        fs::create_dir_all(root.join(directory)).expect("a folder of the disk");
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    must("cp", &["-r", &text(&here.join("tests/booted/root/.")), &text(&root)]);
    symlink("/tmp", root.join("var")).expect("a link");
    symlink("../init.d/network", root.join("etc/rc.d/S20network")).expect("a link");
    fs::write(root.join("etc/test"), format!("TEST='{test}'\n")).expect("the test's name");
    install_busybox(&root);
    install_programs(&root);
    install_modules(&root, kernel);
    package::pack(&folder.join("package"), &root.join("root/wansplit.ipk"));
    let disk = folder.join("disk.ext4");
    must("mke2fs", &["-q", "-t", "ext4", "-d", &text(&root), &text(&disk), "192M"]);
    // The kernel opens it for init before anybody could mount a devtmpfs, and no ordinary user can make it in a folder.
    must("debugfs", &["-w", "-R", "mknod /dev/console c 5 1", &text(&disk)]);
    fs::remove_dir_all(root).expect("the disk's folder removed");
    disk
}

fn install_busybox(root: &Path) {
    let busybox = found("busybox");
    assert!(libraries(&busybox).is_empty(), "{} is no static busybox: install busybox-static", busybox.display());
    copy(&busybox, &root.join("bin/busybox"));
    for applet in must("busybox", &["--list"]).lines() {
        // /bin is last in PATH: the whole programs win.
        let _ = symlink("busybox", root.join("bin").join(applet));
    }
    // What the kernel calls by name.
    symlink("../bin/busybox", root.join("sbin/init")).expect("a link");
    symlink("../bin/busybox", root.join("sbin/modprobe")).expect("a link");
}

fn install_programs(root: &Path) {
    let test = std::env::current_exe().expect("this program's path");
    let mut programs = vec![(test, root.join("usr/libexec/test"))];
    programs.extend(PROGRAMS.map(|program| (found(program), root.join("usr/sbin").join(program))));
    let mut needed = BTreeSet::new();
    for (program, place) in programs {
        copy(&program, &place);
        needed.extend(libraries(&program));
    }
    must("strip", &[&text(&root.join("usr/libexec/test"))]);
    for library in needed {
        copy(&library, &root.join(library.strip_prefix("/").expect("an absolute path")));
    }
    for names in ["/etc/iproute2", "/usr/share/iproute2"].map(Path::new).into_iter().filter(|names| names.is_dir()) {
        must("cp", &["-r", &text(names), &text(&root.join("etc/iproute2"))]);
    }
}

fn install_modules(root: &Path, kernel: &Kernel) {
    let place = root.join("lib/modules").join(&kernel.release);
    for module in MODULES {
        // Some kernels have them packed.
        let files = ["", ".xz", ".zst"].map(|end| kernel.modules().join(format!("{module}{end}")));
        let Some(file) = files.into_iter().find(|file| file.exists()) else { continue };
        let place = place.join(module);
        let parent = place.parent().expect("a folder");
        fs::create_dir_all(parent).expect("a folder for modules");
        must("cp", &["-r", &text(&file), &text(parent)]);
    }
    let packed = must("find", &[&text(&place), "-name", "*.xz"]);
    packed.lines().for_each(|module| drop(must("unxz", &[module])));
    for list in ["modules.builtin", "modules.builtin.modinfo", "modules.order"] {
        let _ = fs::copy(kernel.modules().join(list), place.join(list));
    }
    must("busybox", &["depmod", "-b", &text(root), &kernel.release]);
}

/// The libraries a program is linked with, none if it is static.
fn libraries(program: &Path) -> Vec<PathBuf> {
    let output = std::process::Command::new("ldd").arg(program).output().expect("ldd");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    // `libc.so.6 => /lib/… (0x…)`, or for the loader `/lib64/… (0x…)`.
    lines
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
        .map(PathBuf::from)
        .collect()
}

/// Where a program is; Debian keeps some out of an ordinary user's PATH.
fn found(program: &str) -> PathBuf {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let places = path.split(':').map(|folder| Path::new(folder).join(program));
    places.into_iter().find(|place| place.is_file()).unwrap_or_else(|| panic!("no {program} here: run scripts/setup"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
    fs::copy(from, to).unwrap_or_else(|error| panic!("{} to {}: {error}", from.display(), to.display()));
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}
