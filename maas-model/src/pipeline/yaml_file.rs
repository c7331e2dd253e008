//! Other YAML files than those of a pipeline, read as strictly, with the same errors.

use std::path::Path;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::problem::{LoadError, Problem, Severity};
use super::report::{At, Pin, Reports, SourceFile};
use super::tree::Node;
use super::{files, load};
use crate::plugin::{Fault, path_text, read_as, shape_of};

/// A file that was read as a `T`, and that knows where everything in it stands. `${...}` is plain text in it.
#[derive(Debug)]
pub struct YamlFile<T> {
    value: T,
    source: SourceFile,
}

impl<T: DeserializeOwned + JsonSchema + 'static> YamlFile<T> {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        match files::read_one(path) {
            Ok((name, text)) => Self::from_text(&name, &text),
            Err((file, message, hint)) => {
                let mut reports = Reports::default();
                reports.unread(Severity::Error, file, message, hint);
                let problems = reports.finish(&[]);
                Err(LoadError { problems })
            }
        }
    }

    /// Reads a text, called `name` in errors.
    pub fn from_text(name: &str, text: &str) -> Result<Self, LoadError> {
        let mut reports = Reports::default();
        let source = load::read_file(0, name.to_owned(), text.to_owned(), None, &mut reports);
        let value = match &source.root {
            Some(root) => read_root::<T>(root, &mut reports),
            None => None,
        };
        let sources = [source];
        let problems = reports.finish(&sources);
        let [source] = sources;
        match value {
            Some(value) if problems.is_empty() => Ok(Self { value, source }),
            _ => Err(LoadError { problems }),
        }
    }
}

fn read_root<T: DeserializeOwned + JsonSchema + 'static>(
    root: &Node,
    reports: &mut Reports,
) -> Option<T> {
    let value = root.to_value();
    let errors = match read_as::<T>(&value) {
        Ok(value) => return Some(value),
        Err(errors) => errors,
    };
    let unknown: Vec<String> = shape_of::<T>()
        .errors(&value)
        .iter()
        .filter(|fault| fault.fault == Fault::Unknown)
        .map(|fault| path_text(&fault.path))
        .collect();
    for error in errors {
        let pin = match unknown.contains(&error.path) {
            true => Pin::Key,
            false => Pin::Value,
        };
        reports.error(&at(&error.path), pin, error.message, error.hint);
    }
    None
}

impl<T> YamlFile<T> {
    /// What it says.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// As the user named it.
    pub fn name(&self) -> &str {
        &self.source.name
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.source.text
    }

    /// Line and column, from 1, of the key (or entry of a list) at `path` (`tests[1].expect`), or of the
    /// nearest thing around it.
    pub fn place_of(&self, path: &str) -> (usize, usize) {
        let root = self.source.root.as_ref();
        root.map_or((1, 1), |root| {
            let key = root.locate(path).key;
            (key.line, key.column)
        })
    }

    /// Whether something stands at `path`.
    pub fn has(&self, path: &str) -> bool {
        let root = self.source.root.as_ref();
        root.is_some_and(|root| root.locate(path).node.is_some())
    }

    /// Something that is wrong with what stands at `path`.
    pub fn problem(&self, path: &str, message: &str, hint: Option<String>) -> Problem {
        let (line, column) = self.place_of(path);
        let excerpt = self.source.text.lines().nth(line.saturating_sub(1));
        Problem {
            severity: Severity::Error,
            file: self.source.name.clone(),
            line,
            column,
            path: path.to_owned(),
            message: message.to_owned(),
            hint,
            excerpt: excerpt.map(str::to_owned),
        }
    }
}

fn at(path: &str) -> At {
    At {
        file: 0,
        path: path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Parcel {
        weight: u32,
        #[serde(default)]
        labels: Vec<String>,
    }

    #[test]
    fn everything_in_it_has_a_place() {
        let text = "# A parcel.\nweight: 3\nlabels:\n  - ${red}\n";
        let file = YamlFile::<Parcel>::from_text("parcel.yaml", text).unwrap();
        assert_eq!(file.value().weight, 3);
        assert_eq!(file.value().labels, ["${red}"]);
        assert_eq!(file.place_of("labels"), (3, 1));
        assert_eq!(file.place_of("labels[0]"), (4, 5));
        assert!(file.has("labels[0]") && !file.has("labels[1]"));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let text = "wieght: 3\nlabels: red\n";
        let error = YamlFile::<Parcel>::from_text("parcel.yaml", text).unwrap_err();
        let told = error.to_string();
        assert!(
            told.contains("parcel.yaml:1:1: wieght: unknown key"),
            "{told}"
        );
        assert!(told.contains("parcel.yaml:2:9: labels: "), "{told}");
    }
}
