//! What workers left to be announced by others.

use maas_model::document::DocumentId;
use maas_model::message::Message;
use maas_model::store::memory::Documents;
use serde_json::Value;

use super::{CLASSES, Oracle};

/// What workers that had a message before left to be announced.
#[derive(Debug, Default)]
pub struct Debts {
    since: u64,
    /// By the intent that names them.
    documents: Vec<(DocumentId, (String, String))>,
}

impl Oracle {
    /// Learns what workers have yet to announce.
    pub fn intents(&mut self, documents: &Documents) {
        let intents = documents.all();
        let intents = intents.filter(|(index, ..)| index.as_str() == "maas-intents");
        let planned = intents.filter_map(|(_, _, intent)| intent.get("plan")?.get("documents"));
        let planned = planned.filter_map(|planned| planned.as_array()).flatten();
        self.owed = planned.filter_map(planned_key).collect();
    }

    /// What earlier workers of this message left to be announced, and when it was looked up.
    pub fn debts(&self, documents: &Documents, message_id: &str, body: &[u8]) -> Debts {
        let ids = Message::parse(body).map(|message| message.document_ids);
        let ids = &ids.unwrap_or_default();
        let intents = documents.all().filter(|(index, _, intent)| {
            let of = intent.get("message_id").and_then(|id| id.as_str());
            index.as_str() == "maas-intents" && of == Some(message_id)
        });
        let owed = intents.filter_map(|(_, id, intent)| {
            let plan = intent.get("plan")?;
            let of_whole = plan.get("of_whole").and_then(Value::as_bool) == Some(true);
            let planned = plan.get("documents")?.as_array()?.iter();
            let planned = planned.filter_map(planned_key);
            let planned = planned.filter(move |owed| !of_whole || self.follows(owed, ids));
            Some(planned.map(|owed| (id.clone(), owed)))
        });
        Debts {
            since: self.moment,
            documents: owed.flatten().collect(),
        }
    }

    /// Whether a message with these documents leads to this one: what a message that was cut owed is announced
    /// by those of its parts that lead to it.
    fn follows(&self, (class, owed): &(String, String), ids: &[DocumentId]) -> bool {
        let mut ids = ids.iter().map(DocumentId::as_str);
        match class.as_str() {
            "Station" | "Summary" => ids.any(|id| self.station_of.get(id) == Some(owed)),
            _ => ids.any(|id| id == owed),
        }
    }

    /// A worker acknowledged a message that others had begun: it announced what they owed, unless one of them
    /// did so meanwhile, as `left` tells.
    pub fn paid(&mut self, debts: &Debts, left: &Debts) {
        let owed = debts.documents.iter();
        let removed = |intent| self.forgotten.get(intent).copied().unwrap_or_default();
        let owed = owed.filter(|owed| left.documents.contains(owed));
        // Who cuts a message again makes an intent anew that somebody has removed meanwhile.
        let owed = owed.filter(|(intent, _)| removed(intent) <= debts.since);
        let mut unpaid = Vec::new();
        for (_, (class, id)) in owed {
            let known = CLASSES.iter().find(|(_, known)| known == class);
            let there =
                known.is_some_and(|(_, class)| self.created.contains_key(&(*class, id.clone())));
            let announced = self.announced.get(&(class.clone(), id.clone()));
            if there && announced.is_none_or(|announced| *announced <= debts.since) {
                unpaid.push(format!("{class} {id} was owed and is not announced"));
            }
        }
        for what in unpaid {
            self.breaks(what);
        }
    }
}

fn planned_key(planned: &serde_json::Value) -> Option<(String, String)> {
    let text = |field| Some(planned.get(field)?.as_str()?.to_owned());
    Some((text("class")?, text("id")?))
}
