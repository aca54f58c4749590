//! The kernel: Debian's for virtual machines, out of its package. It is fetched once and not installed.

use super::{must, scratch};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Names the newest of its kind by what it depends on.
const NEWEST: &str = "linux-image-cloud-amd64";

/// A kernel package (`.deb`) to be taken instead. It needs ext4 and NVMe built in, as Debian's "cloud" kernels have them.
const OTHER: &str = "BOOTED_KERNEL";

/// An unpacked kernel package.
pub struct Kernel {
    /// What `uname -r` says.
    pub release: String,
    root: PathBuf,
}

impl Kernel {
    /// The file that is booted.
    pub fn image(&self) -> PathBuf {
        self.root.join("boot").join(format!("vmlinuz-{}", self.release))
    }

    /// The folder of its modules.
    pub fn modules(&self) -> PathBuf {
        module_folder(&self.root).join(&self.release)
    }
}

/// The kernel, fetched if it is not there yet.
pub fn fetched() -> Kernel {
    let folder = scratch().join("kernels");
    fs::create_dir_all(&folder).expect("a folder for kernels");
    // Another test may want it at the same time.
    let lock = File::create(folder.join("lock")).expect("a lock");
    lock.lock().expect("the lock");
    let root = match std::env::var_os(OTHER) {
        Some(package) => unpacked(&folder, Path::new(&package)),
        None => the_only_one(&folder.join("newest")).unwrap_or_else(|| download(&folder.join("newest"))),
    };
    let release = the_only_one(&module_folder(&root)).expect("one kernel release in the package");
    Kernel { release: name(&release), root }
}

/// Newer Debian releases have `/lib` as a link to `/usr/lib`, and packages say so.
fn module_folder(root: &Path) -> PathBuf {
    let folders = ["lib/modules", "usr/lib/modules"].map(|folder| root.join(folder));
    folders.into_iter().find(|folder| folder.is_dir()).unwrap_or_else(|| panic!("no modules in {}", root.display()))
}

fn download(into: &Path) -> PathBuf {
    fs::create_dir_all(into).expect("a folder for the newest kernel");
    let newest = must("apt-cache", &["depends", "--important", NEWEST]);
    let package = newest.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
    let package = package.unwrap_or_else(|| panic!("apt knows no {NEWEST}: run apt-get update"));
    let downloads = into.with_file_name("download");
    let _ = fs::remove_dir_all(&downloads);
    fs::create_dir_all(&downloads).expect("a folder for downloads");
    let output = std::process::Command::new("apt-get").args(["download", package]).current_dir(&downloads).output();
    let output = output.expect("apt-get");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "apt-get download {package} (perhaps apt-get update is needed first): {errors}");
    let root = unpacked(into, &the_only_one(&downloads).expect("the package"));
    fs::remove_dir_all(downloads).expect("the package removed");
    root
}

/// Unpacks a package below a folder; whoever is killed meanwhile leaves nothing that looks complete.
fn unpacked(folder: &Path, package: &Path) -> PathBuf {
    let root = folder.join(name(package));
    if !root.is_dir() {
        let partial = folder.with_file_name("partial");
        let _ = fs::remove_dir_all(&partial);
        let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
        must("dpkg-deb", &["--extract", &text(package), &text(&partial)]);
        fs::rename(partial, &root).expect("the kernel unpacked");
    }
    root
}

fn the_only_one(folder: &Path) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).next()
}

fn name(path: &Path) -> String {
    path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8").to_owned()
}
