//! What workers left to be announced by others.

use maas_model::store::memory::Documents;

use super::{CLASSES, Oracle};

/// What workers that had a message before left to be announced.
#[derive(Debug, Default)]
pub struct Debts {
    since: u64,
    documents: Vec<(String, String)>,
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
    pub fn debts(&self, documents: &Documents, message_id: &str) -> Debts {
        let intents = documents.all().filter(|(index, _, intent)| {
            let of = intent.get("message_id").and_then(|id| id.as_str());
            index.as_str() == "maas-intents" && of == Some(message_id)
        });
        let planned = intents.filter_map(|(_, _, intent)| intent.get("plan")?.get("documents"));
        let planned = planned.filter_map(|planned| planned.as_array()).flatten();
        Debts {
            since: self.moment,
            documents: planned.filter_map(planned_key).collect(),
        }
    }

    /// A worker acknowledged a message that others had begun: it announced what they owed, unless one of them
    /// did so meanwhile, as `left` tells.
    pub fn paid(&mut self, debts: &Debts, left: &Debts) {
        let owed = debts.documents.iter();
        for (class, id) in owed.filter(|owed| left.documents.contains(owed)) {
            let known = CLASSES.iter().find(|(_, known)| known == class);
            let there =
                known.is_some_and(|(_, class)| self.created.contains_key(&(*class, id.clone())));
            let announced = self.announced.get(&(class.clone(), id.clone()));
            if there && announced.is_none_or(|announced| *announced <= debts.since) {
                self.breaks(format!("{class} {id} was owed and is not announced"));
            }
        }
    }
}

fn planned_key(planned: &serde_json::Value) -> Option<(String, String)> {
    let text = |field| Some(planned.get(field)?.as_str()?.to_owned());
    Some((text("class")?, text("id")?))
}
