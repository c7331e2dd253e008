//! Models of collector files and index templates, as models of ours.
//!
//! The two describe the same indices: a template what the store makes of documents, a model what the
//! collector makes of records. Of a class that has both the template counts, and of the model what the
//! template does not say.

use indexmap::IndexMap;

use super::files::OldFile;
use super::told::Told;
use super::{make, templates};
use crate::pipeline::tree::{Entry, Node};
use crate::plugin::suggestion;

/// A model in words of ours.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) file: usize,
    /// The key is its name.
    pub(super) entry: Entry,
    /// What a person wrote of it.
    pub(super) description: Option<String>,
}

/// The models of all files, by name.
#[derive(Debug, Default)]
pub(super) struct OldModels {
    collected: IndexMap<String, Translated>,
    templates: IndexMap<String, Translated>,
    /// The engines work with the classes of [`CLASSES`].
    of_missions: bool,
}

const TEMPLATE_FILE: &str = "_template";

/// The Python module of document classes that engine files name.
const CLASSES: &str = "maas_cds.model";

/// Classes of that module which no template describes: those of one mission, of the same index.
const OF_MISSIONS: [(&str, &[&str]); 3] = [
    ("CdsCompleteness", &["S1"]),
    ("CdsDatatake", &["S1", "S2"]),
    ("CdsProduct", &["S1", "S2", "S3", "S5"]),
];

impl OldModels {
    /// The `models` of a collector file, and those within its `collectors`.
    pub(super) fn read(&mut self, number: usize, files: &[OldFile], told: &mut Told) {
        let root = &files[number].root;
        let items = |key: &str| root.get(key).map_or(&[][..], Node::items);
        let within = items("collectors")
            .iter()
            .filter_map(|entry| entry.get("model"));
        let within = within.filter(|model| model.text().is_none() && !model.is_null());
        for model in items("models").iter().chain(within) {
            let Some(name) = model.get("name").and_then(Node::text) else {
                let hint = Some("give it a `name`".to_owned());
                told.error(number, model.place, "a model without name", hint);
                continue;
            };
            let translated = Translated {
                file: number,
                entry: make::entry(name, collected(number, model, told)),
                description: description(model),
            };
            let value = translated.entry.value.to_value();
            let Some(earlier) = self.collected.insert(name.to_owned(), translated) else {
                continue;
            };
            if earlier.entry.value.to_value() != value {
                let (later, line) = (&files[number].name, model.place.line);
                let message = format!("model `{name}` is another one in {later}:{line}");
                let hint = "the last one counts; remove the others";
                told.warning(earlier.file, earlier.entry.place, message, hint);
            }
        }
    }

    /// One index template.
    pub(super) fn template(&mut self, number: usize, files: &[OldFile], told: &mut Told) {
        let file = &files[number];
        let Some(index) = file.stem.strip_suffix(TEMPLATE_FILE) else {
            let hint = Some("call it `INDEX_template.json`".to_owned());
            let message = "a template whose file does not name its index";
            told.error(number, file.root.place, message, hint);
            return;
        };
        let meta = file.root.locate("mappings._meta").node;
        let class = meta.and_then(|meta| meta.get("class_name")?.text());
        let name = class.map_or_else(|| templates::class_of(index), str::to_owned);
        let translated = Translated {
            file: number,
            entry: make::entry(
                name.as_str(),
                templates::native(number, index, &file.root, told),
            ),
            description: meta.and_then(description),
        };
        if let Some(earlier) = self.templates.insert(name.clone(), translated) {
            let message = format!("{} is a template of `{name}` too", file.name);
            let hint = Some("give one of them another `class_name` in its `_meta`".to_owned());
            told.error(earlier.file, earlier.entry.place, message, hint);
        }
    }

    /// The module of document classes that an engine file names.
    pub(super) fn module(&mut self, number: usize, file: &OldFile, told: &mut Told) {
        let Some(module) = file.root.get("model") else {
            return;
        };
        match module.text() {
            Some(CLASSES) => self.of_missions = true,
            other => {
                let name = other.unwrap_or_default();
                let message = format!("the Python module `{name}` is not read");
                let hint = "its classes are known if there are templates of them";
                told.warning(number, module.place, message, hint);
            }
        }
    }

    /// All of them; those of one name made one.
    pub(super) fn merge(self, files: &[OldFile], told: &mut Told) -> Vec<Translated> {
        let mut models = self.templates;
        for (name, collected) in self.collected {
            match models.get_mut(&name) {
                Some(template) => merge(template, &collected, files, told),
                None => {
                    models.insert(name, collected);
                }
            }
        }
        let of_missions = OF_MISSIONS.iter().filter(|_| self.of_missions);
        for (name, missions) in of_missions {
            let Some(whole) = models.get(*name) else {
                continue;
            };
            let (file, value) = (whole.file, whole.entry.value.clone());
            for mission in *missions {
                let name = format!("{name}{mission}");
                models.entry(name.clone()).or_insert_with(|| Translated {
                    file,
                    entry: make::entry(name, value.clone()),
                    description: None,
                });
            }
        }
        models.into_values().collect()
    }
}

fn description(node: &Node) -> Option<String> {
    let text = node.get("description")?.text()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A model of the collector.
fn collected(file: usize, old: &Node, told: &mut Told) -> Node {
    const KEYS: [&str; 6] = [
        "description",
        "fields",
        "index",
        "name",
        "partition_field",
        "partition_format",
    ];
    for entry in old.entries() {
        if !KEYS.contains(&entry.key.as_str()) {
            let message = format!("a model has no `{}`", entry.key);
            let hint = suggestion(&entry.key, KEYS).unwrap_or_default();
            told.warning(file, entry.place, message, hint);
        }
    }
    let mut entries = Vec::new();
    entries.extend(
        old.get("index")
            .map(|index| make::entry("index", index.clone())),
    );
    let field = match old.get("partition_field").filter(|field| !field.is_null()) {
        Some(field) => field.clone(),
        None => make::scalar(old.place, "ingestionTime"),
    };
    let format = old
        .get("partition_format")
        .filter(|format| !format.is_null());
    let format = match format {
        Some(format) => format.clone(),
        None => make::scalar(old.place, "%Y"),
    };
    let place = field.place;
    let partition = vec![make::entry("field", field), make::entry("format", format)];
    entries.push(make::entry("partition", make::map(place, partition)));
    // Every collected document has `reportName`, `reportFolder` and `ingestionTime`.
    entries.push(make::entry("raw", make::scalar(old.place, true)));
    let fields = old.get("fields").map_or(&[][..], Node::items);
    let fields = fields.iter().filter_map(|field| {
        let (name, kind) = (field.get("name")?.text()?, field.get("type")?);
        let kind = make::scalar(kind.place, snake_case(kind.text().unwrap_or_default()));
        Some(Entry {
            key: name.to_owned(),
            place: field.place,
            value: kind,
        })
    });
    entries.push(make::entry(
        "fields",
        make::map(old.place, fields.collect()),
    ));
    make::map(old.place, entries)
}

/// `GeoShape` is the class of `geo_shape`.
fn snake_case(class: &str) -> String {
    let mut name = String::new();
    for letter in class.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// Adds to a template what only the model of the collector says.
fn merge(template: &mut Translated, collected: &Translated, files: &[OldFile], told: &mut Told) {
    let name = template.entry.key.clone();
    let from = &files[template.file].name;
    let (ours, theirs) = (&template.entry.value, &collected.entry.value);
    let place_of = |key: &str| theirs.get(key).map_or(theirs.place, |node| node.place);
    let value_of = |node: &Node, key: &str| node.get(key).map(Node::to_value);
    if value_of(ours, "index") != value_of(theirs, "index") {
        let message = format!("`{name}` has another index in {from}");
        told.warning(
            collected.file,
            place_of("index"),
            message,
            "the template counts",
        );
    }
    let mut kinds = Vec::new();
    let mut added = Vec::new();
    for field in theirs.get("fields").map_or(&[][..], Node::entries) {
        let known = ours.get("fields").and_then(|fields| fields.get(&field.key));
        match known {
            Some(known) => {
                let kind = known.get("type").unwrap_or(known).text();
                if kind.is_some() && kind != field.value.text() {
                    kinds.push(format!("`{}`", field.key));
                }
            }
            None => added.push(Entry {
                key: field.key.clone(),
                place: template.entry.place,
                value: make::moved(&field.value, template.entry.place),
            }),
        }
    }
    if !kinds.is_empty() {
        let message = format!("`{name}`: {} of another type in {from}", kinds.join(", "));
        told.warning(collected.file, theirs.place, message, "the template counts");
    }
    let partition = theirs.get("partition").filter(|partition| {
        let ours = value_of(ours, "partition");
        ours.is_none_or(|ours| ours != partition.to_value())
    });
    let partition = partition.map(|partition| {
        let message = format!("`{name}` is partitioned otherwise in {from}");
        told.warning(
            collected.file,
            partition.place,
            message,
            "the model of the collector counts",
        );
        make::moved(partition, template.entry.place)
    });
    let place = template.entry.place;
    let mut entries = template.entry.value.entries().to_vec();
    if let Some(partition) = partition {
        entries.retain(|entry| entry.key != "partition");
        entries.insert(1, make::entry("partition", partition));
    }
    if !added.is_empty()
        && let Some(fields) = entries.iter_mut().find(|entry| entry.key == "fields")
    {
        let all = fields.value.entries().iter().cloned().chain(added);
        fields.value = make::map(fields.value.place, all.collect());
    }
    template.entry.value = make::map(place, entries);
    if template.description.is_none() {
        template.description.clone_from(&collected.description);
    }
}
