//! As much of JSON Schema (draft 2020-12) as our schema uses. An unknown keyword is an error, so that nothing is
//! skipped silently.

use regex_lite::Regex;
use serde_json::Value;

/// The first thing in `value` that the schema does not allow.
pub fn violation(schema: &Value, value: &Value) -> Option<String> {
    check(schema, schema, value).err()
}

fn check(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let keywords = match schema {
        Value::Bool(true) => return Ok(()),
        Value::Object(keywords) => keywords,
        _ => return Err(format!("{value} is not allowed")),
    };
    let passes = |schema: &Value| check(root, schema, value).is_ok();
    for (keyword, wanted) in keywords {
        let holds = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "default" => true,
            "$ref" => {
                let pointer = wanted.as_str().and_then(|text| text.strip_prefix('#')).unwrap();
                check(root, root.pointer(pointer).unwrap(), value)?;
                true
            }
            "type" => match wanted.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_u64() || value.is_i64(),
                "number" => value.is_number(),
                other => panic!("unknown type {other}"),
            },
            "enum" => wanted.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|number| number >= wanted.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= wanted.as_f64().unwrap()),
            "pattern" => {
                let pattern = Regex::new(wanted.as_str().unwrap()).unwrap();
                value.as_str().is_none_or(|text| pattern.is_match(text))
            }
            "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= wanted.as_u64().unwrap()),
            "items" => {
                value.as_array().into_iter().flatten().try_for_each(|item| check(root, wanted, item))?;
                true
            }
            "required" => {
                let has = |key: &Value| value.get(key.as_str().unwrap()).is_some();
                wanted.as_array().unwrap().iter().all(has)
            }
            "properties" => {
                for (key, schema) in wanted.as_object().unwrap() {
                    value.get(key).map_or(Ok(()), |value| check(root, schema, value))?;
                }
                true
            }
            "additionalProperties" => {
                let known = |key: &str| keywords.get("properties").is_some_and(|known| known.get(key).is_some());
                let others = value.as_object().into_iter().flatten().filter(|(key, _)| !known(key));
                others.into_iter().try_for_each(|(key, value)| {
                    check(root, wanted, value).map_err(|error| format!("{key}: {error}"))
                })?;
                true
            }
            "propertyNames" => {
                let mut keys = value.as_object().into_iter().flatten().map(|(key, _)| Value::from(key.as_str()));
                keys.try_for_each(|key| check(root, wanted, &key))?;
                true
            }
            "anyOf" => wanted.as_array().unwrap().iter().any(passes),
            "oneOf" => wanted.as_array().unwrap().iter().filter(|schema| passes(schema)).count() == 1,
            "allOf" => wanted.as_array().unwrap().iter().all(passes),
            "not" => !passes(wanted),
            other => panic!("this checker does not know {other}"),
        };
        if !holds {
            return Err(format!("{value} breaks {keyword}: {wanted}"));
        }
    }
    Ok(())
}
