//! What the store holds at the end, beside what it should hold.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::world::State;

/// Documents that are not as without faults. When something was written is not compared, nor what the product
/// keeps for itself.
pub(crate) fn differences(expected: &State, found: &State) -> Vec<String> {
    let (expected, found) = (contents(expected), contents(found));
    let mut differences = Vec::new();
    for (key, source) in &expected {
        match found.get(key) {
            None => differences.push(format!("{key} is missing")),
            Some(found) if found != source => {
                differences.push(format!("{key} is {found}, not {source}"));
            }
            Some(_) => {}
        }
    }
    let more = found.keys().filter(|key| !expected.contains_key(*key));
    differences.extend(more.map(|key| format!("{key} should not be")));
    differences
}

fn contents(state: &State) -> BTreeMap<String, Value> {
    let documents = state.documents.all();
    let ours = documents.filter(|(index, ..)| !index.as_str().starts_with("maas-"));
    ours.map(|(index, id, source)| {
        let mut source = source.clone();
        for own in ["ingestionTime", "updateTime", "reportName"] {
            source.shift_remove(own);
        }
        (format!("{index}/{id}"), Value::Object(source))
    })
    .collect()
}
