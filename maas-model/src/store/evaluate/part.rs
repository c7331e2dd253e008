//! Reading only the fields of a document that something asks for.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::document::Source;

/// Which members of a document are needed. What is not is skipped and never built: a document with an
/// outline of thousands of points is then as cheap as one without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of them.
    Whole,
    /// Those in which a value of these paths can stand.
    Paths(Vec<String>),
}

impl Part {
    /// What is needed to look at `paths`.
    pub(crate) fn of<'a>(paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut paths: Vec<String> = paths.into_iter().map(str::to_owned).collect();
        paths.sort_unstable();
        paths.dedup();
        Self::Paths(paths)
    }

    /// # Errors
    /// When `text` is not a JSON object.
    pub(crate) fn read(&self, text: &str) -> serde_json::Result<Source> {
        match self {
            Self::Whole => serde_json::from_str(text),
            Self::Paths(paths) => {
                let mut json = serde_json::Deserializer::from_str(text);
                let source = json.deserialize_map(Members(paths))?;
                json.end()?;
                Ok(source)
            }
        }
    }
}

/// A path goes through a member when it is its name, or goes on behind it with a dot: `values` finds
/// `a.b` in `{"a": {"b": 1}}` and in `{"a.b": 1}`.
fn leads_to(name: &str, path: &str) -> bool {
    let rest = path.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

struct Members<'a>(&'a [String]);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Source;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Source, A::Error> {
        let mut source = Source::new();
        while let Some(name) = members.next_key_seed(Name(self.0))? {
            match name {
                Some(name) => {
                    source.insert(name, members.next_value::<Value>()?);
                }
                None => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(source)
    }
}

/// The name of a member, if it is needed.
struct Name<'a>(&'a [String]);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<Self::Value, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a member")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        let needed = self.0.iter().any(|path| leads_to(name, path));
        Ok(needed.then(|| name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(paths: &[&str], text: &str) -> Value {
        let part = Part::of(paths.iter().copied());
        Value::Object(part.read(text).unwrap())
    }

    #[test]
    fn what_a_path_can_go_through_is_read() {
        let text =
            r#"{"a": {"b": 1, "c": [2]}, "a.b": 3, "ab": 4, "a\u002eb.c": 5, "z": {"a": 6}}"#;
        assert_eq!(read(&["a"], text), json!({"a": {"b": 1, "c": [2]}}));
        let through = json!({"a": {"b": 1, "c": [2]}, "a.b": 3});
        assert_eq!(read(&["a.b"], text), through);
        let through = json!({"a": {"b": 1, "c": [2]}, "a.b": 3, "a.b.c": 5});
        assert_eq!(read(&["a.b.c", "a.b.c"], text), through);
        assert_eq!(read(&[], text), json!({}));
    }

    #[test]
    fn the_last_of_two_members_counts_as_in_a_whole_document() {
        let text = r#"{"a": 1, "a": 2}"#;
        assert_eq!(read(&["a"], text), json!({"a": 2}));
        assert_eq!(
            Value::Object(Part::Whole.read(text).unwrap()),
            json!({"a": 2})
        );
    }

    #[test]
    fn what_is_no_document_is_refused_in_the_skipped_members_too() {
        for text in ["[]", "{\"a\": }", "{\"a\": 1} 2", ""] {
            Part::of(["z"]).read(text).unwrap_err();
        }
    }
}
