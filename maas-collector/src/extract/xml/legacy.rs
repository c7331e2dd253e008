//! The old class that XML stands for.

use maas_model::plugin::{SettingError, Translation};
use serde_json::{Map, Value, json};

use super::names::Names;
use super::path::{Namespaces, Path, PathError};
use crate::extract::legacy::{Arguments, old_class};

inventory::submit! { old_class("XMLExtractor", |old| translate(old, "xml")) }

/// The arguments of the old class, as settings of `plugin`, which are those of XML.
pub(in crate::extract) fn translate(
    old: &Value,
    plugin: &'static str,
) -> Result<Translation, Vec<SettingError>> {
    let mut arguments = Arguments::of(old);
    let partial = arguments.partial();
    let default_namespace = arguments.text("default_namespace").unwrap_or_default();
    let namespaces = match arguments.take("namespace_map") {
        None => Namespaces::new(),
        Some(Value::Object(map)) => texts(&mut arguments, map),
        Some(_) => {
            arguments.refuse("namespace_map", "it is no object");
            Namespaces::new()
        }
    };
    let mut paths = Paths {
        default_namespace,
        namespaces,
        names: Names::default(),
        differing: false,
    };
    let records = arguments.text("iterate_nodes");
    let attr_map = arguments.object("attr_map");
    paths.look(records.as_deref(), &attr_map);
    if let Some(text) = records {
        match paths.new_path(&text, None, false) {
            Ok(path) => {
                arguments.settings.insert("records".into(), path.into());
            }
            Err(error) => arguments.refuse("iterate_nodes", error),
        }
    }
    arguments.fields(attr_map, |arguments, field, entry| {
        source(arguments, &mut paths, partial, field, &entry)
    });
    if !paths.differing && !paths.plain_namespaces().is_empty() {
        let namespaces = json!(paths.plain_namespaces());
        arguments.settings.insert("namespaces".into(), namespaces);
    }
    arguments.converters();
    arguments.drop_unused_converters();
    arguments.finish(plugin)
}

fn texts(arguments: &mut Arguments, map: Map<String, Value>) -> Namespaces {
    let mut namespaces = Namespaces::new();
    for (prefix, namespace) in map {
        match namespace {
            Value::String(namespace) => {
                namespaces.insert(prefix, namespace);
            }
            _ => arguments.refuse(&format!("namespace_map.{prefix}"), "it is no text"),
        }
    }
    namespaces
}

/// What an entry of `attr_map` is here.
fn source(
    arguments: &mut Arguments,
    paths: &mut Paths,
    partial: bool,
    field: &str,
    entry: &Value,
) -> Option<Value> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let keys = entry.as_object().map_or(0, Map::len);
    let (path, attr) = match (entry, text("python"), text("path"), text("attr")) {
        (Value::Null, ..) => return Some(json!({"path": ".", "null_when_empty": true})),
        (Value::String(path), ..) => (Some(path.as_str()), None),
        (_, Some(lambda), ..) => {
            return element_lambda(lambda).or_else(|| arguments.lambda(field, entry));
        }
        (_, None, Some(path), Some(attr)) if keys == 2 => (Some(path), Some(attr)),
        (_, None, None, Some(attr)) if keys == 1 => (None, Some(attr)),
        _ => {
            let reason = "a path, `path` and `attr`, `attr`, or `python` is wanted";
            arguments.refuse(&format!("attr_map.{field}"), reason);
            return None;
        }
    };
    let path = path.map(|path| paths.new_path(path, Some(field), attr.is_none()));
    let wrong = match (path.transpose(), attr) {
        // There attributes have no prefixes, only names in full.
        (Ok(_), Some(attr)) if attr.contains(':') && !attr.starts_with('{') => {
            format!("no attribute can be called `{attr}`; write its namespace in braces")
        }
        (Ok(Some(path)), Some(attr)) => return Some(json!({"path": path, "attr": attr})),
        (Ok(None), Some(attr)) => return Some(json!({"attr": attr})),
        (Ok(path), None) => return path.map(Value::from),
        (Err(error), _) => error.to_string(),
    };
    let place = format!("attr_map.{field}");
    if !partial {
        arguments.refuse(&place, wrong);
        return None;
    }
    // There a wrong path is found out when it is followed, like one that leads nowhere.
    arguments.warn(&place, format!("it is always null: {wrong}"));
    Some(json!({"expr": "None"}))
}

/// Old paths, whose namespaces follow rules of their own: a first namespace is put before the first step
/// only, and the map of prefixes holds for paths to texts only.
struct Paths {
    default_namespace: String,
    namespaces: Namespaces,
    names: Names,
    /// Some path means something else under the simple rule of ours, so all are written in full.
    differing: bool,
}

impl Paths {
    /// Finds out whether all paths mean the same under our rule.
    fn look(&mut self, records: Option<&str>, attr_map: &Map<String, Value>) {
        let mut differing = records.is_some_and(|path| {
            let old = self.old(path, None, false);
            self.differs(path, &old)
        });
        for (field, entry) in attr_map {
            let lambda = entry["python"].as_str().and_then(element_lambda);
            let read = lambda.as_ref().and_then(|source| source["path"].as_str());
            let (path, old) = match (entry.as_str(), entry["path"].as_str(), read) {
                (Some(path), ..) => (path, self.old(path, Some(field), true)),
                (None, _, Some(path)) => {
                    let old = Path::parse(path, &Namespaces::new(), &mut self.names);
                    (path, old)
                }
                (None, Some(path), None) => (path, self.old(path, Some(field), false)),
                (None, None, None) => continue,
            };
            differing |= self.differs(path, &old);
        }
        self.differing = differing;
    }

    fn differs(&mut self, path: &str, old: &Result<Path, PathError>) -> bool {
        let namespaces = self.plain_namespaces();
        old != &Path::parse(path, &namespaces, &mut self.names)
    }

    fn plain_namespaces(&self) -> Namespaces {
        let mut namespaces = self.namespaces.clone();
        if !self.default_namespace.is_empty() {
            let default = self.default_namespace.clone();
            namespaces.entry(String::new()).or_insert(default);
        }
        namespaces
    }

    /// What the path means there.
    fn old(&mut self, path: &str, field: Option<&str>, prefixes: bool) -> Result<Path, PathError> {
        let first = match self.default_namespace.as_str() {
            "" => field.and_then(|field| self.namespaces.get(field)),
            _ => Some(&self.default_namespace),
        };
        let text = first.map(|first| format!("{{{first}}}{path}"));
        let none = Namespaces::new();
        let namespaces = if prefixes { &self.namespaces } else { &none };
        Path::parse(text.as_deref().unwrap_or(path), namespaces, &mut self.names)
    }

    fn new_path(
        &mut self,
        path: &str,
        field: Option<&str>,
        prefixes: bool,
    ) -> Result<String, PathError> {
        let old = self.old(path, field, prefixes)?;
        Ok(match self.differing {
            true => old.in_full(&self.names),
            false => path.to_owned(),
        })
    }
}

/// The lambdas over elements that are known, as what they read: `r.text`, `r.attrib['a']`, `r.get('a')`,
/// `r.find('p').text`, `r.find('p').attrib['a']`, `[e.text for e in r.findall('p')]`.
fn element_lambda(text: &str) -> Option<Value> {
    let text = text.trim().strip_prefix("lambda")?;
    let (parameter, body) = text.split_once(':')?;
    let parameter = parameter.trim();
    let body = body.trim();
    if let Some(list) = body
        .strip_prefix('[')
        .and_then(|body| body.strip_suffix(']'))
    {
        let (item, list) = list.split_once(" for ")?;
        let (local, list) = list.split_once(" in ")?;
        let is_text = item.trim().strip_suffix(".text") == Some(local.trim());
        let list = list.trim().strip_prefix(parameter)?;
        let (path, rest) = call(list, ".findall(")?;
        let all = json!({"path": path, "all": true, "null_when_empty": true});
        return (is_text && rest.is_empty()).then_some(all);
    }
    let body = body.strip_prefix(parameter)?;
    let (path, rest) = match call(body, ".find(") {
        Some((path, rest)) => (path, rest),
        None => (".".to_owned(), body),
    };
    if rest == ".text" {
        return Some(json!({"path": path, "null_when_empty": true}));
    }
    if let Some((name, "")) = item(rest, ".attrib[", ']') {
        return Some(json!({"path": path, "attr": name}));
    }
    let (name, rest) = call(rest, ".get(")?;
    let whole = path == "." && rest.is_empty();
    whole.then(|| json!({"expr": format!("record.get('@{name}')")}))
}

/// `.find('x')rest`: `x` and the rest.
fn call<'a>(text: &'a str, start: &str) -> Option<(String, &'a str)> {
    item(text, start, ')')
}

fn item<'a>(text: &'a str, start: &str, end: char) -> Option<(String, &'a str)> {
    let text = text.strip_prefix(start)?.trim_start();
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (value, rest) = text[1..].split_once(quote)?;
    let rest = rest.trim_start().strip_prefix(end)?;
    (!value.contains('\\')).then(|| (value.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(arguments: Value) -> Value {
        let old = json!({"class": "XMLExtractor", "args": arguments});
        translate(&old, "xml").unwrap().settings
    }

    #[test]
    fn namespaces_that_mean_the_same_stay_as_such() {
        let new = settings(json!({
            "attr_map": {"a": "x/y", "b": "z"},
            "default_namespace": "urn:n",
            "namespace_map": {"": "urn:n"},
        }));
        let same = json!({"fields": {"a": "x/y", "b": "z"}, "namespaces": {"": "urn:n"}});
        assert_eq!(new, same);
    }

    #[test]
    fn namespaces_that_mean_something_else_are_written_in_full() {
        let new = settings(json!({
            "attr_map": {"a": "x/y", "b": {"path": "x/y", "attr": "k"}, "c": "x"},
            "namespace_map": {"c": "urn:c", "": "urn:n"},
        }));
        let full = json!({"fields": {
            "a": "{urn:n}x/{urn:n}y",
            "b": {"path": "x/y", "attr": "k"},
            "c": "{urn:c}x",
        }});
        assert_eq!(new, full);
        let new = settings(json!({
            "attr_map": {"a": "x", "b": {"python": "lambda e: e.find('y').text"}},
            "namespace_map": {"": "urn:n"},
        }));
        let read = json!({"path": "y", "null_when_empty": true});
        assert_eq!(new, json!({"fields": {"a": "{urn:n}x", "b": read}}));
    }

    #[test]
    fn lambdas_over_elements_are_paths() {
        for (lambda, source) in [
            ("lambda root: 'DDP'", json!({"value": "DDP"})),
            (
                "lambda e: e.text",
                json!({"path": ".", "null_when_empty": true}),
            ),
            ("lambda e: e.attrib['k']", json!({"path": ".", "attr": "k"})),
            (
                "lambda e: e.get(\"k\")",
                json!({"expr": "record.get('@k')"}),
            ),
            (
                "lambda e: e.find('a/b').text",
                json!({"path": "a/b", "null_when_empty": true}),
            ),
            (
                "lambda e: e.find('a').attrib['k']",
                json!({"path": "a", "attr": "k"}),
            ),
            (
                "lambda e: [x.text for x in e.findall('.//a')]",
                json!({"path": ".//a", "all": true, "null_when_empty": true}),
            ),
        ] {
            let new = settings(json!({"attr_map": {"a": {"python": lambda}}}));
            assert_eq!(new["fields"]["a"], source, "{lambda}");
        }
        let old = json!({"args": {"attr_map": {"a": {"python": "lambda e: e.tail"}}}});
        let errors = translate(&old, "xml").unwrap_err();
        assert_eq!(errors[0].path, "args.attr_map.a.python");
    }

    #[test]
    fn a_wrong_path_is_null_where_everything_may_be() {
        let old = json!({"args": {
            "attr_map": {"a": "/x"},
            "allow_partial": true,
            "converter_map": {"z": {"type": "python", "python": "int"}},
        }});
        let translation = translate(&old, "xml").unwrap();
        assert_eq!(translation.settings["fields"]["a"], json!({"expr": "None"}));
        let warned: Vec<&str> = translation
            .warnings
            .iter()
            .map(|warning| warning.path.as_str())
            .collect();
        assert_eq!(warned, ["args.attr_map.a", "converter_map.z"]);
    }
}
