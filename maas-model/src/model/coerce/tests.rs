use serde_json::json;

use super::*;
use crate::document::IndexName;
use crate::model::Model;

fn model(fields: &[(&str, FieldType)]) -> Model {
    Model {
        name: "Test".to_owned(),
        alias: IndexName::new("test").unwrap(),
        fields: fields
            .iter()
            .map(|(name, kind)| ((*name).to_owned(), Field::new(*kind)))
            .collect(),
        partition: None,
        settings: Default::default(),
    }
}

fn coerced(model: &Model, record: Value) -> Result<Value, Vec<CoerceError>> {
    let mut source: Source = serde_json::from_value(record).unwrap();
    model.coerce(&mut source).map(|()| Value::Object(source))
}

fn one(kind: FieldType, value: &Value) -> Result<Value, String> {
    match coerced(&model(&[("f", kind)]), json!({"f": value})) {
        Ok(record) => Ok(record.get("f").cloned().unwrap_or(Value::Null)),
        Err(errors) => Err(errors[0].to_string()),
    }
}

#[test]
fn values_take_the_form_of_their_type() {
    use FieldType::*;
    for (kind, value, wanted) in [
        (Long, json!(" 12 "), json!(12)),
        (Long, json!(12.7), json!(12)),
        (Long, json!(-12.7), json!(-12)),
        (Integer, json!("1_000"), json!(1000)),
        (Integer, json!("-7"), json!(-7)),
        (Integer, json!("+042"), json!(42)),
        (Short, json!("٤٢"), json!(42)),
        (Byte, json!(true), json!(1)),
        (Long, json!(["1", null, 2.5]), json!([1, null, 2])),
        (Long, json!(u64::MAX), json!(u64::MAX)),
        (Long, json!(null), json!(null)),
        (Double, json!("1e3"), json!(1000.0)),
        (Double, json!("1_0.5"), json!(10.5)),
        (Float, json!(1), json!(1.0)),
        (Float, json!(true), json!(1.0)),
        (HalfFloat, json!(" .5 "), json!(0.5)),
        (Boolean, json!("false"), json!(false)),
        (Boolean, json!("False"), json!(true)),
        (Boolean, json!("0"), json!(true)),
        (Boolean, json!("no"), json!(true)),
        (Boolean, json!(""), json!(false)),
        (Boolean, json!(0), json!(false)),
        (Boolean, json!({}), json!(false)),
        (
            Date,
            json!("2024-01-24T05:15:05.1239Z"),
            json!("2024-01-24T05:15:05.123Z"),
        ),
        (Date, json!(0), json!("1970-01-01T00:00:00.000Z")),
        (
            Date,
            json!({"$datetime": "2024-01-24T07:15:05+02:00"}),
            json!("2024-01-24T05:15:05.000Z"),
        ),
        (
            Date,
            json!(["2024-01-24", null]),
            json!(["2024-01-24T00:00:00.000Z", null]),
        ),
        (Keyword, json!({"a": null}), json!({"a": null})),
        (
            Keyword,
            json!({"$datetime": "2024-01-24T05:15:05"}),
            json!("2024-01-24T05:15:05"),
        ),
        (GeoShape, json!("x"), json!("x")),
        (
            Object,
            json!({"a": null, "b": [], "c": {"d": null}}),
            json!({"c": {"d": null}}),
        ),
        (Nested, json!([{"a": null, "b": ""}]), json!([{"b": ""}])),
    ] {
        assert_eq!(one(kind, &value), Ok(wanted), "{kind} {value}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    use FieldType::*;
    for (kind, value, reason) in [
        (
            Long,
            json!(""),
            "field `f` (long) cannot take ``: it is empty",
        ),
        (
            Long,
            json!("12.0"),
            "field `f` (long) cannot take `12.0`: it is no whole number",
        ),
        (Long, json!("0x10"), "no whole number"),
        (Long, json!("1__0"), "no whole number"),
        (Long, json!("_1"), "no whole number"),
        (Long, json!("- 1"), "no whole number"),
        (Long, json!("18446744073709551616"), "64 bits"),
        (Long, json!("-9223372036854775809"), "64 bits"),
        (Long, json!(1e300), "64 bits"),
        (Long, json!({"a": 1}), "it is an object"),
        (Long, json!([[1]]), "it is a list"),
        (Double, json!("1,5"), "no number"),
        (Double, json!(""), "it is empty"),
        (Double, json!("nan"), "JSON has no such number"),
        (Double, json!("-Infinity"), "JSON has no such number"),
        (Double, json!("1e999"), "JSON has no such number"),
        (Double, json!("e5"), "no number"),
        (
            Date,
            json!(""),
            "field `f` (date) cannot take ``: it is empty",
        ),
        (Date, json!(1.5), "whole milliseconds"),
        (Date, json!("garbage"), "its form is not known"),
        (Object, json!("x"), "it is no object"),
    ] {
        let error = one(kind, &value).unwrap_err();
        assert!(error.contains(reason), "{kind} {value}: {error}");
    }
}

#[test]
fn empties_go_and_all_errors_are_told() {
    let model = model(&[
        ("a", FieldType::Long),
        ("b", FieldType::Date),
        ("c", FieldType::Text),
    ]);
    let record = json!({"a": null, "c": "", "d": [], "e": {}, "f": 0, "g": {"h": null}});
    assert_eq!(
        coerced(&model, record),
        Ok(json!({"c": "", "f": 0, "g": {"h": null}}))
    );

    let errors = coerced(&model, json!({"a": "x", "b": "y".repeat(500)})).unwrap_err();
    let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["a", "b"]);
    assert!(errors[1].value.len() < 130);
}

#[test]
fn members_of_objects_are_coerced_too() {
    let mut field = Field::new(FieldType::Object);
    field
        .fields
        .insert("n".to_owned(), Field::new(FieldType::Long));
    let mut model = model(&[]);
    model.fields.insert("o".to_owned(), field);
    let record = json!({"o": [{"n": "1", "x": null}, {"n": null}]});
    assert_eq!(coerced(&model, record), Ok(json!({"o": [{"n": 1}, {}]})));
    let errors = coerced(&model, json!({"o": {"n": "x"}})).unwrap_err();
    assert_eq!(errors[0].field, "o.n");
}
