//! From sections to the checked [`Pipeline`]: names are looked up, plugins check their settings, the
//! wiring is judged.

mod interface;
mod names;
mod pool;
mod step;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use self::names::Names;
use super::plugins::Plugins;
use super::report::{At, Pin, Reports, SourceFile};
use super::sections::Sections;
use super::text::OutsideText;
use super::wiring::{self, Known, Subject};
use super::{Interface, Outside, Pipeline, Pool, models, order};

/// Builds one pipeline.
pub(super) struct Builder<'a> {
    name: String,
    base: PathBuf,
    files: &'a [SourceFile],
    reports: &'a mut Reports,
    lenient: bool,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        name: String,
        base: PathBuf,
        files: &'a [SourceFile],
        reports: &'a mut Reports,
    ) -> Self {
        Self {
            name,
            base,
            files,
            reports,
            lenient: false,
        }
    }

    /// The pipeline runs elsewhere as it is: doubts about its wiring are warnings, and what crosses its
    /// border is taken to be meant so.
    pub(super) fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// What is wrong goes to the reports; the pipeline is whole only if there is no error among them.
    pub(super) fn build(self, sections: Sections) -> Pipeline {
        let (models, mut broken_models) = models::build(&sections.models, self.reports);
        broken_models.extend(sections.broken_models);
        let models_known = broken_models.is_empty() && !(sections.incomplete && models.is_empty());
        let mut names = Names {
            plugins: Plugins::new(self.files, self.base, models_known.then_some(&models)),
            models: &models,
            broken_models: &broken_models,
            defaults: BTreeMap::new(),
            taken: BTreeMap::new(),
            queues: BTreeMap::new(),
            producers_unknown: false,
            lenient: self.lenient,
            origins: Origins::default(),
            reports: self.reports,
        };
        order::check(&sections.interfaces, !sections.incomplete, names.reports);
        names.engine_defaults(sections.engine_defaults);
        let mut interfaces: Vec<Interface> = Vec::new();
        for entry in sections.interfaces {
            let index = interfaces.len();
            let interface = names.interface(entry, index);
            names.producers_unknown |= interface.is_none();
            interfaces.extend(interface);
        }
        let pools = sections.pools.into_iter().enumerate();
        let pools: Vec<Pool> = pools
            .map(|(index, entry)| names.pool(entry, index))
            .collect();
        let mut outside = Outside::default();
        for entry in sections.outside {
            names.origins.outside(
                &entry.at,
                outside.consumed.len(),
                outside.fed.len(),
                &entry.text,
            );
            outside.consumed.extend(entry.text.consumed);
            outside.fed.extend(entry.text.fed);
        }
        let Names {
            origins,
            producers_unknown,
            ..
        } = names;
        let mut pipeline = Pipeline {
            name: self.name,
            models,
            interfaces,
            pools,
            outside,
        };
        let known = Known {
            producers: !sections.incomplete && !producers_unknown,
            consumers: !sections.incomplete,
        };
        for finding in wiring::judge(&pipeline, known) {
            if let Some(at) = origins.of(&finding.subject) {
                let report = match finding.refuses && !self.lenient {
                    true => Reports::error,
                    false => Reports::warning,
                };
                report(self.reports, at, Pin::Value, finding.message, finding.hint);
            }
        }
        if self.lenient {
            let ends = wiring::loose_ends(&pipeline, known);
            pipeline.outside.consumed.extend(ends.consumed);
            pipeline.outside.fed.extend(ends.fed);
        }
        pipeline
    }
}

/// Where the parts of the pipeline stand.
#[derive(Default)]
struct Origins(HashMap<Subject, At>);

impl Origins {
    fn add(&mut self, subject: Subject, at: At) {
        self.0.insert(subject, at);
    }

    fn of(&self, subject: &Subject) -> Option<&At> {
        self.0.get(subject)
    }

    fn outside(&mut self, at: &At, consumed: usize, fed: usize, text: &OutsideText) {
        for index in 0..text.consumed.len() {
            self.add(
                Subject::Consumed(consumed + index),
                at.below("consumed").item(index),
            );
        }
        for index in 0..text.fed.len() {
            self.add(Subject::Fed(fed + index), at.below("fed").item(index));
        }
    }
}
