//! The fields of a JSON object, taken one by one.
//!
//! netifd's answer comes over ubus as a tree of values already. Types that derive their own reading would be 12 KB
//! larger on MIPS, and name no field in what they complain of.

use crate::json;
use serde_json::{Map, Value};

/// The fields of an object. One that is null counts as absent.
pub struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The fields of a value; `name` is what the value is called.
    pub fn of(value: &'a Value, name: &str) -> Result<Self, String> {
        value.as_object().map(Self).ok_or_else(|| wrong(value, "an object", name))
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, String> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| wrong(value, "a string", name))
    }

    /// A text that must not be absent.
    pub fn needed_text(&self, name: &str) -> Result<&'a str, String> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    /// A text, in a string of its own.
    pub fn owned_text(&self, name: &str) -> Result<Option<String>, String> {
        Ok(self.text(name)?.map(str::to_owned))
    }

    /// Whether something holds; if it is absent, it does not.
    pub fn is(&self, name: &str) -> Result<bool, String> {
        let Some(value) = self.get(name) else { return Ok(false) };
        value.as_bool().ok_or_else(|| wrong(value, "a boolean", name))
    }

    /// A number.
    pub fn number(&self, name: &str) -> Result<Option<u32>, String> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.map(Some).ok_or_else(|| wrong(value, "a number from 0 to 4294967295", name))
    }

    /// The length of a prefix, which must not be absent.
    pub fn length(&self, name: &str) -> Result<u8, String> {
        let value = self.get(name).ok_or_else(|| missing(name))?;
        let length = value.as_u64().and_then(|number| u8::try_from(number).ok());
        length.ok_or_else(|| wrong(value, "a number from 0 to 255", name))
    }

    /// An object.
    pub fn object(&self, name: &str) -> Result<Option<Fields<'a>>, String> {
        self.get(name).map(|value| Fields::of(value, name)).transpose()
    }

    /// A list of objects; empty if it is absent.
    pub fn list(&self, name: &str) -> Result<Vec<Fields<'a>>, String> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let items = value.as_array().ok_or_else(|| wrong(value, "a list", name))?;
        items.iter().map(|item| Fields::of(item, name)).collect()
    }

    /// The texts in a list; what else is in it is passed over.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}

fn missing(name: &str) -> String {
    format!("\"{name}\" is missing")
}

fn wrong(value: &Value, expected: &str, name: &str) -> String {
    let found = match value {
        Value::String(_) => format!("string {}", json::text(value)),
        Value::Number(_) => format!("number {}", json::text(value)),
        Value::Bool(_) => format!("boolean {}", json::text(value)),
        Value::Null => "null".into(),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    };
    format!("invalid type: {found}, expected {expected} in \"{name}\"")
}
