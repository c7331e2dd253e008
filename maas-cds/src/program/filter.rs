//! `--where`: conditions as a person types them.

use std::str::FromStr;

use maas_model::model::{FieldType, Model};
use maas_model::store::Query;
use serde_json::{Value, json};

/// One condition: `field=value`, `field!=value`, `field=one,other`, `field>=value` (also `>`, `<`, `<=`),
/// `field^=prefix`, `field?` (exists), `!field?` (does not).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    field: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    OneOf(Vec<String>),
    NoneOf(Vec<String>),
    Above(String),
    AtLeast(String),
    Below(String),
    AtMost(String),
    Prefix(String),
    There,
    Absent,
}

/// How it is typed, and the test it makes of the value.
type Operator = (&'static str, fn(&str) -> Test);

/// Operators in the order they are looked for: longer ones first.
const OPERATORS: [Operator; 7] = [
    ("!=", |value| Test::NoneOf(list(value))),
    (">=", |value| Test::AtLeast(value.to_owned())),
    ("<=", |value| Test::AtMost(value.to_owned())),
    ("^=", |value| Test::Prefix(value.to_owned())),
    (">", |value| Test::Above(value.to_owned())),
    ("<", |value| Test::Below(value.to_owned())),
    ("=", |value| Test::OneOf(list(value))),
];

fn list(value: &str) -> Vec<String> {
    value.split(',').map(str::to_owned).collect()
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let found = OPERATORS
            .iter()
            .filter_map(|(operator, test)| Some((text.find(operator)?, operator, test)))
            .min_by_key(|(place, operator, _)| (*place, std::cmp::Reverse(operator.len())));
        if let Some((place, operator, test)) = found {
            let (field, value) = (text[..place].trim(), text[place + operator.len()..].trim());
            if !field.is_empty() {
                return Ok(Self {
                    field: field.to_owned(),
                    test: test(value),
                });
            }
        } else if let Some(field) = text.strip_suffix('?') {
            let (field, test) = match field.strip_prefix('!') {
                Some(field) => (field, Test::Absent),
                None => (field, Test::There),
            };
            return Ok(Self {
                field: field.to_owned(),
                test,
            });
        }
        Err(format!(
            "`{text}` is no condition; write `field=value`, `field!=value`, `field>=value`, \
             `field^=prefix` or `field?`"
        ))
    }
}

/// All conditions together; values are read as the model's types want them, or as they look.
pub(crate) fn query(conditions: &[Condition], model: Option<&Model>) -> Query {
    match conditions {
        [] => Query::All,
        several => Query::And(
            several
                .iter()
                .map(|condition| condition.query(model))
                .collect(),
        ),
    }
}

impl Condition {
    fn query(&self, model: Option<&Model>) -> Query {
        let field = || self.field.clone();
        let value = |text: &str| self.value(text, model);
        let values = |texts: &[String]| Query::terms(field(), texts.iter().map(|text| value(text)));
        let range = |gt, gte, lt, lte| Query::Range {
            field: field(),
            gt,
            gte,
            lt,
            lte,
        };
        match &self.test {
            Test::OneOf(texts) => values(texts),
            Test::NoneOf(texts) => Query::Not(Box::new(values(texts))),
            Test::Above(text) => range(Some(value(text)), None, None, None),
            Test::AtLeast(text) => range(None, Some(value(text)), None, None),
            Test::Below(text) => range(None, None, Some(value(text)), None),
            Test::AtMost(text) => range(None, None, None, Some(value(text))),
            Test::Prefix(text) => Query::Prefix {
                field: field(),
                value: text.clone(),
            },
            Test::There => Query::Exists { field: field() },
            Test::Absent => Query::Not(Box::new(Query::Exists { field: field() })),
        }
    }

    fn value(&self, text: &str, model: Option<&Model>) -> Value {
        let declared = model
            .and_then(|model| model.fields.get(&self.field))
            .map(|field| field.kind);
        let is_text = matches!(
            declared,
            Some(FieldType::Keyword | FieldType::Text | FieldType::Date | FieldType::Ip)
        );
        if is_text {
            return json!(text);
        }
        match serde_json::from_str(text) {
            Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
            _ => json!(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Query {
        text.parse::<Condition>().unwrap().query(None)
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!(parsed("mission=S1"), Query::terms("mission", ["S1"]));
        assert_eq!(
            parsed("mission = S1,S2"),
            Query::terms("mission", ["S1", "S2"])
        );
        assert_eq!(parsed("n!=3"), Query::Not(Box::new(Query::terms("n", [3]))));
        assert_eq!(
            parsed("name^=S1A"),
            Query::Prefix {
                field: "name".into(),
                value: "S1A".into()
            }
        );
        assert_eq!(parsed("x?"), Query::Exists { field: "x".into() });
        assert_eq!(
            parsed("!x?"),
            Query::Not(Box::new(Query::Exists { field: "x".into() }))
        );
        let Query::Range {
            gte: Some(value),
            gt: None,
            ..
        } = parsed("n>=2.5")
        else {
            panic!()
        };
        assert_eq!(value, json!(2.5));
    }

    #[test]
    fn a_value_may_hold_an_operator() {
        assert_eq!(parsed("name=a>b"), Query::terms("name", ["a>b"]));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "mission", "=S1", "  "] {
            assert!(text.parse::<Condition>().is_err(), "{text}");
        }
    }
}
