//! Words: quotes, backslashes, variables.

use super::{Lexer, Piece, Word};

/// A quote is never closed.
pub(super) struct Unclosed;

impl<'a> Lexer<'a> {
    /// A word. If a quote in it is never closed, the text it began with is given back.
    pub(super) fn word(&mut self) -> Result<Word, (Unclosed, &'a str)> {
        let start = self.rest;
        let mut word = Word::default();
        while let Some(c) = self.rest.chars().next() {
            let quoted = match c {
                '\'' => self.single_quoted(&mut word),
                '"' => self.double_quoted(&mut word),
                '\\' => {
                    self.next();
                    match self.next() {
                        None | Some('\n') => {}
                        Some(c) => word.text(c),
                    }
                    Ok(())
                }
                '$' | '`' => self.expansion(&mut word, false),
                ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
                c if c.is_whitespace() => break,
                c => {
                    self.next();
                    word.text(c);
                    Ok(())
                }
            };
            quoted.map_err(|unclosed| (unclosed, start))?;
        }
        Ok(word)
    }

    fn single_quoted(&mut self, word: &mut Word) -> Result<(), Unclosed> {
        self.next();
        let text = self.take_while(|c| c != '\'');
        word.pieces.push(Piece::Text(text.to_owned()));
        self.next().map(drop).ok_or(Unclosed)
    }

    fn double_quoted(&mut self, word: &mut Word) -> Result<(), Unclosed> {
        self.next();
        word.pieces.push(Piece::Text(String::new()));
        loop {
            match self.rest.chars().next().ok_or(Unclosed)? {
                '"' => {
                    self.next();
                    return Ok(());
                }
                '\\' => {
                    self.next();
                    match self.next().ok_or(Unclosed)? {
                        '\n' => {}
                        c if matches!(c, '"' | '\\' | '$' | '`') => word.text(c),
                        c => {
                            word.text('\\');
                            word.text(c);
                        }
                    }
                }
                '$' | '`' => self.expansion(word, true)?,
                c => {
                    self.next();
                    word.text(c);
                }
            }
        }
    }

    /// What stands behind a `$`, or between backquotes.
    fn expansion(&mut self, word: &mut Word, quoted: bool) -> Result<(), Unclosed> {
        let start = self.rest;
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if self.eat("`") {
            self.take_while(|c| c != '`');
            self.next().ok_or(Unclosed)?;
        } else if self.rest.starts_with("$(") {
            self.next();
            self.parentheses()?;
        } else if self.eat("${") {
            let inner = self.take_while(|c| c != '}');
            self.next().ok_or(Unclosed)?;
            if !inner.is_empty() && inner.chars().all(is_name) && !inner.starts_with(|c: char| c.is_ascii_digit()) {
                word.pieces.push(Piece::Variable { name: inner.to_owned(), quoted });
                return Ok(());
            }
        } else {
            self.next();
            let name = self.take_while(is_name);
            if !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) {
                word.pieces.push(Piece::Variable { name: name.to_owned(), quoted });
                return Ok(());
            }
            if name.is_empty() && self.rest.starts_with(['@', '*', '#', '?', '$', '!', '-']) {
                self.next();
            }
        }
        let taken = start.len() - self.rest.len();
        word.pieces.push(Piece::Unknown(start[..taken].to_owned()));
        Ok(())
    }

    /// Goes behind the parenthesis that closes the one here.
    fn parentheses(&mut self) -> Result<(), Unclosed> {
        let mut depth = 0_usize;
        loop {
            match self.next().ok_or(Unclosed)? {
                '(' => depth += 1,
                ')' if depth == 1 => return Ok(()),
                ')' => depth -= 1,
                _ => {}
            }
        }
    }
}
