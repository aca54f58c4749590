//! UCI's lines and words: quoting, comments, joined lines. One pass over the bytes.

use crate::config::source::{Position, Spanned, Word};
use std::borrow::Cow;
use std::ops::Range;

/// A line that is not UCI. The rest of the line is skipped.
#[derive(Debug)]
pub(super) struct Fault {
    pub at: Position,
    pub message: &'static str,
    pub help: String,
}

/// Cuts a text into statements, one a line, and these into words.
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    place: Place,
    /// Where the last quoted text began that went over a line end, and the line in which it closed: the likely
    /// culprit when a later quote stays open. Of several that hang together it is the first.
    long_quote: Option<(Position, u32)>,
}

#[derive(Clone, Copy)]
struct Place {
    offset: usize,
    at: Position,
}

/// A word as it grows.
struct Growing {
    /// What was taken before a byte was left out: a quote, a backslash.
    before: Vec<u8>,
    /// The offsets of what was taken since. Most words are this one piece of the text, and borrow it.
    piece: Range<usize>,
    /// Where its text begins: behind an opening quote.
    first: Option<Position>,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, place: Place { offset: 0, at: Position::START }, long_quote: None }
    }

    /// Puts the words of the next line into `words`, none for a blank one; `None` at the end of the text.
    pub fn statement(&mut self, words: &mut Vec<Word<'a>>) -> Option<Result<(), Fault>> {
        self.peek()?;
        words.clear();
        loop {
            match self.peek() {
                None => break,
                Some(b'\n') => {
                    self.advance();
                    break;
                }
                Some(b'#') => self.skip_line(),
                Some(byte) if is_blank(byte) => self.advance(),
                Some(byte) => {
                    let word = if byte == b';' { self.semicolon().map(|()| None) } else { self.word().map(Some) };
                    match word {
                        Ok(word) => words.extend(word),
                        Err(fault) => {
                            self.skip_line();
                            return Some(Err(fault));
                        }
                    }
                }
            }
        }
        Some(Ok(()))
    }

    fn word(&mut self) -> Result<Word<'a>, Fault> {
        let start = self.place.at;
        let mut word = Growing { before: Vec::new(), piece: 0..0, first: None };
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' | b'#' | b';' => break,
                blank if is_blank(blank) => break,
                b'\'' | b'"' => self.quoted(byte, &mut word)?,
                b'\\' => self.escape(&mut word)?,
                plain if is_plain(plain) => self.take_plain(&mut word),
                _ => self.take(&mut word)?,
            }
        }
        let at = word.first.unwrap_or(start);
        let value = self.text_of(word).ok_or_else(|| Fault {
            at: start,
            message: "the text is not valid UTF-8",
            help: "save the file as UTF-8; other encodings, such as Latin-1, cannot be told apart".into(),
        })?;
        Ok(Spanned { value, at })
    }

    /// The text of a finished word, if it is UTF-8.
    fn text_of(&self, word: Growing) -> Option<Cow<'a, str>> {
        let last = self.text.get(word.piece).unwrap_or_default();
        let mut bytes = word.before;
        if bytes.is_empty() {
            return std::str::from_utf8(last).ok().map(Cow::Borrowed);
        }
        bytes.extend_from_slice(last);
        String::from_utf8(bytes).ok().map(Cow::Owned)
    }

    fn quoted(&mut self, quote: u8, word: &mut Growing) -> Result<(), Fault> {
        let open = self.place;
        self.advance();
        loop {
            match self.peek() {
                None => {
                    let message = "this quote is never closed";
                    let help = match self.long_quote {
                        Some((Position { line, .. }, _)) => {
                            format!(
                                "close it; or is it the text that opens in line {line} whose closing quote is missing?"
                            )
                        }
                        None => {
                            format!("the value would run to the end of the file: add a closing {}", char::from(quote))
                        }
                    };
                    // Go on behind the line of the quote: what follows is most likely meant as UCI.
                    self.place = open;
                    return Err(Fault { at: open.at, message, help });
                }
                Some(byte) if byte == quote => {
                    let (first_line, last_line) = (open.at.line, self.place.at.line);
                    if first_line < last_line {
                        let chain = self.long_quote.filter(|(_, closed)| *closed == first_line);
                        self.long_quote = Some((chain.map_or(open.at, |(first, _)| first), last_line));
                    }
                    self.advance();
                    return Ok(());
                }
                Some(b'\\') if quote == b'"' => self.escape(word)?,
                Some(plain) if is_plain(plain) => self.take_plain(word),
                Some(_) => self.take(word)?,
            }
        }
    }

    /// A backslash protects the next character and joins lines; as the last byte it is dropped.
    fn escape(&mut self, word: &mut Growing) -> Result<(), Fault> {
        self.advance();
        let rest = self.text.get(self.place.offset..).unwrap_or_default();
        match rest {
            [] => Ok(()),
            [b'\n', ..] => {
                self.advance();
                Ok(())
            }
            [b'\r', b'\n', ..] => {
                self.advance();
                self.advance();
                Ok(())
            }
            _ => self.take(word),
        }
    }

    /// libuci ends the statement at a bare `;` and drops the rest of the line without a word. We refuse to lose text.
    fn semicolon(&mut self) -> Result<(), Fault> {
        let at = self.place.at;
        self.advance();
        while self.peek().is_some_and(|byte| is_blank(byte) || byte == b';') {
            self.advance();
        }
        match self.peek() {
            None | Some(b'\n' | b'#') => Ok(()),
            Some(_) => Err(Fault {
                at,
                message: "text behind a ';' would be lost: OpenWrt's uci drops it silently",
                help: "begin a new line instead, or put a value with a ';' into quotes".into(),
            }),
        }
    }

    fn take(&mut self, word: &mut Growing) -> Result<(), Fault> {
        match self.peek() {
            Some(0) => Err(Fault {
                at: self.place.at,
                message: "there is a NUL byte in the text",
                help: "delete it; a configuration is plain text".into(),
            }),
            Some(_) => {
                self.grow(word, 1);
                self.advance();
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Takes all plain characters from here at once: nearly all of a file is made of them.
    fn take_plain(&mut self, word: &mut Growing) {
        let rest = self.text.get(self.place.offset..).unwrap_or_default();
        let length = rest.iter().position(|byte| !is_plain(*byte)).unwrap_or(rest.len());
        self.grow(word, length);
        self.place.offset += length;
        let columns = u32::try_from(length).unwrap_or(u32::MAX);
        self.place.at.column = self.place.at.column.saturating_add(columns);
    }

    /// Lets a word grow by the bytes that come next.
    fn grow(&self, word: &mut Growing, length: usize) {
        let offset = self.place.offset;
        if word.first.is_none() {
            word.first = Some(self.place.at);
            word.piece = offset..offset;
        } else if word.piece.end != offset {
            word.before.extend_from_slice(self.text.get(word.piece.clone()).unwrap_or_default());
            word.piece = offset..offset;
        }
        word.piece.end += length;
    }

    /// Up to the line end, or the end of the text.
    fn skip_line(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.advance();
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.place.offset).copied()
    }

    fn advance(&mut self) {
        if let Some(byte) = self.peek() {
            self.place = Place { offset: self.place.offset + 1, at: self.place.at.after(byte) };
        }
    }
}

/// One byte, one column, and no meaning in the syntax.
#[inline(always)]
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'/' | b'!')
}

/// A CR is a blank, so lines may end in CR LF; a lone CR does not end a line.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)
}
