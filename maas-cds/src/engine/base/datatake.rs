//! Gives consolidated documents what their datatakes tell, with reads grouped over all of them.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use futures_util::future::try_join_all;
use maas_engine::engine::consolidate::Draft;
use maas_engine::engine::{EngineContext, EngineError};
use maas_model::document::{Document, DocumentId, IndexName, zulu};
use maas_model::store::{Query, Search};

use crate::model::{CdsDatatake, Consolidated, MISSING_DATATAKE, Span, attach, nearest};

/// How far sensing may be outside the datatake it belongs to (Sentinel-2).
const TOLERANCE: TimeDelta = TimeDelta::seconds(15);

/// Datatakes are searched a little beyond, so that the nearest one is among those found.
const SEARCH_MARGIN: TimeDelta = TimeDelta::seconds(30);

/// Spans in one search: enough for a message, few enough for any store.
const SPANS_PER_SEARCH: usize = 100;

/// Attaches the documents of Sentinel-1 and 2 to the datatakes of `index`: one read by ids for
/// Sentinel-1, one search per [`SPANS_PER_SEARCH`] spans for Sentinel-2.
pub(super) async fn attach_datatakes(
    drafts: &mut [Draft],
    index: &IndexName,
    cx: &EngineContext<'_>,
) -> Result<(), EngineError> {
    attach_by_id(drafts, index, cx).await?;
    attach_by_sensing(drafts, index, cx).await
}

async fn attach_by_id(
    drafts: &mut [Draft],
    index: &IndexName,
    cx: &EngineContext<'_>,
) -> Result<(), EngineError> {
    let mut wanted: Vec<DocumentId> = drafts
        .iter()
        .filter_map(|draft| datatake_id(&draft.document))
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let found = cx.get_many(index, &wanted).await?;
    let known: HashMap<DocumentId, Document> = wanted
        .into_iter()
        .zip(found)
        .filter_map(|(id, datatake)| Some((id, datatake?)))
        .collect();
    for draft in drafts {
        if let Some(datatake) = datatake_id(&draft.document).and_then(|id| known.get(&id)) {
            attach(&mut draft.document, datatake);
        }
    }
    Ok(())
}

/// The datatake of a Sentinel-1 document, from what its name told.
fn datatake_id(document: &Document) -> Option<DocumentId> {
    let view = Consolidated::new(document);
    if view.mission() != Some("S1") || view.product_type() == Some("AMALFI_REPORT") {
        return None;
    }
    let id = view.datatake_id().filter(|id| *id != MISSING_DATATAKE)?;
    DocumentId::new(format!("{}-{id}", view.satellite_unit()?)).ok()
}

async fn attach_by_sensing(
    drafts: &mut [Draft],
    index: &IndexName,
    cx: &EngineContext<'_>,
) -> Result<(), EngineError> {
    let mut spans: BTreeMap<String, Vec<Span>> = BTreeMap::new();
    for draft in &*drafts {
        if let Some((satellite, sensing)) = sensing(&draft.document) {
            let widened = sensing.widened(TOLERANCE);
            spans.entry(satellite.to_owned()).or_default().push(widened);
        }
    }
    let queries: Vec<Query> = spans
        .into_iter()
        .flat_map(|(satellite, spans)| {
            let joined = Span::joined(spans).into_iter();
            joined.map(move |span| during(&satellite, span.widened(SEARCH_MARGIN)))
        })
        .collect();
    let searches = queries.chunks(SPANS_PER_SEARCH).map(|queries| async move {
        let search = Search::new(Query::Or(queries.to_vec())).limited(Search::MOST);
        cx.search(index, &search).await
    });
    let found = try_join_all(searches).await?.into_iter().flatten();
    let datatakes = by_satellite(found);
    for draft in drafts {
        let document = &draft.document;
        let Some((satellite, sensing)) = sensing(document) else {
            continue;
        };
        let candidates = datatakes.get(satellite).into_iter().flatten();
        if let Some(datatake) = nearest(sensing, candidates, TOLERANCE) {
            attach(&mut draft.document, datatake);
        }
    }
    Ok(())
}

/// Satellite and sensing time of a document of Sentinel-2 that was made by its instrument.
fn sensing(document: &Document) -> Option<(&str, Span)> {
    let view = Consolidated::new(document);
    let by_instrument = view.mission() == Some("S2")
        && view
            .product_type()
            .is_some_and(|product_type| product_type.starts_with("MSI"));
    if !by_instrument {
        return None;
    }
    let span = Span::between(view.sensing_start_date(), view.sensing_end_date())?;
    // From the document, which outlives the view.
    Some((document.text(Consolidated::SATELLITE_UNIT)?, span))
}

fn during(satellite: &str, span: Span) -> Query {
    let range = |field: &str, gte: Option<String>, lte: Option<String>| Query::Range {
        field: field.to_owned(),
        gt: None,
        gte: gte.map(Into::into),
        lt: None,
        lte: lte.map(Into::into),
    };
    Query::And(vec![
        Query::term(CdsDatatake::MISSION, "S2"),
        Query::term(CdsDatatake::SATELLITE_UNIT, satellite),
        range(
            CdsDatatake::OBSERVATION_TIME_START,
            None,
            Some(zulu(span.end)),
        ),
        range(
            CdsDatatake::OBSERVATION_TIME_STOP,
            Some(zulu(span.start)),
            None,
        ),
    ])
}

/// The observations of every satellite.
type Observations = HashMap<String, Vec<(Span, Document)>>;

fn by_satellite(datatakes: impl IntoIterator<Item = Document>) -> Observations {
    let mut sorted = Observations::new();
    for datatake in datatakes {
        let view = CdsDatatake::new(&datatake);
        let span = Span::between(view.observation_time_start(), view.observation_time_stop());
        let satellite = view.satellite_unit().map(str::to_owned);
        if let (Some(span), Some(satellite)) = (span, satellite) {
            sorted.entry(satellite).or_default().push((span, datatake));
        }
    }
    sorted
}
