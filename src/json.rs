//! JSON text: one way out and one way in.
//!
//! serde compiles how a type is written once for every kind of writer, and how it is read once for every kind of reader.
//! A second kind of writer, be it the indenting one or that behind `Display` of a `Value`, costs 45 KB on MIPS, and
//! reading from bytes instead of text 10 KB.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An object, written as in JSON: `object! { "name": link.name.as_str(), "table": 100 }`. What stands behind the colons
/// is anything that a `Value` is made from.
///
/// serde_json's `json!` puts each field in by code of its own, and takes any type that serde can write: 100 bytes a field
/// on MIPS instead of 40.
macro_rules! object {
    ($($name:literal: $value:expr),* $(,)?) => {
        $crate::json::from_fields(vec![$(($name, serde_json::Value::from($value))),*])
    };
}
pub(crate) use object;

/// An object out of its fields.
#[must_use]
pub fn from_fields(fields: Vec<(&str, Value)>) -> Value {
    let mut object = Map::new();
    for (name, value) in fields {
        object.insert(name.to_owned(), value);
    }
    Value::Object(object)
}

/// A value as compact text. Of our types none holds a map whose keys are no strings, and none refuses to be written:
/// this cannot fail.
#[must_use]
pub fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The same, indented for people.
#[must_use]
pub fn pretty(value: &impl Serialize) -> String {
    indent(&text(value))
}

/// A value out of text.
///
/// # Errors
/// The text is not JSON, or not of this type.
pub fn parse<'t, T: Deserialize<'t>>(text: &'t str) -> serde_json::Result<T> {
    serde_json::from_str(text)
}

/// Puts compact text onto lines, as `serde_json::to_string_pretty` does.
fn indent(compact: &str) -> String {
    let mut text = String::with_capacity(compact.len() * 2);
    let mut depth = 0;
    let new_line = |text: &mut String, depth: usize| {
        text.push('\n');
        (0..depth).for_each(|_| text.push_str("  "));
    };
    let mut rest = compact.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => string(&mut text, &mut rest),
            '{' | '[' => {
                text.push(c);
                // An empty one stays on its line.
                if let Some(end) = rest.next_if(|next| matches!(next, '}' | ']')) {
                    text.push(end);
                } else {
                    depth += 1;
                    new_line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth -= 1;
                new_line(&mut text, depth);
                text.push(c);
            }
            ',' => {
                text.push(c);
                new_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            _ => text.push(c),
        }
    }
    text
}

/// A string to its end, as it stands.
fn string(text: &mut String, rest: &mut impl Iterator<Item = char>) {
    text.push('"');
    while let Some(c) = rest.next() {
        text.push(c);
        match c {
            '\\' => text.extend(rest.next()),
            '"' => return,
            _ => {}
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn an_empty_list_or_object_stays_on_its_line() {
        assert_eq!(pretty(&json!({})), "{}");
        assert_eq!(pretty(&json!([])), "[]");
        assert_eq!(pretty(&json!({ "a": [], "b": [{}] })), "{\n  \"a\": [],\n  \"b\": [\n    {}\n  ]\n}");
    }

    #[test]
    fn strings_stay_as_they_are() {
        for odd in ["{[,:]}", "\"", "\\", "\\\"", "a\\", "\n\t\u{1}", "é:,", "\u{10ffff}{"] {
            let value = json!({ odd: [odd, 1, -2.5, true, null] });
            assert_eq!(pretty(&value), serde_json::to_string_pretty(&value).unwrap());
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let text = || prop::string::string_regex("[\\PC\"\\\\{}\\[\\],:\n]{0,6}").unwrap();
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            prop::num::f64::NORMAL.prop_map(Value::from),
            text().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(text(), inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_is_indented_as_serde_json_does(value in any_value()) {
            prop_assert_eq!(pretty(&value), serde_json::to_string_pretty(&value).unwrap());
        }
    }
}
