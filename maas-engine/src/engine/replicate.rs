//! `CONSOLIDATE_REPLICATE`: copies documents into another model under the same ids.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use maas_model::document::{Document, DocumentId, parse_date_text};
use maas_model::model::Model;
use maas_model::plugin::{self, Emission, EmitContext, SettingError, Settings};
use schemars::JsonSchema;
use serde::Deserialize;

use super::consolidate::{Consolidate, Consolidator, Effect, Problem};
use super::{
    Announcement, Batch, BuildContext, BuildError, Engine, EngineConfig, EngineContext,
    EngineError, EnginePlugin,
};

/// Copies documents into another model, under the same ids: every field that the model of the message
/// declares, but for the excluded ones. Fields of the target that are not copied stay as they are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplicateConfig {
    /// Model of the copies.
    target_model: String,
    /// Fields that are not copied. `ingestionTime` is one of them unless it is included. At least one
    /// model of the pipeline must declare them: no others would be copied anyway.
    #[serde(default)]
    exclude_fields: Option<Vec<String>>,
    /// Fields that are copied although they are excluded or not declared; a document without one of
    /// them cannot be copied. Any name may stand here: what is not declared may be there all the same.
    #[serde(default)]
    include_fields: Option<Vec<String>>,
    /// Copies whose partition date is earlier are not written.
    #[serde(default)]
    min_doi: Option<String>,
}

/// The moment a document was collected says nothing of its copy.
const NEVER_COPIED: &str = "ingestionTime";

impl Settings for ReplicateConfig {
    const NAME: &'static str = "CONSOLIDATE_REPLICATE";
    const EXAMPLE: &'static str = "{ target_model: CdsTicket, exclude_fields: [reportName] }";

    fn check(&self) -> Vec<SettingError> {
        let date = self.min_doi.as_deref().map(parse_date_text);
        let error = date.and_then(Result::err);
        error
            .map(|error| SettingError::new("min_doi", error.to_string()))
            .into_iter()
            .collect()
    }
}

impl EngineConfig for ReplicateConfig {
    fn check_in(&self, cx: &BuildContext<'_>) -> Vec<SettingError> {
        let mut errors = Vec::new();
        errors.extend(cx.model("target_model", &self.target_model).err());
        // Which model is copied only the messages tell.
        let declared = || cx.models.values().flat_map(|model| model.fields.keys());
        let excluded = self.exclude_fields.iter().flatten().enumerate();
        for (index, field) in excluded.filter(|(_, field)| !declared().any(|known| known == *field))
        {
            let error = SettingError::new(
                format!("exclude_fields[{index}]"),
                format!("no model has a field `{field}`"),
            );
            let near = plugin::nearest(field, declared().map(String::as_str));
            errors.push(match near {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("only declared fields are copied: leave it out"),
            });
        }
        errors
    }

    fn build(self, cx: &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError> {
        let target = Arc::clone(cx.model("target_model", &self.target_model)?);
        let included = self.include_fields.unwrap_or_default();
        let mut excluded: HashSet<String> = self
            .exclude_fields
            .unwrap_or_default()
            .into_iter()
            .collect();
        excluded.insert(NEVER_COPIED.to_owned());
        Ok(Box::new(Consolidator(Replicate {
            announcement: announcement(&target),
            target,
            excluded,
            included,
            min_date: self.min_doi.and_then(|date| parse_date_text(&date).ok()),
        })))
    }

    fn emits(&self, cx: &EmitContext<'_>) -> Vec<Emission> {
        let Some(target) = cx.models.get(&self.target_model) else {
            return Vec::new();
        };
        let Announcement {
            subject,
            document_class,
        } = announcement(target);
        // An alias is always a subject.
        Emission::of_writes(&subject, &document_class).unwrap_or_default()
    }
}

inventory::submit! {
    EnginePlugin::of::<ReplicateConfig>(module_path!()).version(env!("CARGO_PKG_VERSION"))
}

fn announcement(target: &Model) -> Announcement {
    Announcement {
        subject: target.alias.to_string(),
        document_class: target.name.clone(),
    }
}

#[derive(Debug)]
struct Replicate {
    target: Arc<Model>,
    announcement: Announcement,
    excluded: HashSet<String>,
    included: Vec<String>,
    min_date: Option<DateTime<Utc>>,
}

#[async_trait]
impl Consolidate for Replicate {
    /// The model of the raw documents.
    type Run = Arc<Model>;

    fn target(&self) -> &Arc<Model> {
        &self.target
    }

    async fn begin(
        &self,
        batch: &Batch,
        _raws: &[Arc<Document>],
        cx: &mut EngineContext<'_>,
    ) -> Result<Self::Run, EngineError> {
        cx.model(&batch.message.document_class).cloned()
    }

    fn id(&self, _run: &Self::Run, raw: &Document) -> Result<DocumentId, Problem> {
        Ok(raw.id.clone())
    }

    fn consolidate(
        &self,
        run: &mut Self::Run,
        raw: &Document,
        document: &mut Document,
    ) -> Result<Effect, Problem> {
        let wanted = |field: &&String| !self.excluded.contains(*field);
        for field in run.fields.keys().filter(wanted) {
            document.set(field, raw.source.get(field).cloned());
        }
        for field in &self.included {
            let value = raw.source.get(field);
            if value.is_none() && !run.declares(field) {
                return Err(Problem(format!(
                    "it has no field `{field}`, which is to be included"
                )));
            }
            document.set(field, value.cloned());
        }
        Ok(Effect::Consolidated)
    }

    fn min_date(&self) -> Option<DateTime<Utc>> {
        self.min_date
    }

    fn announce(&self, _run: &Self::Run, _document: &Document) -> Option<Announcement> {
        Some(self.announcement.clone())
    }
}
