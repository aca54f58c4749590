//! blobmsg to JSON and back, as `ubus call` does both (libubox `blobmsg_json.c`).

use super::blob::{Attribute, Attributes, Content, DEEPEST, Field, Malformed, Writer, kind};
use serde_json::{Map, Number, Value};

/// The fields of a message as an object. Of two fields with one name the last counts.
///
/// Text that is not UTF-8 keeps its readable part; a number that JSON does not have (infinity) becomes null.
///
/// # Errors
/// A field is malformed, or they are nested too deeply.
pub fn read(fields: &[u8]) -> Result<Value, Malformed> {
    let mut object = Map::new();
    for attribute in Attributes(fields) {
        add(&mut object, &attribute?, 0)?;
    }
    Ok(Value::Object(object))
}

/// Adds one more field to an object.
///
/// # Errors
/// The field is malformed, or nested too deeply.
pub fn add(object: &mut Map<String, Value>, attribute: &Attribute, depth: usize) -> Result<(), Malformed> {
    let field = attribute.field()?;
    object.insert(lossy(field.name), value(&field, depth)?);
    Ok(())
}

fn value(field: &Field, depth: usize) -> Result<Value, Malformed> {
    if depth > DEEPEST {
        return Err(Malformed("its tables are nested too deeply"));
    }
    Ok(match field.content()? {
        Content::Null => Value::Null,
        Content::Boolean(yes) => Value::Bool(yes),
        Content::Integer(number) => Value::Number(number.into()),
        Content::Double(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        Content::Text(text) => Value::String(lossy(text)),
        Content::Array(inner) => {
            let mut items = Vec::new();
            for attribute in Attributes(inner) {
                items.push(value(&attribute?.field()?, depth + 1)?);
            }
            Value::Array(items)
        }
        Content::Table(inner) => {
            let mut object = Map::new();
            for attribute in Attributes(inner) {
                add(&mut object, &attribute?, depth + 1)?;
            }
            Value::Object(object)
        }
    })
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An object as the fields of a message; null stands for an empty one.
///
/// Numbers take 32 bits if they fit, else 64; above the largest signed one they become that one, as in json-c.
/// A text ends at its first NUL.
///
/// # Errors
/// It is not an object, it is nested too deeply, or a name is longer than 65535 bytes.
pub fn write(object: &Value) -> Result<Vec<u8>, Malformed> {
    let mut writer = Writer::default();
    match object {
        Value::Null => {}
        Value::Object(object) => write_object(&mut writer, object, 0)?,
        _ => return Err(Malformed("it is not an object")),
    }
    Ok(writer.finish())
}

fn write_object(writer: &mut Writer, object: &Map<String, Value>, depth: usize) -> Result<(), Malformed> {
    object.iter().try_for_each(|(name, value)| write_value(writer, name, value, depth))
}

fn write_value(writer: &mut Writer, name: &str, value: &Value, depth: usize) -> Result<(), Malformed> {
    if depth > DEEPEST {
        return Err(Malformed("its tables are nested too deeply"));
    }
    if name.len() > usize::from(u16::MAX) {
        return Err(Malformed("a name is too long"));
    }
    match value {
        Value::Null => writer.field(kind::NULL, name, &[]),
        Value::Bool(yes) => writer.field(kind::INT8, name, &[u8::from(*yes)]),
        Value::Number(number) => write_number(writer, name, number),
        Value::String(text) => {
            let text = text.split('\0').next().unwrap_or_default();
            let opened = writer.open_field(kind::STRING, name);
            writer.raw(text.as_bytes());
            writer.raw(&[0]);
            writer.close(opened);
        }
        Value::Array(items) => {
            let opened = writer.open_field(kind::ARRAY, name);
            items.iter().try_for_each(|item| write_value(writer, "", item, depth + 1))?;
            writer.close(opened);
        }
        Value::Object(object) => {
            let opened = writer.open_field(kind::TABLE, name);
            write_object(writer, object, depth + 1)?;
            writer.close(opened);
        }
    }
    Ok(())
}

fn write_number(writer: &mut Writer, name: &str, number: &Number) {
    let whole = number.as_i64().or(number.is_u64().then_some(i64::MAX));
    match (whole.map(|whole| (i32::try_from(whole), whole)), number.as_f64()) {
        (Some((Ok(small), _)), _) => writer.field(kind::INT32, name, &small.to_be_bytes()),
        (Some((Err(_), large)), _) => writer.field(kind::INT64, name, &large.to_be_bytes()),
        (None, Some(double)) => writer.field(kind::DOUBLE, name, &double.to_be_bytes()),
        (None, None) => writer.field(kind::NULL, name, &[]),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            prop::num::f64::NORMAL.prop_map(Value::from),
            "[^\0]{0,9}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[^\0]{0,5}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_comes_back_as_it_was(map in prop::collection::btree_map("[^\0]{0,9}", any_value(), 0..6)) {
            let value = Value::Object(map.into_iter().collect());
            let fields = write(&value).unwrap();
            prop_assert_eq!(super::super::blob::check(&fields, 0), Ok(()));
            prop_assert_eq!(read(&fields).unwrap(), value);
        }

        #[test]
        fn rubbish_is_an_error_or_a_value(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            // What one of the two takes, the other takes.
            prop_assert_eq!(super::super::blob::check(&bytes, 0), read(&bytes).map(|_| ()));
        }
    }

    #[test]
    fn every_type_is_written_as_libubox_writes_it() {
        // The arguments in the recorded call of `echo`.
        let arguments = json!({"s": "a", "b": true, "t": {"x": 1}, "l": [1, "b"], "i": 5});
        let recorded = include_str!("../../tests/fixtures/ubus-frames/echo.hex");
        let frame = recorded.lines().find(|line| line.starts_with("C 0005")).unwrap();
        let data = frame.rsplit_once("0700005c").unwrap().1;
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let fields = Value::Object(arguments.as_object().unwrap().clone());
        // Objects are sorted by name here, so the fields are compared one by one.
        for (name, value) in fields.as_object().unwrap() {
            let one = hex(&write(&json!({ name: value })).unwrap());
            assert!(data.contains(&one), "{name}: {one} is not in {data}");
        }
        assert_eq!(hex(&write(&fields).unwrap()).len(), data.len());
    }

    #[test]
    fn awkward_values() {
        let there_and_back = |value: Value| read(&write(&value).unwrap()).unwrap();
        assert_eq!(there_and_back(json!({"n": u64::MAX, "t": "a\0b"})), json!({"n": i64::MAX, "t": "a"}));
        assert_eq!(there_and_back(Value::Null), json!({}));
        assert_eq!(write(&json!([1])), Err(Malformed("it is not an object")));
        assert!(write(&json!({"x".repeat(65_536): 1})).is_err());
        let deep = |levels| (0..levels).fold(json!({}), |inner, _| json!({"d": inner}));
        assert!(write(&deep(DEEPEST + 1)).is_ok());
        assert!(write(&deep(DEEPEST + 2)).is_err());

        let mut writer = Writer::default();
        writer.field(kind::DOUBLE, "inf", &f64::INFINITY.to_be_bytes());
        writer.field(kind::STRING, "latin", b"caf\xe9\0");
        writer.field(kind::INT16, "short", &(-2i16).to_be_bytes());
        assert_eq!(read(&writer.finish()).unwrap(), json!({"inf": null, "latin": "caf\u{fffd}", "short": -2}));
    }
}
