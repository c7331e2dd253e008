//! Writes values as YAML that a person would write: short things on one line, the rest in blocks.

use serde_json::Value;

/// Longest line that is not broken up.
const WIDTH: usize = 110;

/// The lines of `key: value`, each indented by `indent` spaces.
pub(super) fn entry(key: &str, value: &Value, indent: usize) -> Vec<String> {
    let start = format!("{}{}:", " ".repeat(indent), plain_or_quoted(key));
    let inline = inline(value);
    if start.len() + 1 + inline.len() <= WIDTH && !holds_list_of_maps(value) {
        return vec![format!("{start} {inline}")];
    }
    let mut lines = vec![start];
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                lines.extend(entry(key, value, indent + 2));
            }
        }
        Value::Array(items) => {
            for item in items {
                lines.extend(list_item(item, indent + 2));
            }
        }
        // A text that is too long stays on its line.
        _ => return vec![format!("{} {inline}", lines[0])],
    }
    lines
}

fn list_item(item: &Value, indent: usize) -> Vec<String> {
    let pad = " ".repeat(indent);
    let short = inline(item);
    let fields = match item {
        Value::Object(fields) if indent + 2 + short.len() > WIDTH => fields,
        _ => return vec![format!("{pad}- {short}")],
    };
    let mut lines: Vec<String> = fields
        .iter()
        .flat_map(|(key, value)| entry(key, value, indent + 2))
        .collect();
    if let Some(first) = lines.first_mut() {
        first.replace_range(indent..indent + 2, "- ");
    }
    lines
}

/// Each entry of a list of maps gets a line of its own, so that a changed one is a changed line.
fn holds_list_of_maps(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().any(holds_list_of_maps),
        Value::Array(items) => items.iter().any(Value::is_object),
        _ => false,
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => plain_or_quoted(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{}: {}", plain_or_quoted(key), inline(value)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

fn plain_or_quoted(text: &str) -> String {
    if is_plain(text) || is_date(text) {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

/// Whether a text needs no quotes: nothing that YAML, or somebody who reads it, takes for something else.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 8] = ["true", "false", "null", "yes", "no", "on", "off", "y"];
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_-./ ".contains(letter);
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(allowed)
        && !text.ends_with(' ')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

fn is_date(text: &str) -> bool {
    text.len() >= 20
        && text.ends_with('Z')
        && text.as_bytes()[..4].iter().all(u8::is_ascii_digit)
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"-:.TZ".contains(&byte))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_as_a_person_would() {
        let value = json!({
            "count": 3,
            "name": "a b",
            "id": "12e4",
            "yes": "no",
            "at": "2024-05-01T00:00:00.000Z",
            "tags": ["a", "#b"],
            "list": [{ "a": 1, "b": { "c": null } }, { "long": "x".repeat(120), "b": [] }],
        });
        let long = "x".repeat(120);
        let expected = [
            "  top:",
            "    count: 3",
            "    name: a b",
            "    id: \"12e4\"",
            "    \"yes\": \"no\"",
            "    at: 2024-05-01T00:00:00.000Z",
            "    tags: [a, \"#b\"]",
            "    list:",
            "      - { a: 1, b: { c: null } }",
            &format!("      - long: {long}"),
            "        b: []",
        ];
        let written = entry("top", &value, 2);
        assert_eq!(written, expected);
        let read: Value = serde_yaml::from_str(&written.join("\n")).unwrap();
        assert_eq!(read["top"], value);
    }
}
