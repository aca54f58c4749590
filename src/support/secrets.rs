//! Passwords, keys and names of users. Nothing that is asked for holds any; this is the second net.

/// What stands for a secret.
const HIDDEN: &str = "(hidden)";

/// The names under which secrets are kept, in UCI, JSON and other programs' words.
const NAMES: [&str; 22] = [
    "password",
    "passwd",
    "passphrase",
    "psk",
    "secret",
    "token",
    "key",
    "privkey",
    "username",
    "user",
    "login",
    "apn",
    "pin",
    "pincode",
    "puk",
    "auth",
    "identity",
    "community",
    "sae_password",
    "cookie",
    "credentials",
    "authkey",
];

/// Ends of such names.
const ENDS: [&str; 7] = ["_key", "_password", "_passwd", "_secret", "_token", "_psk", "_pin"];

/// The text without them.
#[must_use]
pub fn hide(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut in_key = false;
    for line in text.split_inclusive('\n') {
        if line.contains("-----BEGIN ") {
            in_key = true;
        }
        if in_key {
            if line.contains("-----END ") || line.contains("-----BEGIN ") {
                hidden.push_str(&format!("{HIDDEN}\n"));
            }
            in_key = !line.contains("-----END ");
        } else {
            hidden.push_str(&words(&values(line)));
        }
    }
    hidden
}

/// The values behind the names of secrets: `option password 'x'`, `"password": "x"`, `password=x`.
fn values(line: &str) -> String {
    let mut hidden = String::with_capacity(line.len());
    let mut rest = line;
    let mut is_option = false;
    while let Some(start) = rest.find(is_of_a_name) {
        let (before, from) = rest.split_at(start);
        let (name, behind) = from.split_at(from.find(|c| !is_of_a_name(c)).unwrap_or(from.len()));
        hidden.push_str(before);
        hidden.push_str(name);
        rest = behind;
        let gap = rest.len() - value_of(rest, is_option).len();
        if is_secret(name) && gap > 0 {
            let (gap, value) = rest.split_at(gap);
            let (_, behind) = value.split_at(length_of(value, is_option));
            hidden.push_str(gap);
            hidden.push_str(HIDDEN);
            rest = behind;
        }
        is_option = matches!(name, "option" | "list");
    }
    hidden.push_str(rest);
    hidden
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

fn is_secret(name: &str) -> bool {
    let name = name.trim_start_matches('-').to_ascii_lowercase().replace('-', "_");
    NAMES.contains(&name.as_str()) || ENDS.iter().any(|end| name.ends_with(end))
}

/// What lies behind a name's `=` or `:`, or behind the blank of an option; all of it if there is no such thing.
fn value_of(behind: &str, is_option: bool) -> &str {
    let unquoted = behind.strip_prefix(['"', '\'']).unwrap_or(behind).trim_start_matches([' ', '\t']);
    match unquoted.strip_prefix(['=', ':']) {
        Some(value) => value.trim_start_matches([' ', '\t']),
        None if is_option => unquoted,
        None => behind,
    }
}

/// How long a value is: to the quote that ends it, or to the next blank. An option's goes to the end of the line.
fn length_of(value: &str, is_option: bool) -> usize {
    let line = value.trim_end_matches(['\n', '\r']).len();
    if is_option {
        return line;
    }
    match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        Some(quote) => {
            let mut escaped = false;
            let end = value.char_indices().skip(1).find(|(_, c)| {
                let ends = *c == quote && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            end.map_or(line, |(place, _)| place + 1)
        }
        None => value.find([' ', '\t', ',', '}', '\n', '\r']).unwrap_or(line),
    }
}

/// Words that are secrets by their look: WireGuard's keys, and `user@provider.example`.
fn words(line: &str) -> String {
    let mut hidden = String::with_capacity(line.len());
    let is_of_a_word = |c: char| c.is_alphanumeric() || "+/=@._%-:".contains(c);
    let mut rest = line;
    while let Some(start) = rest.find(is_of_a_word) {
        let (before, from) = rest.split_at(start);
        let (word, behind) = from.split_at(from.find(|c| !is_of_a_word(c)).unwrap_or(from.len()));
        hidden.push_str(before);
        hidden.push_str(if is_key(word) || is_user(word) { HIDDEN } else { word });
        rest = behind;
    }
    hidden.push_str(rest);
    hidden
}

fn is_key(word: &str) -> bool {
    let tail = word.get(word.len().saturating_sub(44)..).unwrap_or_default();
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    tail.len() == 44 && tail.ends_with('=') && tail.as_bytes().iter().take(43).all(base64)
}

/// A policy's member is written `web@EMB`: that is nobody.
fn is_user(word: &str) -> bool {
    word.rsplit_once('@').is_some_and(|(user, place)| !user.is_empty() && place.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden() {
        for (text, expected) in [
            ("\toption password 'a b'\n", "\toption password (hidden)\n"),
            ("option username me@isp", "option username (hidden)"),
            ("list private_key x y\nlist use 'EMB'\n", "list private_key (hidden)\nlist use 'EMB'\n"),
            (r#"{"password":"a\"b","up":true}"#, r#"{"password":(hidden),"up":true}"#),
            (r#""pincode": 1234, "x": 1"#, r#""pincode": (hidden), "x": 1"#),
            ("PAP user=\"me\" password=secret rest", "PAP user=(hidden) password=(hidden) rest"),
            ("--auth-token = abc def", "--auth-token = (hidden) def"),
            ("wpa_psk=0123, x", "wpa_psk=(hidden), x"),
            ("login anna.b@provider.example failed", "login (hidden) failed"),
            ("https://me:pw@host.example/x", "(hidden)"),
            ("peer yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk= up", "peer (hidden) up"),
            ("a\n-----BEGIN X KEY-----\nabc\ndef\n-----END X KEY-----\nb", "a\n(hidden)\n(hidden)\nb"),
        ] {
            assert_eq!(hide(text), expected);
        }
    }

    #[test]
    fn the_rest_stays() {
        for text in [
            "path 'web@EMB', mark 0x5d, table 20093\n",
            "uidrange 1465057282-1465057282 lookup 200\n",
            "a key to it, the user and his password\n",
            "option fallback 'main'\n\tlist use 'EMB 3'\n",
            "",
        ] {
            assert_eq!(hide(text), text);
        }
    }
}
