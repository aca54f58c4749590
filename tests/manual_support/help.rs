//! `--help` of every command, taken apart.

use std::process::Command;

/// What `--help` says of one command.
#[derive(Debug)]
pub struct Help {
    /// The words of the command: none for the program itself, `set show`.
    pub words: Vec<String>,
    /// What follows the command on its line: `[--json] <name>`.
    pub usage: String,
    /// What it does.
    pub does: String,
    /// Arguments by their places, each with its description.
    pub arguments: Vec<(String, String)>,
    /// Options with a dash, without `--help`.
    pub options: Vec<(String, String)>,
    /// Commands below this one.
    pub commands: Vec<(String, String)>,
    /// One a line, as typed.
    pub examples: Vec<String>,
    /// Whatever else is to be known.
    pub notes: String,
    /// Exit codes besides 0, and what each means.
    pub codes: Vec<(i32, String)>,
}

impl Help {
    /// The command as typed.
    pub fn name(&self) -> String {
        self.words.join(" ")
    }

    /// Whether it is only a word in front of others.
    pub fn is_group(&self) -> bool {
        !self.commands.is_empty()
    }
}

/// The help of the program and of all its commands, in the program's order.
pub fn all() -> Vec<Help> {
    let mut all = vec![of(&[])];
    let mut next = 0;
    while let Some(help) = all.get(next) {
        let below: Vec<Help> =
            help.commands.iter().map(|(name, _)| of(&[&help.words[..], std::slice::from_ref(name)].concat())).collect();
        next += 1;
        all.splice(next..next, below);
    }
    all
}

fn of(words: &[String]) -> Help {
    let output = Command::new(env!("CARGO_BIN_EXE_wansplit")).args(words).arg("--help").output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{words:?} --help: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let too_long: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(too_long.is_empty(), "{words:?} --help has lines of more than 80 columns: {too_long:?}");
    parse(words, &text)
}

fn parse(words: &[String], text: &str) -> Help {
    let blocks: Vec<&str> = text.trim_end().split("\n\n").collect();
    let [usage, does, sections @ ..] = &blocks[..] else { panic!("{words:?} --help: {text}") };
    let usage = join(usage);
    let command = ["Usage: wansplit".to_owned()].iter().chain(words).cloned().collect::<Vec<_>>().join(" ");
    let usage = usage.strip_prefix(&command).unwrap_or_else(|| panic!("{words:?}: {usage}")).trim().to_owned();
    let mut help = Help {
        words: words.to_vec(),
        usage,
        does: join(does),
        arguments: Vec::new(),
        options: Vec::new(),
        commands: Vec::new(),
        examples: Vec::new(),
        notes: String::new(),
        codes: Vec::new(),
    };
    for section in sections {
        let (heading, body) = section.split_once('\n').unwrap_or_else(|| panic!("{words:?}: {section}"));
        match heading {
            "Positional Arguments:" => help.arguments = entries(body),
            "Options:" => {
                help.options = entries(body).into_iter().filter(|(name, _)| !name.contains("--help")).collect()
            }
            "Commands:" => help.commands = entries(body),
            "Examples:" => help.examples = body.lines().map(|line| line.trim().to_owned()).collect(),
            "Notes:" => help.notes = join(body),
            "Error codes:" => help.codes = codes(body),
            _ => panic!("{words:?}: what is {heading}"),
        }
    }
    help
}

/// `  --json            print it as JSON`, and lines that go on further right.
fn entries(body: &str) -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in body.lines() {
        let text = line.trim_start();
        if line.len() - text.len() > 2 {
            let (_, said) = entries.last_mut().unwrap();
            said.push(' ');
            said.push_str(text);
        } else {
            let (name, said) = text.split_once("  ").unwrap_or((text, ""));
            entries.push((name.to_owned(), said.trim().to_owned()));
        }
    }
    entries.into_iter().map(|(name, said)| (name, said.trim().to_owned())).collect()
}

/// `  1 the configuration has errors`, and lines that go on.
fn codes(body: &str) -> Vec<(i32, String)> {
    let mut codes: Vec<(i32, String)> = Vec::new();
    for line in body.lines() {
        let text = line.trim();
        let numbered = text.split_once(' ').and_then(|(code, said)| Some((code.parse().ok()?, said.to_owned())));
        match numbered {
            Some(code) => codes.push(code),
            None => codes.last_mut().unwrap().1.push_str(&format!(" {text}")),
        }
    }
    codes
}

fn join(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
