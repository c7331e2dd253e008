//! Reports per mission: `new.cds-product-s1`, class `CdsProductS1`.

use maas_engine::engine::Announcement;
use maas_model::document::Document;
use maas_model::model::{Model, Models};
use maas_model::plugin::Emission;

use crate::model::Consolidated;

/// The missions that are monitored.
const MISSIONS: [&str; 4] = ["S1", "S2", "S3", "S5"];

/// How a document of `model` is announced: under its mission, and as the class of its mission where the
/// pipeline has one. Without mission it is not announced.
pub(super) fn mission_report(
    model: &Model,
    models: &Models,
    document: &Document,
) -> Option<Announcement> {
    Some(announcement(
        model,
        models,
        Consolidated::new(document).mission()?,
    ))
}

fn announcement(model: &Model, models: &Models, mission: &str) -> Announcement {
    let class = format!("{}{}", model.name, mission.to_uppercase());
    Announcement {
        subject: format!("{}-{}", model.alias, mission.to_lowercase()),
        document_class: if models.contains_key(&class) {
            class
        } else {
            model.name.clone()
        },
    }
}

/// What an engine that writes documents of this model may announce.
pub(in crate::engine) fn emissions_of(class: &str, models: &Models) -> Vec<Emission> {
    let Some(model) = models.get(class) else {
        return Vec::new();
    };
    let emissions = MISSIONS.into_iter().filter_map(|mission| {
        let report = announcement(model, models, mission);
        Emission::of_writes(&report.subject, &report.document_class).ok()
    });
    emissions.flatten().collect()
}
