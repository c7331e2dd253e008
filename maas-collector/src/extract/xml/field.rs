//! Where the value of a field comes from.

use maas_model::plugin::SettingError;
use serde_json::Value;

use super::names::{NameId, Names};
use super::path::{Namespaces, Path, attribute};
use super::tree::{NodeId, Tree};
use super::{XmlField, XmlFieldSource};
use crate::extract::field::{Expression, wrong};

/// A field that was checked.
pub(super) enum FieldSource {
    Element(Element),
    Constant(Value),
    Expression(Expression),
}

/// The text or an attribute of one element, or of all that a path leads to.
pub(super) struct Element {
    /// `None`: the record itself.
    path: Option<Path>,
    attribute: Option<NameId>,
    all: bool,
    null_when_empty: bool,
    default: Option<Value>,
    /// As in the settings, to tell of it.
    text: String,
}

impl XmlField {
    pub(super) fn compile(
        self,
        setting: &str,
        namespaces: &Namespaces,
        names: &mut Names,
    ) -> Result<FieldSource, SettingError> {
        let source = match self {
            Self::Path(path) => {
                return Element::of(Some(path), None, setting, namespaces, names)
                    .map(FieldSource::Element)
                    .map_err(|error| SettingError {
                        path: setting.to_owned(),
                        ..error
                    });
            }
            Self::Detailed(source) => source,
        };
        let plain = !source.all && !source.null_when_empty && source.default.is_none();
        match source {
            XmlFieldSource {
                path: None,
                attr: None,
                value: Some(value),
                expr: None,
                ..
            } if plain => Ok(FieldSource::Constant(value)),
            XmlFieldSource {
                path: None,
                attr: None,
                value: None,
                expr: Some(text),
                ..
            } if plain => {
                let expression = Expression::parse(&text, "record", &format!("{setting}.expr"))?;
                Ok(match expression.constant() {
                    Some(value) => FieldSource::Constant(value.clone()),
                    None => FieldSource::Expression(expression),
                })
            }
            XmlFieldSource {
                path,
                attr,
                value: None,
                expr: None,
                all,
                null_when_empty,
                default,
            } if path.is_some() || attr.is_some() => {
                let element = Element::of(path, attr, setting, namespaces, names)?;
                Ok(FieldSource::Element(Element {
                    all,
                    null_when_empty,
                    default,
                    ..element
                }))
            }
            _ => Err(wrong(
                setting,
                "`path`, `attr` or both are wanted, or one of `value` and `expr` alone",
            )),
        }
    }
}

impl FieldSource {
    pub(super) fn value(&self, tree: &Tree, node: NodeId) -> Result<Value, String> {
        match self {
            Self::Element(element) => element.value(tree, node),
            Self::Constant(value) => Ok(value.clone()),
            Self::Expression(expression) => expression.evaluate(&tree.as_value(node)),
        }
    }
}

impl Element {
    fn of(
        path: Option<String>,
        attr: Option<String>,
        setting: &str,
        namespaces: &Namespaces,
        names: &mut Names,
    ) -> Result<Self, SettingError> {
        let mut text = path.clone().unwrap_or_else(|| ".".into());
        if let Some(attr) = &attr {
            text = format!("{text} @{attr}");
        }
        let path = path.map(|path| {
            Path::parse(&path, namespaces, names)
                .map_err(|error| wrong(format!("{setting}.path"), error))
        });
        let attribute = attr.map(|name| {
            attribute(&name, namespaces, names)
                .map_err(|error| wrong(format!("{setting}.attr"), error))
        });
        Ok(Self {
            path: path.transpose()?,
            attribute: attribute.transpose()?,
            all: false,
            null_when_empty: false,
            default: None,
            text,
        })
    }

    fn value(&self, tree: &Tree, node: NodeId) -> Result<Value, String> {
        if self.all {
            let nodes = match &self.path {
                Some(path) => path.all(tree, node)?,
                None => vec![node],
            };
            let values = nodes
                .into_iter()
                .filter_map(|node| self.of_node(tree, node));
            return Ok(values.collect());
        }
        let found = match &self.path {
            Some(path) => path.first(tree, node)?,
            None => Some(node),
        };
        found
            .and_then(|node| self.of_node(tree, node))
            .or_else(|| self.default.clone())
            .ok_or_else(|| format!("`{}` leads to nothing", self.text))
    }

    fn of_node(&self, tree: &Tree, node: NodeId) -> Option<Value> {
        let text = match self.attribute {
            Some(name) => tree.value(node, name)?,
            None => tree.text(node),
        };
        match text {
            "" if self.null_when_empty => Some(Value::Null),
            text => Some(text.into()),
        }
    }
}
