//! A shell script as tokens: words with their variables still in them, operators, comments. Nothing is executed.

#[cfg(test)]
mod tests;
mod words;

use words::Unclosed;

/// One piece of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A word.
    Word(Word),
    /// `;`, `;;`, `&&`, `||`, `|`, `&`, `(`, `)`, or the end of a line.
    Separator(&'static str),
    /// `>` or `>>`; what it leads to is the next word.
    Output,
    /// `<` and other redirections that do not matter; what they lead to is the next word.
    Input,
    /// The lines of `<<END`, and the number of the first.
    Here(String, usize),
    /// The text behind a `#`.
    Comment(String),
    /// A quote that is never closed. Its line is skipped.
    Fault,
}

/// A token and its line, from 1.
pub type Placed = (Token, usize);

/// A word, in pieces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Word {
    pub pieces: Vec<Piece>,
}

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text as it stands.
    Text(String),
    /// `$NAME` or `${NAME}`; within quotes its value is not taken apart.
    Variable { name: String, quoted: bool },
    /// What only a shell could know: `$(...)`, `$1`, `${NAME%x}`.
    Unknown(String),
}

impl Word {
    /// Its text, if it is without variables.
    pub fn literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    fn text(&mut self, c: char) {
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.push(c),
            _ => self.pieces.push(Piece::Text(c.into())),
        }
    }
}

/// Longest first.
const SEPARATORS: [&str; 9] = ["&&", "||", ";;", "\n", ";", "|", "&", "(", ")"];

/// Cuts a text into tokens.
pub fn tokens(text: &str) -> Vec<Placed> {
    let mut lexer = Lexer { rest: text, line: 1, skip: None, tokens: Vec::new() };
    while !lexer.rest.is_empty() {
        lexer.token();
    }
    lexer.tokens
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    /// The text behind the lines of a `<<END` that has been read already, and the number of its first line.
    skip: Option<(&'a str, usize)>,
    tokens: Vec<Placed>,
}

impl<'a> Lexer<'a> {
    fn push(&mut self, token: Token) {
        self.tokens.push((token, self.line));
    }

    /// Takes the next character.
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest.starts_with(text);
        for _ in 0..if found { text.len() } else { 0 } {
            self.next();
        }
        found
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.line += taken.bytes().filter(|byte| *byte == b'\n').count();
        self.rest = rest;
        taken
    }

    fn token(&mut self) {
        if self.eat("\\\n") || self.eat("\\\r\n") {
            return;
        }
        let line = self.line;
        match self.rest.chars().next() {
            None => {}
            Some('\n') => {
                self.push(Token::Separator("\n"));
                self.next();
                if let Some((rest, line)) = self.skip.take() {
                    (self.rest, self.line) = (rest, line);
                }
            }
            Some('#') => {
                let text = self.take_while(|c| c != '\n');
                self.tokens.push((Token::Comment(text.trim_start_matches('#').trim().to_owned()), line));
            }
            Some('<' | '>') => self.redirection(),
            Some(c) if c.is_whitespace() => {
                self.next();
            }
            Some(_) => {
                if let Some(separator) = SEPARATORS.iter().find(|separator| self.rest.starts_with(**separator)) {
                    self.push(Token::Separator(separator));
                    self.eat(separator);
                    return;
                }
                match self.word() {
                    // `2>/dev/null`: the number says which output is meant.
                    Ok(word) if self.rest.starts_with(['<', '>']) && is_number(&word) => {}
                    Ok(word) => self.tokens.push((Token::Word(word), line)),
                    Err((Unclosed, rest)) => {
                        // What stands on the next lines is most likely meant as it looks.
                        (self.rest, self.line) = (rest, line);
                        self.tokens.push((Token::Fault, line));
                        self.take_while(|c| c != '\n');
                    }
                }
            }
        }
    }

    fn redirection(&mut self) {
        if self.eat("<<<") || self.rest.starts_with("<(") {
            self.eat("<");
            return self.push(Token::Input);
        }
        if self.eat("<<") {
            return self.here();
        }
        let output = self.eat(">>") || self.eat(">|");
        if output {
            return self.push(Token::Output);
        }
        let is_input = self.eat("<");
        if !is_input {
            self.eat(">");
        }
        if self.eat("&") {
            // `2>&1`
            self.take_while(|c| c.is_ascii_digit() || c == '-');
            return;
        }
        self.push(if is_input { Token::Input } else { Token::Output });
    }

    /// The lines between `<<END` and `END`. They begin behind this line, whatever else is on it.
    fn here(&mut self) {
        self.eat("-");
        self.take_while(|c| c == ' ' || c == '\t');
        let end = self.take_while(|c| !c.is_whitespace() && !matches!(c, ';' | '|' | '&' | '>' | '<'));
        let end = end.trim_matches(['"', '\'', '\\']);
        let (mut rest, mut line) = self.skip.unwrap_or_else(|| match self.rest.split_once('\n') {
            Some((_, rest)) => (rest, self.line + 1),
            None => ("", self.line),
        });
        let (mut body, first) = (String::new(), line);
        while !rest.is_empty() {
            let (own, after) = rest.split_once('\n').unwrap_or((rest, ""));
            (rest, line) = (after, line + 1);
            if own.trim() == end {
                break;
            }
            body.push_str(own);
            body.push('\n');
        }
        self.skip = Some((rest, line));
        self.push(Token::Here(body, first));
    }
}

fn is_number(word: &Word) -> bool {
    word.literal().is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
}
