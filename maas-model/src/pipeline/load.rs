//! From files to a checked [`Pipeline`]: everything that is wrong is told, not the first thing only.
//!
//! tree -> variables -> sections -> models -> plugins and names -> wiring

use std::path::{Path, PathBuf};

use super::build::Builder;
use super::problem::{LoadError, Problem, Severity};
use super::report::{At, Pin, Reports, SourceFile};
use super::sections::Sections;
use super::tree::Node;
use super::variables::{self, Environment};
use super::{Pipeline, files};

/// A pipeline and the warnings about it.
pub type Loaded = (Pipeline, Vec<Problem>);

impl Pipeline {
    /// Reads a file, or the `.yaml` files of a folder. No I/O beyond that: nothing is reached, no secret
    /// is fetched. `env` looks variables up; mostly `&|name| std::env::var(name).ok()`.
    ///
    /// Also tells what is probably not meant so, which refuses nothing.
    pub fn load(path: &Path, env: Environment<'_>) -> Result<Loaded, LoadError> {
        let (name, base) = files::name_and_base(path);
        let found = files::read(path);
        let mut reports = Reports::default();
        for (severity, list) in [
            (Severity::Error, found.errors),
            (Severity::Warning, found.warnings),
        ] {
            for (file, message, hint) in list {
                reports.unread(severity, file, message, hint);
            }
        }
        assemble(name, base, found.texts, env, reports)
    }

    /// The same from a text, called `name` in errors. Relative paths start from the working folder.
    pub fn from_text(name: &str, text: &str, env: Environment<'_>) -> Result<Loaded, LoadError> {
        let texts = vec![(name.to_owned(), text.to_owned())];
        assemble(
            name.to_owned(),
            PathBuf::new(),
            texts,
            env,
            Reports::default(),
        )
    }
}

fn assemble(
    name: String,
    base: PathBuf,
    texts: Vec<(String, String)>,
    env: Environment<'_>,
    mut reports: Reports,
) -> Result<Loaded, LoadError> {
    let files: Vec<SourceFile> = texts
        .into_iter()
        .enumerate()
        .map(|(file, (name, text))| read_file(file, name, text, Some(env), &mut reports))
        .collect();
    let sections = Sections::read(&files, &mut reports);
    let builder = Builder::new(name, base, &files, &mut reports);
    let pipeline = builder.build(sections);
    // Models alone are a pipeline, to install them by; an empty file is a slip.
    let is_empty =
        pipeline.interfaces.is_empty() && pipeline.pools.is_empty() && pipeline.models.is_empty();
    if is_empty && reports.is_empty() {
        nothing_to_run(&mut reports);
    }
    checked(pipeline, reports.finish(&files))
}

fn nothing_to_run(reports: &mut Reports) {
    let whole = At {
        file: 0,
        path: String::new(),
    };
    let message = "there is nothing in it: neither interfaces nor pools nor models";
    let hint = "`maas schema` tells what belongs into a pipeline".to_owned();
    reports.warning(&whole, Pin::Value, message, Some(hint));
}

/// The pipeline, unless something refuses it.
pub(super) fn checked(pipeline: Pipeline, problems: Vec<Problem>) -> Result<Loaded, LoadError> {
    if problems
        .iter()
        .any(|problem| problem.severity == Severity::Error)
    {
        return Err(LoadError { problems });
    }
    Ok((pipeline, problems))
}

/// Reads one file. Without `env` variables are left as they are.
pub(super) fn read_file(
    file: usize,
    name: String,
    text: String,
    env: Option<Environment<'_>>,
    reports: &mut Reports,
) -> SourceFile {
    let top = At {
        file,
        path: String::new(),
    };
    let mut root = match Node::parse(&text) {
        Ok(root) => root,
        Err(error) => {
            reports.error_at(&top, error.place, error.message, None);
            return SourceFile {
                name,
                text,
                root: None,
                original: None,
            };
        }
    };
    for (path, second, first) in root.duplicates() {
        let message = format!(
            "the key stands here twice; the first time in line {}",
            first.line
        );
        let hint = Some("remove one of them".to_owned());
        reports.error_at(&At { file, path }, second, message, hint);
    }
    let mut errors = Vec::new();
    if let Some(env) = env {
        variables::fill(&mut root, "", env, &mut errors);
    }
    let source = SourceFile {
        name,
        text,
        root: Some(root),
        original: None,
    };
    for error in errors {
        let at = At {
            file,
            path: error.path,
        };
        reports.error(&at, Pin::Value, error.message, Some(error.hint));
    }
    source
}
