//! Writes what came into a test file: only what differs is written anew, the rest stays as it is, comments included.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use maas_model::pipeline::YamlFile;
use serde_json::{Map, Value, json};

use super::compare::{
    Difference, Section, is_part_of_reason, kind_of, partners, same, sections, unnamed_messages,
};
use super::file::{Expect, Fields, Listed, TestFile};
use super::happened::Happened;
use super::run::Ran;
use super::yaml;

/// What is not written down by itself: other in every test, or nothing that anybody compares.
fn untold(section: &str) -> &'static [&'static str] {
    match section {
        "documents" => &["ingestionTime", "reportFolder", "reportName", "updateTime"],
        "messages" => &[
            "ancestor_ids",
            "date",
            "force",
            "message_id",
            "pipeline",
            "priority",
        ],
        "dead" => &["raw", "tries"],
        _ => &["reportFolder", "reportName"],
    }
}

/// A test whose expectation is to be written anew.
pub(super) struct Changed<'a> {
    /// Its number in the file.
    pub(super) number: usize,
    pub(super) ran: &'a Ran,
}

/// The text of a test file in which these tests expect what came, and the tests whose expectation is written
/// so that it cannot be replaced.
pub(super) fn updated(file: &YamlFile<TestFile>, tests: &[Changed<'_>]) -> (String, Vec<usize>) {
    let mut lines: Vec<String> = file.text().lines().map(str::to_owned).collect();
    let mut edits = Vec::new();
    let mut left = Vec::new();
    for changed in tests {
        let test = Test {
            file,
            lines: &lines,
            path: format!("tests[{}]", changed.number),
            expect: &file.value().tests[changed.number].expect,
            happened: &changed.ran.happened,
            differences: &changed.ran.differences,
        };
        match test.edits() {
            Some(found) => edits.extend(found),
            None => left.push(changed.number),
        }
    }
    // From the end, so that the lines before stay where they are.
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.from));
    for edit in edits {
        lines.splice(edit.from..edit.to, edit.lines);
    }
    (lines.join("\n") + "\n", left)
}

/// Lines that take the place of others.
struct Edit {
    from: usize,
    to: usize,
    lines: Vec<String>,
}

struct Test<'a> {
    file: &'a YamlFile<TestFile>,
    lines: &'a [String],
    path: String,
    expect: &'a Expect,
    happened: &'a Happened,
    differences: &'a [Difference],
}

impl Test<'_> {
    fn edits(&self) -> Option<Vec<Edit>> {
        let expect = format!("{}.expect", self.path);
        let is_there = self.file.has(&expect);
        if !is_there || (self.expect.is_empty() && self.happened.dead.is_empty()) {
            let first = self.first();
            return match (first == json!({}), is_there) {
                (true, _) => Some(Vec::new()),
                (false, true) => Some(vec![self.replace(&expect, "expect", &first)?]),
                (false, false) => Some(vec![self.append(&self.path, "expect", &first)?]),
            };
        }
        let now = self.now();
        let mut edits = Vec::new();
        for (section, name) in &self.differing() {
            let path = match name.as_str() {
                "" => format!("{expect}.{section}"),
                name => format!("{expect}.{section}.{name}"),
            };
            let (key, value) = match name.as_str() {
                "" => (section.as_str(), &now[section]),
                name => (name, &now[section][name]),
            };
            let edit = match self.file.has(&path) {
                true => self.replace(&path, key, value),
                false => self.append(&expect, key, value),
            };
            match edit {
                Some(edit) => edits.push(edit),
                // Written on one line with others: all of it is written anew.
                None => return Some(vec![self.replace(&expect, "expect", &now)?]),
            }
        }
        Some(edits)
    }

    /// Which lists differ: section and name, or a section and nothing for all of it.
    fn differing(&self) -> BTreeSet<(String, String)> {
        let mut items = BTreeSet::new();
        for section in sections(self.expect, self.happened) {
            for name in section.expected.into_iter().flat_map(IndexMap::keys) {
                let list = format!("{}.{name}", section.name);
                let below = format!("{list}[");
                let differs = |path: &str| *path == list || path.starts_with(&below);
                if self.differences.iter().any(|one| differs(&one.path)) {
                    items.insert((section.name.to_owned(), name.clone()));
                }
            }
        }
        if unnamed_messages(self.expect, self.happened)
            .next()
            .is_some()
        {
            items.retain(|(section, _)| section != "messages");
            items.insert(("messages".to_owned(), String::new()));
        }
        let dead = |path: &str| path == "dead" || path.starts_with("dead[");
        if self.differences.iter().any(|one| dead(&one.path)) {
            items.insert(("dead".to_owned(), String::new()));
        }
        items
    }

    /// The expectation as it should be.
    fn now(&self) -> Value {
        let none = Vec::new();
        let mut now = Map::new();
        for Section {
            name: section,
            expected,
            found,
        } in sections(self.expect, self.happened)
        {
            let Some(expected) = expected else { continue };
            let mut lists = Map::new();
            for (name, expected) in expected {
                let found = found.get(name).unwrap_or(&none);
                let list = match expected {
                    Listed::Count(_) => json!(found.len()),
                    Listed::All(expected) => again(section, expected, found),
                };
                lists.insert(name.clone(), list);
            }
            if section == "messages" {
                let unnamed = unnamed_messages(self.expect, self.happened);
                lists.extend(
                    unnamed.map(|(name, list)| (name.clone(), written(section, name, list))),
                );
            }
            if self.file.has(&format!("{}.expect.{section}", self.path)) {
                now.insert(section.to_owned(), lists.into());
            }
        }
        let dead = again("dead", &self.expect.dead, &self.happened.dead);
        if dead != json!([]) || self.file.has(&format!("{}.expect.dead", self.path)) {
            now.insert("dead".to_owned(), dead);
        }
        now.into()
    }

    /// Everything, for a test that expects nothing yet.
    fn first(&self) -> Value {
        let mut now = Map::new();
        for (section, lists) in [
            ("documents", &self.happened.documents),
            ("messages", &self.happened.messages),
        ] {
            let lists: Map<String, Value> = lists
                .iter()
                .map(|(name, list)| (name.clone(), written(section, name, list)))
                .collect();
            if !lists.is_empty() {
                now.insert(section.to_owned(), lists.into());
            }
        }
        if !self.happened.dead.is_empty() {
            let dead = written("dead", "", &self.happened.dead);
            now.insert("dead".to_owned(), dead);
        }
        now.into()
    }

    /// Where the key at `path` stands, if nothing but dashes stands before it on its line.
    fn start(&self, path: &str) -> Option<(usize, usize)> {
        let (line, column) = self.file.place_of(path);
        let (line, column) = (line - 1, column - 1);
        let before: String = self.lines.get(line)?.chars().take(column).collect();
        let alone = before.chars().all(|letter| letter == ' ' || letter == '-');
        alone.then_some((line, column))
    }

    fn replace(&self, path: &str, key: &str, value: &Value) -> Option<Edit> {
        let (from, column) = self.start(path)?;
        let mut lines = yaml::entry(key, value, column);
        // The dash of a list stays.
        lines[0].replace_range(..column, &self.lines[from][..column]);
        Some(Edit {
            from,
            to: self.end(from, column),
            lines,
        })
    }

    /// Behind everything that stands below `path`; nothing when that is not written line by line.
    fn append(&self, path: &str, key: &str, value: &Value) -> Option<Edit> {
        let (line, column) = self.start(path)?;
        let text: String = self.lines[line].chars().skip(column).collect();
        // An entry of a list begins with its first key.
        let is_entry = path.ends_with(']');
        let (end, indent) = match is_entry {
            true if text.starts_with('{') => return None,
            true => (self.end_of_entry(line, column), column),
            false => {
                let after = text.split_once(':')?.1.trim_start();
                if !after.is_empty() && !after.starts_with('#') {
                    return None;
                }
                (self.end(line, column), column + 2)
            }
        };
        Some(Edit {
            from: end,
            to: end,
            lines: yaml::entry(key, value, indent),
        })
    }

    /// The line behind the last one that belongs to the key at `line`.
    fn end(&self, line: usize, column: usize) -> usize {
        // A list may stand as far out as its key.
        self.end_while(line, |indent, text| {
            indent > column || (indent == column && text.starts_with("- "))
        })
    }

    /// The line behind the last one of an entry of a list, whose first key is at `column`.
    fn end_of_entry(&self, line: usize, column: usize) -> usize {
        self.end_while(line, |indent, _| indent >= column)
    }

    /// Blank lines and comments belong to what follows them.
    fn end_while(&self, line: usize, belongs: impl Fn(usize, &str) -> bool) -> usize {
        let mut end = line + 1;
        for (number, text) in self.lines.iter().enumerate().skip(line + 1) {
            let content = text.trim_start();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            if !belongs(text.len() - content.len(), content) {
                break;
            }
            end = number + 1;
        }
        end
    }
}

/// A list as it is now, with the fields that were named before.
fn again(section: &str, expected: &[Fields], found: &[Fields]) -> Value {
    let partners = partners(expected, found, kind_of(section));
    let known = expected
        .iter()
        .zip(&partners)
        .filter_map(|(expected, partner)| {
            let found = &found[(*partner)?];
            Some(named(section, expected, found))
        });
    let new = found
        .iter()
        .enumerate()
        .filter(|(number, _)| !partners.contains(&Some(*number)))
        .map(|(_, found)| worth_telling(section, found));
    known.chain(new).collect()
}

fn named(section: &str, expected: &Fields, found: &Fields) -> Value {
    let fields = expected.iter().map(|(name, wanted)| {
        let there = found.get(name).unwrap_or(&Value::Null);
        let value = match (wanted, there) {
            // As it was written.
            _ if same(wanted, there) || is_part_of_reason(section, name, wanted, there) => {
                wanted.clone()
            }
            (Value::Object(wanted), Value::Object(there)) => named(section, wanted, there),
            _ => there.clone(),
        };
        (name.clone(), value)
    });
    fields.collect::<Map<String, Value>>().into()
}

/// A list for a test that expects nothing yet; of a long one nobody wants to read more than how long it is.
fn written(section: &str, name: &str, list: &[Fields]) -> Value {
    const LONGEST: usize = 10;
    if list.len() > LONGEST {
        return json!(list.len());
    }
    let entries = list.iter().map(|found| {
        let mut told = found.clone();
        if told.get("_index").is_some_and(|index| index == name) {
            told.shift_remove("_index");
        }
        worth_telling(section, &told)
    });
    entries.collect()
}

fn worth_telling(section: &str, found: &Fields) -> Value {
    let untold = untold(section);
    let told = found
        .iter()
        .filter(|(name, value)| !untold.contains(&name.as_str()) && !value.is_null());
    let told: Fields = told
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    told.into()
}
