//! What is expected against what came: difference by difference.

use indexmap::IndexMap;
use serde_json::Value;

use super::file::{Expect, Fields, Listed};
use super::happened::Happened;

/// One thing that is not as expected.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(super) struct Difference {
    /// Where the expectation stands below the test's `expect`: `documents.product[0].name`.
    pub(super) path: String,
    /// What is expected.
    pub(super) expected: String,
    /// What is there instead.
    pub(super) found: String,
}

/// How the entries of a list are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The first expected is compared with the first found, and so on.
    InOrder,
    /// By `_id`, or else the first that has what is expected.
    ById,
}

/// All differences of a test.
pub(super) fn differences(expect: &Expect, happened: &Happened) -> Vec<Difference> {
    let mut all = Vec::new();
    let none = Vec::new();
    for section in sections(expect, happened) {
        for (name, expected) in section.expected.into_iter().flatten() {
            let found = section.found.get(name).unwrap_or(&none);
            listed(
                &format!("{}.{name}", section.name),
                expected,
                found,
                &mut all,
            );
        }
    }
    for (name, messages) in unnamed_messages(expect, happened) {
        all.push(Difference {
            path: "messages".to_owned(),
            expected: format!("no message `{name}`"),
            found: messages.len().to_string(),
        });
    }
    list(
        "dead",
        &expect.dead,
        &happened.dead,
        Kind::InOrder,
        &mut all,
    );
    all
}

/// Lists that go by names: what is expected of each, if anything, and what came.
pub(super) struct Section<'a> {
    pub(super) name: &'static str,
    pub(super) expected: Option<&'a IndexMap<String, Listed>>,
    pub(super) found: &'a IndexMap<String, Vec<Fields>>,
}

/// All of them.
pub(super) fn sections<'a>(expect: &'a Expect, happened: &'a Happened) -> [Section<'a>; 3] {
    let section = |name, expected, found| Section {
        name,
        expected,
        found,
    };
    [
        section("records", Some(&expect.records), &happened.records),
        section("documents", Some(&expect.documents), &happened.documents),
        section("messages", expect.messages.as_ref(), &happened.messages),
    ]
}

/// Messages with keys that are not expected, where messages are expected at all.
pub(super) fn unnamed_messages<'a>(
    expect: &'a Expect,
    happened: &'a Happened,
) -> impl Iterator<Item = (&'a String, &'a Vec<Fields>)> {
    let named = expect.messages.as_ref();
    let unnamed = move |name: &str| named.is_some_and(|named| !named.contains_key(name));
    let messages = happened.messages.iter();
    messages.filter(move |(name, _)| unnamed(name))
}

fn listed(path: &str, expected: &Listed, found: &[Fields], all: &mut Vec<Difference>) {
    match expected {
        Listed::All(expected) => list(path, expected, found, kind_of(path), all),
        Listed::Count(count) if *count == found.len() => {}
        Listed::Count(count) => all.push(Difference {
            path: path.to_owned(),
            expected: count.to_string(),
            found: found.len().to_string(),
        }),
    }
}

/// How the lists below `path` are compared.
pub(super) fn kind_of(path: &str) -> Kind {
    match path.starts_with("documents") {
        true => Kind::ById,
        false => Kind::InOrder,
    }
}

fn list(path: &str, expected: &[Fields], found: &[Fields], kind: Kind, all: &mut Vec<Difference>) {
    let partners = partners(expected, found, kind);
    for (number, partner) in partners.iter().enumerate() {
        let path = format!("{path}[{number}]");
        match partner {
            Some(partner) => fields(&path, &expected[number], &found[*partner], all),
            None => all.push(Difference {
                path,
                expected: shown(&expected[number]),
                found: "nothing".to_owned(),
            }),
        }
    }
    for (number, extra) in found.iter().enumerate() {
        if !partners.contains(&Some(number)) {
            all.push(Difference {
                path: path.to_owned(),
                expected: "nothing more".to_owned(),
                found: shown(extra),
            });
        }
    }
}

/// For each expected entry the place of the found one that it is compared with.
pub(super) fn partners(expected: &[Fields], found: &[Fields], kind: Kind) -> Vec<Option<usize>> {
    if kind == Kind::InOrder {
        let partner = |number| Some(number).filter(|number| *number < found.len());
        return (0..expected.len()).map(partner).collect();
    }
    let mut free: Vec<usize> = (0..found.len()).collect();
    let mut partners = vec![None; expected.len()];
    let mut pair = |number: usize, fits: &dyn Fn(&Fields) -> bool, free: &mut Vec<usize>| {
        let place = free.iter().position(|candidate| fits(&found[*candidate]))?;
        partners[number] = Some(free.remove(place));
        partners[number]
    };
    // Those with an id first, then those that fit whole; what is left is paired as it stands.
    for (number, wanted) in expected.iter().enumerate() {
        if let Some(id) = wanted.get("_id") {
            pair(number, &|found| found.get("_id") == Some(id), &mut free);
        }
    }
    let nameless = || {
        let all = expected.iter().enumerate();
        all.filter(|(_, wanted)| !wanted.contains_key("_id"))
    };
    let mut left = Vec::new();
    for (number, wanted) in nameless() {
        let fits = |found: &Fields| {
            let mut differences = Vec::new();
            fields("", wanted, found, &mut differences);
            differences.is_empty()
        };
        if pair(number, &fits, &mut free).is_none() {
            left.push(number);
        }
    }
    for number in left {
        pair(number, &|_| true, &mut free);
    }
    partners
}

/// The named fields; null says that a field is not there.
fn fields(path: &str, expected: &Fields, found: &Fields, all: &mut Vec<Difference>) {
    for (name, wanted) in expected {
        let there = found.get(name).unwrap_or(&Value::Null);
        if same(wanted, there) || is_part_of_reason(path, name, wanted, there) {
            continue;
        }
        let path = format!("{path}.{name}");
        match (wanted, there) {
            (Value::Object(wanted), Value::Object(there)) => fields(&path, wanted, there, all),
            _ => all.push(Difference {
                path,
                expected: wanted.to_string(),
                found: there.to_string(),
            }),
        }
    }
}

/// Of the reason of a dead letter a part is enough: the words around it may become better ones.
pub(super) fn is_part_of_reason(path: &str, name: &str, wanted: &Value, there: &Value) -> bool {
    match (wanted, there) {
        (Value::String(part), Value::String(text)) => {
            path.starts_with("dead") && name == "reason" && text.contains(part)
        }
        _ => false,
    }
}

/// Equal as values: `3` and `3.0` are.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let found = |(name, value): (&String, &Value)| {
                b.get(name).is_some_and(|other| same(value, other))
            };
            a.len() == b.len() && a.iter().all(found)
        }
        _ => a == b,
    }
}

/// Fields on one line, cut where nobody reads on.
fn shown(fields: &Fields) -> String {
    const LONGEST: usize = 300;
    let text = Value::Object(fields.clone()).to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all(value: Value) -> Vec<Fields> {
        serde_json::from_value(value).unwrap()
    }

    fn paths(expected: Value, found: Value, kind: Kind) -> Vec<String> {
        let mut differences = Vec::new();
        list("x", &all(expected), &all(found), kind, &mut differences);
        differences.into_iter().map(|one| one.path).collect()
    }

    #[test]
    fn only_named_fields_are_compared() {
        let found = json!([{ "a": 1.0, "b": [2], "c": { "d": 1, "e": 2 } }]);
        for (expected, differing) in [
            (json!([{}]), vec![]),
            (json!([{ "a": 1, "c": { "e": 2 } }]), vec![]),
            (
                json!([{ "a": 2, "c": { "e": 3 } }]),
                vec!["x[0].a", "x[0].c.e"],
            ),
            (json!([{ "b": [2, 3] }]), vec!["x[0].b"]),
            (json!([{ "f": null, "a": null }]), vec!["x[0].a"]),
        ] {
            assert_eq!(paths(expected, found.clone(), Kind::InOrder), differing);
        }
    }

    #[test]
    fn a_list_is_whole() {
        let one = json!([{ "a": 1 }]);
        let two = json!([{ "a": 1 }, { "a": 2 }]);
        assert_eq!(paths(one.clone(), two.clone(), Kind::InOrder), ["x"]);
        assert_eq!(paths(two, one, Kind::InOrder), ["x[1]"]);
    }

    #[test]
    fn documents_are_found_by_id_or_by_what_they_hold() {
        let found = json!([{ "_id": "1", "a": 1 }, { "_id": "2", "a": 2 }, { "_id": "3", "a": 3 }]);
        let expected = json!([{ "a": 3 }, { "_id": "2", "a": 2 }, { "a": 1 }]);
        assert!(paths(expected, found.clone(), Kind::ById).is_empty());
        let expected = json!([{ "a": 4 }, { "_id": "2" }, { "a": 1 }]);
        assert_eq!(paths(expected, found, Kind::ById), ["x[0].a"]);
    }

    #[test]
    fn a_part_of_the_reason_is_enough() {
        let found = all(json!([{ "kind": "k", "reason": "field `a` cannot be `b`" }]));
        let mut differences = Vec::new();
        let expected = all(json!([{ "reason": "cannot be `b`" }]));
        list("dead", &expected, &found, Kind::InOrder, &mut differences);
        assert!(differences.is_empty(), "{differences:?}");
    }
}
