//! `${NAME}`, `${NAME:-default}` and `${NAME:+text}` in the texts of the tree.
//!
//! Filled in after parsing: a value can never change the structure of the file, whatever stands in it.
//! Keys are left alone.

use serde_json::Value;

use super::tree::{Kind, Node, join};

/// Looks a variable up.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Why a text cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VariableError {
    pub(super) path: String,
    pub(super) message: String,
    pub(super) hint: String,
}

/// Fills in all variables below `node`.
pub(super) fn fill(
    node: &mut Node,
    path: &str,
    env: Environment<'_>,
    errors: &mut Vec<VariableError>,
) {
    match &mut node.kind {
        Kind::Scalar(Value::String(written)) if written.contains("${") => {
            match expand(written, env) {
                Ok(text) => {
                    let written = std::mem::take(written);
                    node.kind = Kind::Filled { text, written };
                }
                Err((message, hint)) => {
                    errors.push(VariableError {
                        path: path.to_owned(),
                        message,
                        hint,
                    });
                }
            }
        }
        Kind::Scalar(_) | Kind::Filled { .. } => {}
        Kind::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                fill(item, &format!("{path}[{index}]"), env, errors);
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                fill(&mut entry.value, &join(path, &entry.key), env, errors);
            }
        }
    }
}

/// The name, when the text is one variable without default and nothing else.
pub(super) fn sole_variable(written: &str) -> Option<&str> {
    let name = written.strip_prefix("${")?.strip_suffix('}')?;
    is_name(name).then_some(name)
}

/// The text with its variables filled in; or what is wrong, and what to do.
pub(crate) fn expand(written: &str, env: Environment<'_>) -> Result<String, (String, String)> {
    let mut text = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((before, after)) = rest.split_once("${") {
        // `$${` is a plain `${`.
        if let Some(before) = before.strip_suffix('$') {
            text.push_str(before);
            text.push_str("${");
            rest = after;
            continue;
        }
        text.push_str(before);
        let Some((inside, after)) = after.split_once('}') else {
            return Err(("`${` without `}`".to_owned(), escape_hint()));
        };
        text.push_str(&value(inside, env)?);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn value(inside: &str, env: Environment<'_>) -> Result<String, (String, String)> {
    // As in a shell: the text if the variable is set to something, else nothing.
    if let Some((name, text)) = inside.split_once(":+")
        && is_name(name)
    {
        let set = env(name).is_some_and(|value| !value.is_empty());
        return Ok(if set { text.to_owned() } else { String::new() });
    }
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    if !is_name(name) {
        return Err((format!("`{name}` is no name of a variable"), escape_hint()));
    }
    match (env(name), default) {
        (Some(value), None) => Ok(value),
        // As in a shell: the default also stands for a variable that is set to nothing.
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err((
            format!("variable `{name}` is not set"),
            format!("set it, or give a default: `${{{name}:-...}}`"),
        )),
    }
}

fn is_name(text: &str) -> bool {
    let letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.chars().all(letter)
        && text.starts_with(|first: char| letter(first) && !first.is_ascii_digit())
}

fn escape_hint() -> String {
    "a variable is `${NAME}`, `${NAME:-default}` or `${NAME:+text if set}`; write `$${` for a plain `${`".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("example.org".into()),
            "EMPTY" => Some(String::new()),
            "TRICK" => Some("${HOST}: [".into()),
            _ => None,
        }
    }

    #[test]
    fn texts_are_filled_in() {
        for (written, expected) in [
            ("plain", "plain"),
            ("https://${HOST}/x", "https://example.org/x"),
            ("${HOST}${HOST}", "example.orgexample.org"),
            ("${NONE:-a b}", "a b"),
            ("${NONE:-}", ""),
            ("${HOST:-other}", "example.org"),
            ("${EMPTY}", ""),
            ("${EMPTY:-full}", "full"),
            ("${HOST:+moved}", "moved"),
            ("${EMPTY:+moved}", ""),
            ("${NONE:+moved}", ""),
            ("${TRICK}", "${HOST}: ["),
            ("$${HOST}", "${HOST}"),
            ("cost: 5$", "cost: 5$"),
            ("^a$|b{2}", "^a$|b{2}"),
        ] {
            assert_eq!(expand(written, &env).as_deref(), Ok(expected), "{written}");
        }
    }

    #[test]
    fn what_is_no_variable_is_told() {
        for (written, fragment) in [
            ("${NONE}", "variable `NONE` is not set"),
            ("${HOST", "without `}`"),
            ("${}", "no name"),
            ("${1A}", "no name"),
            ("${A B}", "no name"),
        ] {
            let (message, _) = expand(written, &env).unwrap_err();
            assert!(message.contains(fragment), "{written}: {message}");
        }
    }
}
