//! One interface: what it collects, how records become documents, what is announced.

use std::sync::Arc;

use super::names::Names;
use crate::document::IdFields;
use crate::pipeline::report::{At, Pin};
use crate::pipeline::sections::Entry;
use crate::pipeline::text::{AnnounceText, IdText, InterfaceText, StoreText};
use crate::pipeline::wiring::Subject;
use crate::pipeline::{Announce, Interface, StoreSpec, records};
use crate::plugin::suggestion;

impl Names<'_, '_> {
    pub(super) fn interface(
        &mut self,
        entry: Entry<InterfaceText>,
        index: usize,
    ) -> Option<Interface> {
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
            self.reports
                .error(at, Pin::Value, "`extract` without `store`", hint);
        }
        if text.store.is_some() && text.extract.is_none() {
            let hint = Some("say with `extract` how files become records".to_owned());
            self.reports.error(
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
            self.reports
                .error(&at, Pin::Key, "no documents to announce", hint);
        }
    }

    fn store(&mut self, text: &StoreText, at: &At) -> Option<StoreSpec> {
        let Some(model) = self.models.get(&text.model) else {
            if !self.broken_models.contains(&text.model) {
                let hint = suggestion(&text.model, self.models.keys().map(String::as_str))
                    .or_else(|| Some("describe it under `models`".to_owned()));
                let message = format!("unknown model `{}`", text.model);
                self.reports
                    .error(&at.below("model"), Pin::Value, message, hint);
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
