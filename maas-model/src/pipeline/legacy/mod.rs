//! The configuration of the Python system, as a pipeline of ours.
//!
//! files -> what each of them is -> interfaces, models, pools in native words -> the same checks as YAML
//!
//! The translation gives a native tree whose parts stand where the old things stand that they come from:
//! so every message points into the old files, and what is loaded is exactly what `maas convert` writes.

mod chunks;
mod classes;
mod collectors;
mod convert;
mod credentials;
mod engines;
mod extractors;
mod files;
mod interfaces;
mod json;
pub(super) mod make;
mod models;
mod pools;
mod templates;
mod told;
pub(super) mod yaml;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use convert::Converted;
pub(super) use yaml::Section;

use chunks::Chunks;
use credentials::Credentials;
use engines::Engines;
use files::OldFile;
use interfaces::Interfaces;
use models::OldModels;
use told::Told;

use super::Pipeline;
use super::build::Builder;
use super::load::{Loaded, checked};
use super::problem::{LoadError, Problem, Severity};
use super::report::{At, Pin, Reports, SourceFile};
use super::sections::Sections;
use super::tree::{Entry, Kind, Node, Place};
use super::variables::{self, Environment};

impl Pipeline {
    /// Reads the configuration of the Python system: files and folders of collectors, models, engines,
    /// credentials and index templates, in any split. No I/O beyond that.
    ///
    /// What that system accepts is accepted: things that are probably not meant so are warnings. Plugins
    /// that this program does not have are told by [`Pipeline::missing`].
    pub fn load_legacy(paths: &[PathBuf], env: Environment<'_>) -> Result<Loaded, LoadError> {
        let mut reports = Reports::default();
        let old = Old::read(paths, env, &mut reports);
        let (pipeline, problems) = old.build(env, reports);
        checked(pipeline, problems)
    }
}

/// The old files, and the native tree that each of them became.
struct Old {
    name: String,
    files: Vec<OldFile>,
    drafts: Vec<Draft>,
}

/// What became of one file.
#[derive(Debug, Default)]
struct Draft {
    interfaces: Vec<Node>,
    models: Vec<Entry>,
    engine_defaults: Vec<Entry>,
    pools: Vec<Node>,
    /// What a person wrote of some of these, by their place.
    comments: BTreeMap<Place, String>,
}

/// What a file is, by what stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Collectors,
    Engines,
    Credentials,
    Template,
    Unknown,
}

impl Role {
    fn of(root: &Node) -> Self {
        let has = |key: &str| root.get(key).is_some();
        let amqp = root.get("amqp").map(|node| &node.kind);
        if has("index_patterns") || has("mappings") {
            Self::Template
        } else if has("collectors") || has("models") || matches!(amqp, Some(Kind::Map(_))) {
            Self::Collectors
        } else if has("interfaces") {
            Self::Credentials
        } else if amqp.is_some()
            || ["modules", "model", "defaults", "logging"]
                .into_iter()
                .any(has)
        {
            Self::Engines
        } else {
            Self::Unknown
        }
    }
}

impl Old {
    fn read(paths: &[PathBuf], env: Environment<'_>, reports: &mut Reports) -> Self {
        let mut told = Told::default();
        let found = files::read(&with_credentials(paths, env), &mut told);
        for (file, message, hint) in found.unread {
            reports.unread(Severity::Error, file, message, hint);
        }
        let files = found.files;
        let drafts = translate(&files, env, &mut told);
        told.report(reports);
        let name = paths.first().and_then(|path| path.file_stem());
        let name = name.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Self {
            name,
            files,
            drafts,
        }
    }

    /// The pipeline as far as it could be read, and what is wrong.
    fn build(self, env: Environment<'_>, mut reports: Reports) -> (Pipeline, Vec<Problem>) {
        let mut sources = Vec::new();
        for (number, (file, draft)) in self.files.into_iter().zip(self.drafts).enumerate() {
            let mut root = draft.into_root(&file.root);
            let mut errors = Vec::new();
            variables::fill(&mut root, "", env, &mut errors);
            for error in errors {
                let at = At {
                    file: number,
                    path: error.path,
                };
                reports.error(&at, Pin::Value, error.message, Some(error.hint));
            }
            sources.push(SourceFile {
                name: file.name,
                text: file.text,
                root: Some(root),
                original: Some(file.root),
            });
        }
        let sections = Sections::read(&sources, &mut reports);
        let builder = Builder::new(self.name, PathBuf::new(), &sources, &mut reports);
        let pipeline = builder.lenient().build(sections);
        (pipeline, reports.finish(&sources))
    }
}

impl Draft {
    fn into_root(self, old: &Node) -> Node {
        let place = old.place;
        let mut entries = Vec::new();
        let lists = [("interfaces", self.interfaces), ("pools", self.pools)];
        let lists = lists.into_iter().filter(|(_, items)| !items.is_empty());
        entries.extend(lists.map(|(key, items)| make::entry(key, make::list(place, items))));
        let maps = [
            ("models", self.models),
            ("engine_defaults", self.engine_defaults),
        ];
        let maps = maps.into_iter().filter(|(_, items)| !items.is_empty());
        entries.extend(maps.map(|(key, items)| make::entry(key, make::map(place, items))));
        make::map(place, entries)
    }
}

/// The containers of the original name the credentials file apart.
fn with_credentials(paths: &[PathBuf], env: Environment<'_>) -> Vec<PathBuf> {
    let named = env("CREDENTIAL_FILE").filter(|name| !name.is_empty());
    let named = named.map(PathBuf::from);
    let mut paths = paths.to_vec();
    paths.extend(named.filter(|named| !paths.iter().any(|path| named.starts_with(path))));
    paths
}

fn translate(files: &[OldFile], env: Environment<'_>, told: &mut Told) -> Vec<Draft> {
    let roles: Vec<Role> = files.iter().map(|file| Role::of(&file.root)).collect();
    let roles = &roles;
    let of = |role: Role| (0..files.len()).filter(move |number| roles[*number] == role);
    for number in of(Role::Unknown) {
        let empty = files[number].root.entries().is_empty();
        if !empty {
            let message = "not a file of collectors, models, engines, credentials or a template";
            let hint = "it is not read; move it out of the folder";
            told.warning(number, files[number].root.place, message, hint);
        }
    }
    let mut drafts: Vec<Draft> = files.iter().map(|_| Draft::default()).collect();
    let mut credentials = Credentials::default();
    for number in of(Role::Credentials) {
        credentials.read(number, &files[number], told);
    }
    let mut chunks = Chunks::default();
    let mut old_models = OldModels::default();
    for number in of(Role::Collectors) {
        chunks.read(number, &files[number], told);
        old_models.read(number, files, told);
    }
    for number in of(Role::Template) {
        old_models.template(number, files, told);
    }
    for number in of(Role::Engines) {
        old_models.module(number, &files[number], told);
    }
    for model in old_models.merge(files, told) {
        let draft = &mut drafts[model.file];
        let comment = model
            .description
            .map(|text| (model.entry.value.place, text));
        draft.comments.extend(comment);
        draft.models.push(model.entry);
    }
    let priority = env("AMQP_PRIORITY").and_then(|priority| priority.trim().parse().ok());
    let mut interfaces = Interfaces::new(files, &mut credentials, &mut chunks, priority, told);
    of(Role::Collectors).for_each(|number| interfaces.read(number));
    for interface in interfaces.translated {
        let draft = &mut drafts[interface.file];
        let comment = interface
            .description
            .map(|text| (interface.node.place, text));
        draft.comments.extend(comment);
        draft.interfaces.push(interface.node);
    }
    chunks.unused(told);
    credentials.unused(told);
    let mut engines = Engines::default();
    of(Role::Engines).for_each(|number| engines.settings(number, files, told));
    of(Role::Engines).for_each(|number| engines.queues(number, files, told));
    for defaults in engines.engine_defaults(told) {
        drafts[defaults.file].engine_defaults.push(defaults.entry);
    }
    for pool in engines.pools(files, told) {
        drafts[pool.file].pools.push(pool.entry.value);
    }
    drafts
}
