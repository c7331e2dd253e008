//! Datatakes: what a product has from the acquisition it belongs to.

use chrono::{DateTime, TimeDelta, Utc};
use maas_model::document::Document;

maas_model::view! {
    /// A planned observation.
    pub struct CdsDatatake("CdsDatatake") {
        mission: text,
        satellite_unit: text,
        datatake_id: text,
        timeliness: text,
        absolute_orbit: text,
        instrument_mode: text,
        observation_time_start: date,
        observation_time_stop: date,
    }
}

/// The datatake of a product whose name tells none.
pub const MISSING_DATATAKE: &str = "______";

/// What a product takes over from its datatake.
const INHERITED: [&str; 4] = [
    CdsDatatake::DATATAKE_ID,
    CdsDatatake::TIMELINESS,
    CdsDatatake::ABSOLUTE_ORBIT,
    CdsDatatake::INSTRUMENT_MODE,
];

/// Copies what a product or publication has from its datatake. What the datatake lacks stays.
pub fn attach(document: &mut Document, datatake: &Document) {
    for field in INHERITED {
        if let Some(value) = datatake.source.get(field) {
            document.set(field, value.clone());
        }
    }
}

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Its begin.
    pub start: DateTime<Utc>,
    /// Its end.
    pub end: DateTime<Utc>,
}

impl Span {
    /// The span between two dates, where both are known.
    pub fn between(start: Option<DateTime<Utc>>, end: Option<DateTime<Utc>>) -> Option<Self> {
        Some(Self {
            start: start?,
            end: end?,
        })
    }

    /// Longer by `margin` at both ends.
    #[must_use]
    pub fn widened(self, margin: TimeDelta) -> Self {
        Self {
            start: self.start - margin,
            end: self.end + margin,
        }
    }

    /// Whether the two have an instant in common.
    pub fn meets(self, other: Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }

    /// Spans that meet, joined; sorted.
    pub fn joined(mut spans: Vec<Self>) -> Vec<Self> {
        spans.sort_unstable();
        let mut joined: Vec<Self> = Vec::with_capacity(spans.len());
        for span in spans {
            match joined.last_mut() {
                Some(last) if last.meets(span) => last.end = last.end.max(span.end),
                _ => joined.push(span),
            }
        }
        joined
    }

    /// How far `instant` is outside; zero inside.
    fn distance(self, instant: DateTime<Utc>) -> TimeDelta {
        (self.start - instant)
            .max(instant - self.end)
            .max(TimeDelta::zero())
    }
}

/// The datatake nearest to the middle of `sensing`, if it is not further from it than `tolerance`.
///
/// Equally near ones are taken by start and id, so that the answer does not depend on their order.
pub fn nearest<'a>(
    sensing: Span,
    datatakes: impl IntoIterator<Item = &'a (Span, Document)>,
    tolerance: TimeDelta,
) -> Option<&'a Document> {
    let middle = sensing.start + (sensing.end - sensing.start) / 2;
    let (span, datatake) = datatakes.into_iter().min_by(|(a, left), (b, right)| {
        (a.distance(middle), a.start, &left.id).cmp(&(b.distance(middle), b.start, &right.id))
    })?;
    span.meets(sensing.widened(tolerance)).then_some(datatake)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: i64, end: i64) -> Span {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        Span {
            start: at(start),
            end: at(end),
        }
    }

    #[test]
    fn spans_that_touch_are_joined() {
        let joined = Span::joined(vec![span(30, 40), span(0, 10), span(10, 20), span(2, 5)]);
        assert_eq!(joined, [span(0, 20), span(30, 40)]);
    }

    #[test]
    fn the_nearest_datatake_counts_only_within_the_tolerance() {
        let document = |id: &str| {
            Document::new(
                maas_model::document::IndexName::new("cds-datatake").unwrap(),
                maas_model::document::DocumentId::new(id).unwrap(),
                serde_json::Map::new(),
            )
        };
        let datatakes = [
            (span(100, 200), document("b")),
            (span(0, 50), document("a")),
        ];
        let found = |start, end| {
            nearest(span(start, end), &datatakes, TimeDelta::seconds(15))
                .map(|document| document.id.to_string())
        };
        assert_eq!(found(60, 70).as_deref(), Some("a"));
        assert_eq!(found(85, 90).as_deref(), Some("b"));
        assert_eq!(found(150, 150).as_deref(), Some("b"));
        assert_eq!(found(215, 215).as_deref(), Some("b"));
        assert_eq!(found(216, 216), None);
    }
}
