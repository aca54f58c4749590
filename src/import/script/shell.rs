//! What a script would run, in its order, as far as that can be known without running it: variables with plain values
//! are put in, loops over plain values unrolled, conditions taken as though they held.

mod compound;
#[cfg(test)]
mod tests;

use super::lexer::{Piece, Placed, Token, Word, tokens};
use crate::import::Kind;
use crate::map::Map;
use std::cell::Cell;

/// One command.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// Its line, from 1.
    pub line: usize,
    /// Its words. What only a shell could know still has its `$` or backquote.
    pub words: Vec<String>,
    /// The file its output goes to.
    pub output: Option<String>,
    /// The lines it is fed with, and the number of the first.
    pub here: Option<(String, usize)>,
    /// The comments before it and behind it.
    pub comments: Vec<String>,
}

/// Whether a word holds something only a shell could know.
pub fn is_unknown(word: &str) -> bool {
    word.contains(['$', '`'])
}

/// What came of reading a script.
#[derive(Default)]
pub struct Script {
    /// The commands in their order.
    pub commands: Vec<Command>,
    /// Lines that cannot be followed: the line, what stands there, what became of it, and why.
    pub remarks: Vec<(usize, String, Kind, String)>,
    /// The comment at the head.
    pub head: Vec<String>,
}

/// So many commands no script has; loops in loops in loops have.
const MOST: usize = 20_000;
/// So many tokens are looked at, each time one is: loops in loops may be empty, too.
const PATIENCE: usize = 3_000_000;
/// So long is no word of one. What would be longer keeps its `$`, as what is not known does: else a variable that is made of
/// itself twice, a few dozen times over, takes all memory.
const LONGEST: usize = 4096;
/// Nor does one nest so deep.
const DEEPEST: usize = 40;

/// Programs that say where packets go.
const RELEVANT: [&str; 5] = ["ip", "iptables", "ip6tables", "nft", "ipset"];

/// Reads a script.
pub fn read(text: &str) -> Script {
    let tokens = tokens(text);
    let mut reader = Reader {
        tokens: &tokens,
        script: Script::default(),
        variables: Map::new(),
        functions: Vec::new(),
        comments: Vec::new(),
        depth: 0,
        patience: Cell::new(PATIENCE),
    };
    let body = reader.head();
    reader.run(body, tokens.len());
    if reader.script.commands.len() >= MOST || reader.patience.get() == 0 {
        reader.say(0, "", Kind::Dropped, format!("it is longer than {MOST} commands can be; the rest is not read"));
    }
    reader.script
}

struct Reader<'t> {
    tokens: &'t [Placed],
    script: Script,
    variables: Map<String, String>,
    functions: Vec<String>,
    /// Those that belong to the next command.
    comments: Vec<String>,
    depth: usize,
    patience: Cell<usize>,
}

impl Reader<'_> {
    fn say(&mut self, line: usize, what: &str, kind: Kind, text: impl Into<String>) {
        self.script.remarks.push((line, what.into(), kind, text.into()));
    }

    /// The comments at the head, if an empty line follows them: they are about the whole. Where the rest begins.
    fn head(&mut self) -> usize {
        let mut head = Vec::new();
        let mut ends = 0;
        for (n, (token, line)) in self.tokens.iter().enumerate() {
            match token {
                Token::Comment(text) => {
                    let is_interpreter = *line == 1 && text.starts_with('!');
                    if !is_interpreter && !text.is_empty() {
                        head.push(text.clone());
                    }
                    ends = 0;
                }
                Token::Separator("\n") => ends += 1,
                _ => return 0,
            }
            if ends == 2 && !head.is_empty() {
                self.script.head = head;
                return n;
            }
        }
        0
    }

    fn word_at(&self, place: usize) -> Option<&str> {
        match self.tokens.get(place) {
            Some((Token::Word(word), _)) => word.literal(),
            _ => None,
        }
    }

    fn line_at(&self, place: usize) -> usize {
        self.tokens.get(place).map_or(0, |(_, line)| *line)
    }

    fn is_separator(&self, place: usize) -> bool {
        matches!(self.tokens.get(place), None | Some((Token::Separator(_), _)))
    }

    /// Whether a command can begin here.
    fn is_start(&self, place: usize) -> bool {
        let Some(before) = place.checked_sub(1) else { return true };
        matches!(self.tokens.get(before), Some((Token::Separator(_) | Token::Comment(_) | Token::Fault, _)))
            || matches!(
                self.word_at(before),
                Some("then" | "do" | "else" | "{" | "!" | "elif" | "if" | "while" | "until")
            )
    }

    /// Goes through the tokens from one place to another.
    fn run(&mut self, from: usize, to: usize) {
        if self.depth > DEEPEST {
            return;
        }
        self.depth += 1;
        let mut place = from;
        while place < to && self.script.commands.len() < MOST && self.patience.get() > 0 {
            self.patience.set(self.patience.get() - 1);
            place = self.step(place, to).max(place + 1);
        }
        self.depth -= 1;
    }

    /// Reads what begins at a place; the place behind it.
    fn step(&mut self, place: usize, to: usize) -> usize {
        match &self.tokens[place].0 {
            Token::Comment(text) => {
                self.comments.push(text.clone());
                return place + 1;
            }
            Token::Fault => {
                let line = self.line_at(place);
                self.comments.clear();
                self.say(line, "", Kind::Dropped, "a quote or a parenthesis in this line is never closed");
                return place + 1;
            }
            Token::Word(_) => {}
            _ => return place + 1,
        }
        let end = match self.word_at(place).unwrap_or_default() {
            "for" => self.each(place, to),
            "while" | "until" => self.compound(place, to, "how often a loop runs is not known here; it is passed over"),
            "if" => self.condition(place, to),
            "case" => self.case(place, to),
            "function" => self.function(place, place + 1, to),
            "then" | "do" | "done" | "fi" | "else" | "elif" | "esac" | "{" | "}" | "!" => Some(place + 1),
            _ if self.is_function(place) => self.function(place, place, to),
            _ => None,
        };
        match end {
            Some(end) => self.behind(end, to),
            None => self.simple(place, to),
        }
    }

    /// A command up to the next separator.
    fn simple(&mut self, place: usize, to: usize) -> usize {
        let end = (place..to).find(|n| self.is_separator(*n)).unwrap_or(to);
        if matches!(self.tokens.get(end), Some((Token::Separator("|"), _))) && end < to {
            return self.pipeline(place, end, to);
        }
        let mut command = Command { line: self.line_at(place), ..Command::default() };
        let mut comments = std::mem::take(&mut self.comments);
        let (mut skip, mut output) = (false, false);
        for n in place..end {
            match &self.tokens[n].0 {
                Token::Output => output = true,
                Token::Input => skip = true,
                Token::Here(body, line) => command.here = Some((body.clone(), *line)),
                Token::Comment(text) => comments.push(text.clone()),
                Token::Word(word) => {
                    let words = self.expanded(word);
                    if output {
                        command.output = words.into_iter().next();
                    } else if !skip {
                        command.words.extend(words);
                    }
                    (skip, output) = (false, false);
                }
                Token::Fault => {
                    let text = "a quote or a parenthesis in this line is never closed";
                    self.say(command.line, "", Kind::Dropped, text);
                    return end;
                }
                Token::Separator(_) => {}
            }
        }
        command.comments = comments;
        self.finish(command);
        end
    }

    fn finish(&mut self, mut command: Command) {
        if matches!(command.words.first().map(String::as_str), Some("export" | "local" | "readonly")) {
            command.words.remove(0);
        }
        let assigned = command.words.iter().take_while(|word| assignment(word).is_some()).count();
        if assigned == command.words.len() {
            for (name, value) in command.words.iter().filter_map(|word| assignment(word)) {
                self.variables.insert(name.to_owned(), value.to_owned());
            }
            return;
        }
        command.words.drain(..assigned);
        let name = command.words.first();
        if name.is_some_and(|name| self.functions.contains(name)) {
            return;
        }
        self.script.commands.push(command);
    }

    /// What is put in costs patience, too: a long value in each word of each command would be much.
    fn spend(&self, bytes: usize) {
        self.patience.set(self.patience.get().saturating_sub(bytes));
    }

    /// A word with its variables put in. A variable that is a whole word, outside quotes, is taken apart at its blanks.
    fn expanded(&self, word: &Word) -> Vec<String> {
        if let [Piece::Variable { name, quoted: false }] = word.pieces.as_slice()
            && let Some(value) = self.variables.get(name)
        {
            self.spend(value.len());
            return value.split_whitespace().map(str::to_owned).collect();
        }
        let mut whole = String::new();
        for piece in &word.pieces {
            match piece {
                Piece::Text(text) | Piece::Unknown(text) => whole.push_str(text),
                Piece::Variable { name, .. } => match self.variables.get(name) {
                    Some(value) if whole.len() + value.len() <= LONGEST => {
                        self.spend(value.len());
                        whole.push_str(value);
                    }
                    _ => {
                        whole.push('$');
                        whole.push_str(name);
                    }
                },
            }
        }
        vec![whole]
    }
}

/// `NAME=value`
fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let good = !name.is_empty() && name.chars().all(is_name) && !name.starts_with(|c: char| c.is_ascii_digit());
    good.then_some((name, value))
}
