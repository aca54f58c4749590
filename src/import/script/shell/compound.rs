//! Loops, conditions, functions, pipes.

use super::{RELEVANT, Reader, is_unknown};
use crate::config::diagnostics::quote;
use crate::import::Kind;
use crate::import::script::lexer::{Piece, Token};

/// Branches of a `case` that set things up.
const SETS_UP: [&str; 6] = ["start", "boot", "up", "ifup", "add", "restart"];
/// Parts of the names of functions that take things away again.
const TEARS_DOWN: [&str; 8] = ["stop", "down", "clear", "clean", "flush", "remove", "delete", "reset"];

impl Reader<'_> {
    /// The place of the word that ends what begins at `place`, and the places of `wanted` words on the same level.
    pub(super) fn matching(&self, place: usize, to: usize, wanted: &[&str]) -> Option<(usize, Vec<usize>)> {
        let mut depth = 0_usize;
        let mut found = Vec::new();
        for n in place..to {
            self.patience.set(self.patience.get().checked_sub(1)?);
            let Some(word) = self.word_at(n).filter(|_| n == place || self.is_start(n)) else { continue };
            match word {
                "for" | "while" | "until" | "if" | "case" | "{" => depth += 1,
                "done" | "fi" | "esac" | "}" if depth == 1 => return Some((n, found)),
                "done" | "fi" | "esac" | "}" => depth = depth.saturating_sub(1),
                word if depth == 1 && wanted.contains(&word) => found.push(n),
                _ => {}
            }
        }
        None
    }

    /// What a compound command hands on to other programs is not followed.
    pub(super) fn behind(&mut self, end: usize, to: usize) -> usize {
        if matches!(self.tokens.get(end), Some((Token::Separator("|"), _))) { self.pipeline(end, end, to) } else { end }
    }

    pub(super) fn is_function(&self, place: usize) -> bool {
        let is =
            |n: usize, text| matches!(self.tokens.get(place + n), Some((Token::Separator(own), _)) if *own == text);
        is(1, "(") && is(2, ")")
    }

    /// Passes over a compound command.
    pub(super) fn compound(&mut self, place: usize, to: usize, why: &str) -> Option<usize> {
        let (end, _) = self.matching(place, to, &[])?;
        let first = self.word_at(place).unwrap_or_default().to_owned();
        if self.is_relevant(place, end) {
            self.say(self.line_at(place), &quote(&first), Kind::Dropped, why);
        }
        self.comments.clear();
        Some(end + 1)
    }

    /// Whether a program is named that says where packets go.
    pub(super) fn is_relevant(&self, from: usize, to: usize) -> bool {
        (from..to).any(|n| match self.tokens.get(n) {
            Some((Token::Word(word), _)) => match word.pieces.first() {
                Some(Piece::Text(text)) => RELEVANT.contains(&text.rsplit('/').next().unwrap_or_default()),
                Some(Piece::Variable { name, .. }) => {
                    self.variables.get(name).is_some_and(|text| RELEVANT.iter().any(|own| text.contains(own)))
                }
                _ => false,
            },
            _ => false,
        })
    }

    /// `for NAME in A B C; do ...; done`
    pub(super) fn each(&mut self, place: usize, to: usize) -> Option<usize> {
        let (end, found) = self.matching(place, to, &["do"])?;
        let body = *found.first()?;
        let name = self.word_at(place + 1)?.to_owned();
        let mut values = Vec::new();
        if self.word_at(place + 2) == Some("in") {
            for n in place + 3..body {
                if let Some((Token::Word(word), _)) = self.tokens.get(n) {
                    values.extend(self.expanded(word));
                }
            }
        }
        if values.is_empty() || values.iter().any(|value| is_unknown(value)) {
            return self.compound(place, to, "what this loop goes through is not known here; it is passed over");
        }
        for value in values {
            self.variables.insert(name.clone(), value);
            self.run(body + 1, end);
        }
        Some(end + 1)
    }

    /// `if ...; then ...; fi`: as though the condition held.
    pub(super) fn condition(&mut self, place: usize, to: usize) -> Option<usize> {
        let (end, found) = self.matching(place, to, &["then", "elif", "else"])?;
        let body = *found.first()?;
        let other = found.get(1).copied();
        let line = self.line_at(place);
        let until = other.unwrap_or(end);
        if self.is_relevant(body, until) {
            self.say(line, "'if'", Kind::Look, "it is taken as though the condition held");
        }
        self.run(body + 1, until);
        if let Some(other) = other.filter(|other| self.is_relevant(*other, end)) {
            let what = quote(self.word_at(other).unwrap_or_default());
            self.say(self.line_at(other), &what, Kind::Dropped, "it is taken as though the condition above held");
        }
        self.comments.clear();
        Some(end + 1)
    }

    /// `case ... in PATTERN) ...;; esac`: the branch that sets things up.
    pub(super) fn case(&mut self, place: usize, to: usize) -> Option<usize> {
        let (end, _) = self.matching(place, to, &[])?;
        let mut start = (place..end).find(|n| self.word_at(*n) == Some("in"))? + 1;
        let mut passed_over = false;
        while start < end {
            let Some(body) = (start..end).find(|n| matches!(self.tokens[*n].0, Token::Separator(")"))) else { break };
            let until = (body..end).find(|n| matches!(self.tokens[*n].0, Token::Separator(";;"))).unwrap_or(end);
            let sets_up = (start..body).any(|n| self.word_at(n).is_some_and(|word| SETS_UP.contains(&word)));
            if sets_up {
                self.run(body + 1, until);
            } else {
                passed_over |= self.is_relevant(body, until);
            }
            start = until + 1;
        }
        if passed_over {
            let text = format!("only branches that set things up are read: {}", SETS_UP.join(", "));
            self.say(self.line_at(place), "'case'", Kind::Dropped, text);
        }
        self.comments.clear();
        Some(end + 1)
    }

    /// `NAME() { ...; }`: as though it were called here.
    pub(super) fn function(&mut self, place: usize, name: usize, to: usize) -> Option<usize> {
        let open = (name + 1..to.min(name + 6)).find(|n| self.word_at(*n) == Some("{"))?;
        let (end, _) = self.matching(open, to, &[])?;
        let name = self.word_at(name)?.trim_end_matches("()").to_owned();
        let line = self.line_at(place);
        let lower = name.to_ascii_lowercase();
        if TEARS_DOWN.iter().any(|word| lower.contains(word)) {
            if self.is_relevant(open, end) {
                self.say(line, &quote(&name), Kind::Dropped, "a function that takes things away again is not read");
            }
        } else {
            self.run(open + 1, end);
        }
        self.comments.clear();
        self.functions.push(name);
        Some(end + 1)
    }

    /// Passes over commands that are joined by `|`.
    pub(super) fn pipeline(&mut self, start: usize, bar: usize, to: usize) -> usize {
        let mut end = bar;
        while matches!(self.tokens.get(end), Some((Token::Separator("|"), _))) && end < to {
            let mut next = end + 1;
            while matches!(self.tokens.get(next), Some((Token::Separator("\n") | Token::Comment(_), _))) {
                next += 1;
            }
            let compound = matches!(self.word_at(next), Some("while" | "until" | "for" | "if" | "case" | "{"));
            let close = if compound { self.matching(next, to, &[]).map(|(close, _)| close + 1) } else { None };
            end = close.unwrap_or_else(|| (next..to).find(|n| self.is_separator(*n)).unwrap_or(to));
        }
        if self.is_relevant(start, end) {
            let text =
                "what programs hand on to each other is not followed; routes of the main table need no copies here";
            let what = quote(self.word_at(start).unwrap_or_default());
            self.say(self.line_at(start), &what, Kind::Dropped, text);
        }
        self.comments.clear();
        end
    }
}
