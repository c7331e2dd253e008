//! `jsonpath.json`: what old paths lead to.

use maas_collector::extract::json::path::{Dialect, JsonPath, from_legacy};
use maas_model::document::same;
use serde_json::Value;

use crate::cases::{self, Score};

#[test]
fn old_paths_lead_to_the_same_values() {
    let Some(folder) = cases::folder() else {
        return;
    };
    let deviations = cases::deviations("jsonpath");
    let mut score = Score::default();
    for case in cases::read(&folder, "jsonpath.json").as_array().unwrap() {
        let expression = case["expression"].as_str().unwrap();
        let dialect = case["dialect"].as_str().unwrap();
        let name = format!("{dialect} {expression}");
        let found = found(expression, dialect, &case["document"]);
        // Either release of the old library is right.
        let result = agrees(&found, case).or_else(|error| match case.get("alternate") {
            Some(alternate) => agrees(&found, alternate),
            None => Err(error),
        });
        score.add(&name, result, deviations.get(&name));
    }
    score.end();
}

fn found(expression: &str, dialect: &str, document: &Value) -> Result<Option<Value>, String> {
    let dialect = match dialect {
        "extended" => Dialect::Extended,
        _ => Dialect::Standard,
    };
    let text = from_legacy(expression, dialect).map_err(|error| error.to_string())?;
    let path = JsonPath::parse(&text).map_err(|error| error.to_string())?;
    path.value(document)
}

fn agrees(found: &Result<Option<Value>, String>, case: &Value) -> Result<(), String> {
    match (found, case.get("value"), case.get("parse_error")) {
        (Ok(Some(found)), Some(wanted), _) if same(found, wanted) => Ok(()),
        (Ok(None), None, None) => Ok(()),
        (Err(_), _, Some(_)) => Ok(()),
        (found, wanted, refused) => Err(format!("{found:?} instead of {wanted:?} {refused:?}")),
    }
}
