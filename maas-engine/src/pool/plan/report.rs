//! From what came of the documents to what is announced.

use std::collections::HashMap;

use indexmap::IndexMap;
use maas_model::document::{DocumentId, IndexName};
use maas_model::message::RoutingKey;

use super::{Key, Plan};
use crate::engine::{Announcement, ReportOrder};
use crate::report::{Action, Report, Reports};

impl Plan {
    /// Hands what is to be announced to `reports`.
    pub(crate) fn report(&self, chunk_size: usize, reports: &mut Reports) {
        if self.order == ReportOrder::NoticesFirst {
            self.report_notices(reports);
        }
        self.report_writes(chunk_size, reports);
        if self.order == ReportOrder::WritesFirst {
            self.report_notices(reports);
        }
    }

    fn report_writes(&self, chunk_size: usize, reports: &mut Reports) {
        let mut groups: IndexMap<(Action, &Announcement), Vec<&Key>> = IndexMap::new();
        for (key, entry) in &self.entries {
            if let (Some(report), Some(action)) = (&entry.report, entry.announced()) {
                groups.entry((action, report)).or_default().push(key);
            }
        }
        for ((action, report), keys) in groups {
            let routing_key = format!("{}.{}", action.word(), report.subject);
            match RoutingKey::new(routing_key) {
                Ok(routing_key) => reports.add(Report {
                    routing_key,
                    document_class: report.document_class.clone(),
                    ids: keys.iter().map(|(_, id)| id.clone()).collect(),
                    indices: keys.iter().map(|(index, _)| index.clone()).collect(),
                    chunk_size,
                }),
                Err(error) => tracing::error!(%error, "documents cannot be announced"),
            }
        }
    }

    fn report_notices(&self, reports: &mut Reports) {
        let announced = self.by_id(|entry| entry.announced().is_some());
        let indices: HashMap<&DocumentId, &IndexName> =
            self.entries.keys().map(|(index, id)| (id, index)).collect();
        for notice in &self.notices {
            let ids = self.named(notice, &announced);
            let of_ids = ids.iter().filter_map(|id| indices.get(id).copied());
            reports.add(Report {
                routing_key: notice.routing_key.clone(),
                document_class: notice.document_class.clone(),
                indices: of_ids.chain(&notice.indices).cloned().collect(),
                ids,
                chunk_size: notice.chunk_size,
            });
        }
    }
}
