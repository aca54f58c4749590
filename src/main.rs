//! The command line: argh and exit codes, nothing else.

fn main() {}
