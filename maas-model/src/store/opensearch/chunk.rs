//! Actions in the form in which they are sent, cut into requests.

use std::collections::HashMap;
use std::ops::Range;

use bytes::Bytes;

use crate::document::Version;
use crate::store::{WriteAction, WriteOp};

/// The requests of one call.
pub(super) struct Plan {
    pub chunks: Vec<Chunk>,
    /// Whether they may be under way at once: not when a document is in two of them.
    pub parallel: bool,
}

/// Some actions of one call, in their order.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    bytes: Bytes,
    /// Where every action ends.
    ends: Vec<usize>,
}

impl Plan {
    pub(super) fn new(actions: &[WriteAction], most_bytes: usize, most_actions: usize) -> Self {
        let mut chunks = Vec::new();
        let mut bytes = Vec::new();
        let mut ends: Vec<usize> = Vec::new();
        for action in actions {
            let start = bytes.len();
            append(&mut bytes, action);
            let full = bytes.len() > most_bytes || ends.len() >= most_actions;
            if full && !ends.is_empty() {
                let mut next = Vec::with_capacity(start + start / 8);
                next.extend_from_slice(&bytes[start..]);
                bytes.truncate(start);
                chunks.push(Chunk::new(
                    std::mem::replace(&mut bytes, next),
                    std::mem::take(&mut ends),
                ));
            }
            ends.push(bytes.len());
        }
        chunks.push(Chunk::new(bytes, ends));
        let parallel = chunks.len() < 2 || !any_twice(actions, &chunks);
        Self { chunks, parallel }
    }
}

/// Whether two chunks name the same document.
fn any_twice(actions: &[WriteAction], chunks: &[Chunk]) -> bool {
    let mut seen = HashMap::with_capacity(actions.len());
    let owners = chunks
        .iter()
        .enumerate()
        .flat_map(|(number, chunk)| std::iter::repeat_n(number, chunk.len()));
    actions.iter().zip(owners).any(|(action, owner)| {
        let before = seen.insert((&action.index, &action.id), owner);
        before.is_some_and(|before| before != owner)
    })
}

impl Chunk {
    fn new(bytes: Vec<u8>, ends: Vec<usize>) -> Self {
        let bytes = bytes.into();
        Self { bytes, ends }
    }

    /// How many actions.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of the request.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn body(&self) -> Bytes {
        self.bytes.clone()
    }

    /// In parts of at most so many bytes, where its actions allow it; two at least, if it has two actions.
    /// What an action weighs is not copied.
    pub(super) fn split(&self, most_bytes: usize) -> Vec<Self> {
        // Its size was too much, whatever is thought to be right by now.
        let most_bytes = most_bytes.min(self.size() - 1);
        let mut parts = Vec::new();
        let mut first = 0;
        for place in 0..self.len() {
            let grown = self.ends[place] - self.start(first);
            if grown > most_bytes && place > first {
                parts.push(self.part(first..place));
                first = place;
            }
        }
        parts.push(self.part(first..self.len()));
        parts
    }

    fn part(&self, places: Range<usize>) -> Self {
        let start = self.start(places.start);
        let ends = &self.ends[places.clone()];
        Self {
            bytes: self.bytes.slice(start..self.start(places.end)),
            ends: ends.iter().map(|end| end - start).collect(),
        }
    }

    /// These actions alone.
    pub(super) fn only(&self, places: &[usize]) -> Self {
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(places.len());
        for &place in places {
            bytes.extend_from_slice(&self.bytes[self.start(place)..self.ends[place]]);
            ends.push(bytes.len());
        }
        Self::new(bytes, ends)
    }

    fn start(&self, place: usize) -> usize {
        match place {
            0 => 0,
            place => self.ends[place - 1],
        }
    }
}

/// One action: a line that says what to do, and the document.
fn append(bytes: &mut Vec<u8>, action: &WriteAction) {
    let (verb, version, source): (&[u8], _, _) = match &action.op {
        WriteOp::Create(source) => (b"{\"create\":{\"_index\":\"", None, Some(source)),
        WriteOp::Index(source, version) => (b"{\"index\":{\"_index\":\"", *version, Some(source)),
        WriteOp::Delete(version) => (b"{\"delete\":{\"_index\":\"", *version, None),
    };
    bytes.extend_from_slice(verb);
    // No character that an index name may have needs an escape.
    bytes.extend_from_slice(action.index.as_str().as_bytes());
    bytes.extend_from_slice(b"\",\"_id\":");
    append_json(bytes, action.id.as_str());
    if let Some(Version {
        seq_no,
        primary_term,
    }) = version
    {
        let version = format!(",\"if_seq_no\":{seq_no},\"if_primary_term\":{primary_term}");
        bytes.extend_from_slice(version.as_bytes());
    }
    bytes.extend_from_slice(b"}}\n");
    if let Some(source) = source {
        append_json(bytes, source);
        bytes.push(b'\n');
    }
}

fn append_json<T: serde::Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) {
    // Text and JSON values have a JSON form, and a vector takes everything.
    let written = serde_json::to_writer(&mut *bytes, value);
    debug_assert!(written.is_ok(), "JSON without a JSON form");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{DocumentId, IndexName, Source};

    fn action(number: usize, size: usize) -> WriteAction {
        let mut source = Source::new();
        source.insert("filler".to_owned(), "x".repeat(size).into());
        WriteAction {
            index: IndexName::new("some-index").unwrap(),
            id: DocumentId::new(number.to_string()).unwrap(),
            op: WriteOp::Index(source, None),
        }
    }

    fn lengths(chunks: &[Chunk]) -> Vec<usize> {
        chunks.iter().map(Chunk::len).collect()
    }

    #[test]
    fn no_request_is_larger_than_allowed_but_for_one_document() {
        let sizes = [100, 200, 900, 300, 2_000, 100];
        let actions: Vec<_> = sizes
            .iter()
            .enumerate()
            .map(|(at, &size)| action(at, size))
            .collect();
        let plan = Plan::new(&actions, 1_000, 5_000);
        assert_eq!(lengths(&plan.chunks), [2, 1, 1, 1, 1]);
        let sizes: Vec<_> = plan.chunks.iter().map(Chunk::size).collect();
        assert!(
            sizes.iter().filter(|&&size| size > 1_000).count() == 1,
            "{sizes:?}"
        );
        assert!(plan.parallel);
        assert_eq!(lengths(&Plan::new(&actions, 1 << 20, 4).chunks), [4, 2]);
    }

    #[test]
    fn a_document_in_two_requests_is_sent_in_order() {
        let actions = [action(1, 10), action(2, 10), action(1, 10)];
        assert!(Plan::new(&actions, 1 << 20, 5_000).parallel);
        assert!(!Plan::new(&actions, 1 << 20, 2).parallel);
    }

    #[test]
    fn parts_and_selections_are_the_same_bytes() {
        let actions: Vec<_> = (0..10).map(|number| action(number, 100)).collect();
        let whole = Plan::new(&actions, 1 << 20, 5_000).chunks.remove(0);
        let parts = whole.split(whole.size() / 3);
        assert!(parts.len() >= 3);
        let bodies: Vec<u8> = parts.iter().flat_map(|part| part.body().to_vec()).collect();
        assert_eq!(bodies, whole.body().to_vec());
        assert!(parts[1].split(1).iter().all(|part| part.len() == 1));
        assert_eq!(whole.split(usize::MAX).len(), 2);

        let some = whole.only(&[3, 7]);
        let alone = |at: usize| Plan::new(&actions[at..=at], 1 << 20, 1).chunks[0].body();
        assert_eq!(some.body().to_vec(), [alone(3), alone(7)].concat());
        assert_eq!(some.only(&[1]).body(), alone(7));
    }
}
