//! From sections to the checked [`Pipeline`]: names are looked up, plugins check their settings, the
//! wiring is judged.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::flow::QueueRef;
use super::plugins::{Found, Plugins, Settings};
use super::report::{At, Pin, Reports, SourceFile};
use super::sections::{Entry, Sections};
use super::text::{
    AnnounceText, IdText, InterfaceText, PluginText, PoolText, QueueText, STEP_KEYS, StepMap,
    StepText, StoreText,
};
use super::wiring::{self, Known, Subject};
use super::{
    Announce, EngineStep, Interface, Outside, Pipeline, PluginUse, Pool, Queue, StoreSpec, models,
    order, records,
};
use crate::document::IdFields;
use crate::message::{Binding, QueueName};
use crate::model::{Model, Models};
use crate::plugin::{self, nearest, suggestion};

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

    fn outside(&mut self, at: &At, consumed: usize, fed: usize, text: &super::text::OutsideText) {
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

/// What names mean while the pipeline is built.
struct Names<'a, 'r> {
    plugins: Plugins<'a>,
    models: &'a Models,
    broken_models: &'a [String],
    /// Of each engine, with the place of the section that has them.
    defaults: BTreeMap<String, Settings>,
    /// Interfaces and pools: the owners of dead letters share one space of names.
    taken: BTreeMap<String, &'static str>,
    /// Which pool has a queue.
    queues: BTreeMap<QueueName, String>,
    /// What some interface or engine publishes is not known.
    producers_unknown: bool,
    /// See [`Builder::lenient`].
    lenient: bool,
    origins: Origins,
    reports: &'r mut Reports,
}

impl Names<'_, '_> {
    fn error(&mut self, at: &At, pin: Pin, message: impl Into<String>, hint: Option<String>) {
        self.reports.error(at, pin, message, hint);
    }

    fn take_name(&mut self, what: &'static str, name: &str, at: &At) {
        if let Some(owner) = self.taken.insert(name.to_owned(), what) {
            let message = if owner == what {
                format!("there are two {what}s `{name}`")
            } else {
                format!("`{name}` is the name of an {owner} and of a {what}")
            };
            let hint = Some("dead letters go by the names of interfaces and pools".to_owned());
            self.error(&at.below("name"), Pin::Value, message, hint);
        }
    }

    fn engine_defaults(&mut self, sections: Vec<(String, Entry<Map<String, Value>>)>) {
        for (name, Entry { at, text, .. }) in sections {
            let value = Value::Object(text);
            let settings = match self.plugins.find("engine", &name, &at, self.reports) {
                Some(Found::Linked(info)) => {
                    let settings = self
                        .plugins
                        .settings(info, at.clone(), &value, self.reports);
                    self.plugins.check_defaults(info, &settings, self.reports);
                    settings
                }
                Some(Found::Missing) => Settings {
                    at: at.clone(),
                    value,
                },
                None => continue,
            };
            if self.defaults.insert(name.clone(), settings).is_some() {
                let hint = Some("write them in one place".to_owned());
                self.error(
                    &at,
                    Pin::Key,
                    format!("`{name}` has defaults already"),
                    hint,
                );
            }
        }
    }

    fn interface(&mut self, entry: Entry<InterfaceText>, index: usize) -> Option<Interface> {
        let Entry { at, text, .. } = entry;
        self.take_name("interface", &text.name, &at);
        let collect = self.plugin("collector", &text.collect, &at.below("collect"));
        let extract = text
            .extract
            .as_ref()
            .map(|extract| self.plugin("extractor", extract, &at.below("extract")));
        let store = text
            .store
            .as_ref()
            .map(|store| self.store(store, &at.below("store")));
        self.parts_fit(&text, &at);
        let model = store
            .as_ref()
            .and_then(|store| store.as_ref())
            .map(|store| Arc::clone(&store.model));
        if let Some(model) = &model {
            let at = at.below("store_meta");
            for (index, field) in text.store_meta.iter().enumerate() {
                self.field(model, field, &at.item(index));
            }
        }
        let interface = Interface {
            name: text.name,
            after: text.after,
            collect: collect?,
            extract: match extract {
                Some(extract) => Some(extract?),
                None => None,
            },
            store: match store {
                Some(store) => Some(store?),
                None => None,
            },
            announce: announce(text.announce),
            store_meta: text.store_meta,
        };
        records::check(&interface, &at, self.reports);
        self.origins.add(
            Subject::Documents(index),
            at.below("announce").below("documents"),
        );
        self.origins
            .add(Subject::Files(index), at.below("announce").below("files"));
        Some(interface)
    }

    fn parts_fit(&mut self, text: &InterfaceText, at: &At) {
        if text.extract.is_some() && text.store.is_none() {
            let hint = Some(
                "say with `store: { model: ..., id: ... }` what the records become".to_owned(),
            );
            self.error(at, Pin::Value, "`extract` without `store`", hint);
        }
        if text.store.is_some() && text.extract.is_none() {
            let hint = Some("say with `extract` how files become records".to_owned());
            self.error(
                &at.below("store"),
                Pin::Key,
                "`store` without `extract`",
                hint,
            );
        }
        if text.announce.documents.is_some() && text.store.is_none() {
            let hint =
                Some("without `store` there are only files to announce: `files: KEY`".to_owned());
            let at = at.below("announce").below("documents");
            self.error(&at, Pin::Key, "no documents to announce", hint);
        }
    }

    fn store(&mut self, text: &StoreText, at: &At) -> Option<StoreSpec> {
        let Some(model) = self.models.get(&text.model) else {
            if !self.broken_models.contains(&text.model) {
                let hint = suggestion(&text.model, self.models.keys().map(String::as_str))
                    .or_else(|| Some("describe it under `models`".to_owned()));
                let message = format!("unknown model `{}`", text.model);
                self.error(&at.below("model"), Pin::Value, message, hint);
            }
            return None;
        };
        let at = at.below("id");
        let id = match &text.id {
            IdText::Field(field) => {
                self.field(model, field, &at);
                IdFields::Field(field.clone())
            }
            IdText::Digest(fields) => {
                for (index, field) in fields.iter().enumerate() {
                    self.field(model, field, &at.item(index));
                }
                IdFields::Digest(fields.clone())
            }
        };
        Some(StoreSpec {
            model: Arc::clone(model),
            id,
        })
    }

    fn field(&mut self, model: &Model, field: &str, at: &At) {
        if !model.fields.contains_key(field) {
            let hint = suggestion(field, model.fields.keys().map(String::as_str));
            let message = format!("`{}` has no field `{field}`", model.name);
            self.error(at, Pin::Value, message, hint);
        }
    }

    fn plugin(&mut self, kind: &str, text: &PluginText, at: &At) -> Option<PluginUse> {
        // More than one was told when the section was read.
        let (name, value) = text.0.first()?;
        let at = at.below(name);
        match self.plugins.find(kind, name, &at, self.reports)? {
            Found::Linked(info) => {
                let settings = self.plugins.settings(info, at, value, self.reports);
                self.plugins.check(info, &settings, None, self.reports)
            }
            Found::Missing => {
                let settings = Settings {
                    at,
                    value: value.clone(),
                };
                Some(self.plugins.unchecked(name, &settings, None, self.reports))
            }
        }
    }

    fn pool(&mut self, entry: Entry<PoolText>, pool: usize) -> Pool {
        let Entry { at, text, .. } = entry;
        self.take_name("pool", &text.name, &at);
        let fetched = u16::try_from(text.concurrency).unwrap_or(u16::MAX);
        if text.prefetch.is_some_and(|prefetch| prefetch < fetched) {
            let hint = Some(format!("at least `concurrency`: {fetched}"));
            let message = "fewer messages are fetched than worked on";
            self.error(&at.below("prefetch"), Pin::Value, message, hint);
        }
        let mut bound = HashMap::new();
        let queues_at = at.below("queues");
        let mut queues: Vec<Queue> = Vec::new();
        for (index, queue) in text.queues.iter().enumerate() {
            let at = queues_at.item(index);
            self.queue_name(queue, &text.name, &at);
            queues.push(self.queue(queue, &at, &mut bound, QueueRef { pool, queue: index }));
        }
        Pool {
            name: text.name,
            concurrency: text.concurrency,
            prefetch: text.prefetch.unwrap_or(fetched.max(16)),
            queues,
            report_exchange: text.report_exchange,
            max_tries: text.max_tries,
            engine_timeout_seconds: text.engine_timeout_seconds,
        }
    }

    fn queue_name(&mut self, text: &QueueText, pool: &str, at: &At) {
        if let Some(other) = self.queues.insert(text.name.clone(), pool.to_owned()) {
            let message = format!("pool `{other}` has a queue `{}` already", text.name);
            let hint =
                "two workers on one queue would share its messages: give it a name of its own";
            self.error(
                &at.below("name"),
                Pin::Value,
                message,
                Some(hint.to_owned()),
            );
        }
    }

    /// `bound`: what the queues of this pool before it take.
    fn queue(
        &mut self,
        text: &QueueText,
        at: &At,
        bound: &mut HashMap<Binding, QueueName>,
        queue: QueueRef,
    ) -> Queue {
        self.origins.add(Subject::Queue(queue), at.below("name"));
        let mut bindings = Vec::new();
        for (exchange, patterns) in &text.from {
            for (index, pattern) in patterns.iter().enumerate() {
                let at = at.below("from").below(exchange.as_str()).item(index);
                let binding = Binding {
                    exchange: exchange.clone(),
                    pattern: pattern.clone(),
                };
                if let Some(other) = bound.insert(binding.clone(), text.name.clone()) {
                    // Of old files this was told already.
                    if !self.lenient {
                        let message =
                            format!("queue `{other}` of this pool takes `{pattern}` already");
                        let hint = Some("put the engines of both into one queue".to_owned());
                        self.error(&at, Pin::Value, message, hint);
                    }
                }
                self.origins
                    .add(Subject::Binding(queue, bindings.len()), at);
                bindings.push(binding);
            }
        }
        let steps_at = at.below("engines");
        let mut engines = Vec::new();
        for (index, step) in text.engines.iter().enumerate() {
            let at = steps_at.item(index);
            match self.step(step, &at) {
                Some(step) => {
                    self.origins.add(Subject::Step(queue, engines.len()), at);
                    engines.push(step);
                }
                None => self.producers_unknown = true,
            }
        }
        Queue {
            name: text.name.clone(),
            kind: text.kind,
            bindings,
            engines,
        }
    }

    fn step(&mut self, text: &StepText, at: &At) -> Option<EngineStep> {
        let plain = StepMap::default();
        let (name, value, step, engine_at) = match text {
            StepText::Name(name) => (name.as_str(), &Value::Null, &plain, at.clone()),
            StepText::Settings(step) => {
                let (name, value) = self.engine_of(step, at)?;
                (name, value, step, at.below(name))
            }
        };
        let found = self
            .plugins
            .find("engine", name, &engine_at, self.reports)?;
        let defaults = self.defaults.get(name);
        let engine = match found {
            Found::Linked(info) => {
                let settings = self.plugins.settings(info, engine_at, value, self.reports);
                self.plugins
                    .check(info, &settings, defaults, self.reports)?
            }
            Found::Missing => {
                let value = value.clone();
                let settings = Settings {
                    at: engine_at,
                    value,
                };
                self.plugins
                    .unchecked(name, &settings, defaults, self.reports)
            }
        };
        Some(EngineStep {
            engine,
            send_reports: step.report.unwrap_or(true),
            chunk_size: step.chunk_size.unwrap_or(0),
            force: step.force.unwrap_or(false),
            missing: step.missing.unwrap_or_default(),
        })
    }

    /// The one key of a step that names an engine.
    fn engine_of<'t>(&mut self, step: &'t StepMap, at: &At) -> Option<(&'t str, &'t Value)> {
        let known = |name: &str| plugin::find("engine", name).is_some();
        let mut engines: Vec<(&String, &Value)> = step.engine.iter().collect();
        if engines.len() > 1 {
            // Wrong step keys stand beside the engine: tell them apart by what they resemble.
            let wrong = |name: &str| !known(name) && nearest(name, STEP_KEYS).is_some();
            let single = engines.iter().filter(|(name, _)| known(name)).count() == 1;
            for (name, _) in engines
                .iter()
                .filter(|(name, _)| wrong(name) || single && !known(name))
            {
                let hint = suggestion(name, STEP_KEYS);
                self.error(
                    &at.below(name),
                    Pin::Key,
                    format!("unknown key `{name}`"),
                    hint,
                );
            }
            engines.retain(|(name, _)| !wrong(name) && (!single || known(name)));
        }
        match engines.as_slice() {
            [(name, value)] => Some((name.as_str(), *value)),
            [] => {
                let hint = "`- ENGINE: { setting: value }`, and beside it `report`, `chunk_size`, `force`, `missing`";
                self.error(at, Pin::Value, "no engine is named", Some(hint.to_owned()));
                None
            }
            [_, (second, _), ..] => {
                let hint =
                    Some("each engine is an entry of its own: start it with `- `".to_owned());
                self.error(
                    &at.below(second),
                    Pin::Key,
                    "two engines in one entry",
                    hint,
                );
                None
            }
        }
    }
}

fn announce(text: AnnounceText) -> Announce {
    Announce {
        exchange: Some(text.exchange),
        documents: text.documents,
        files: text.files,
        chunk_size: text.chunk_size,
        priority: text.priority,
        collector_name: text.collector_name,
    }
}
