//! Where the value of a field comes from.

use maas_model::plugin::SettingError;
use serde_json::Value;

use super::XmlField;
use super::names::{NameId, Names};
use super::path::{Namespaces, Path, attribute};
use super::tree::{NodeId, Tree};
use crate::extract::field::{Expression, wrong};

/// A field that was checked.
pub(super) enum FieldSource {
    Element(Element),
    Constant(Value),
    Expression(Expression),
}

/// The text or an attribute of one element, or of all that a path leads to.
pub(super) struct Element {
    path: Path,
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
            Self::Path(text) => {
                let path = Path::parse(&text, namespaces, names);
                let path = path.map_err(|error| wrong(setting, error))?;
                return Ok(FieldSource::Element(Element::at(path, text)));
            }
            Self::Detailed(source) => source,
        };
        let element = source.path.is_some() || source.attr.is_some();
        let of_elements = source.all || source.null_when_empty || source.default.is_some();
        match (source.value, source.expr) {
            (None, None) if element => Ok(FieldSource::Element(Element {
                all: source.all,
                null_when_empty: source.null_when_empty,
                default: source.default,
                ..Element::of(source.path, source.attr, setting, namespaces, names)?
            })),
            (Some(value), None) if !element && !of_elements => Ok(FieldSource::Constant(value)),
            (None, Some(text)) if !element && !of_elements => {
                let expression = Expression::parse(&text, "record", &format!("{setting}.expr"))?;
                Ok(match expression.constant() {
                    Some(value) => FieldSource::Constant(value.clone()),
                    None => FieldSource::Expression(expression),
                })
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
    /// The text of the first element that `path` leads to.
    fn at(path: Path, text: String) -> Self {
        Self {
            path,
            attribute: None,
            all: false,
            null_when_empty: false,
            default: None,
            text,
        }
    }

    fn of(
        path: Option<String>,
        attr: Option<String>,
        setting: &str,
        namespaces: &Namespaces,
        names: &mut Names,
    ) -> Result<Self, SettingError> {
        let text = path.unwrap_or_else(|| ".".into());
        let path = Path::parse(&text, namespaces, names);
        let path = path.map_err(|error| wrong(format!("{setting}.path"), error))?;
        let Some(attr) = attr else {
            return Ok(Self::at(path, text));
        };
        let attribute = attribute(&attr, namespaces, names);
        let attribute = attribute.map_err(|error| wrong(format!("{setting}.attr"), error))?;
        Ok(Self {
            attribute: Some(attribute),
            ..Self::at(path, format!("{text} @{attr}"))
        })
    }

    fn value(&self, tree: &Tree, node: NodeId) -> Result<Value, String> {
        if self.all {
            let nodes = self.path.all(tree, node)?.into_iter();
            let values = nodes.filter_map(|node| self.of_node(tree, node));
            return Ok(values.collect());
        }
        let found = self.path.first(tree, node)?;
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
