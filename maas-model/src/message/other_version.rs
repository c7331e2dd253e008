//! Dead letters that another version of the program wrote: what is not known of them is kept, or told.

use serde::Deserialize;

use super::DeadReason;

/// What every version writes.
#[derive(Deserialize)]
struct Known {
    program: String,
    owner: String,
    original: serde_json::Map<String, serde_json::Value>,
}

/// What to say of a letter with parts that this version cannot read; `None` when it is no letter.
pub(super) fn reason(body: &[u8], error: &serde_json::Error) -> Option<DeadReason> {
    let known: Known = serde_json::from_slice(body).ok()?;
    (!known.owner.is_empty() && !known.original.is_empty()).then(|| DeadReason {
        kind: DeadReason::UNREADABLE.to_owned(),
        detail: format!("written by `{}`: {error}", known.program),
        ..DeadReason::default()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use serde_json::{Value, json};

    use crate::message::{
        DeadFilter, DeadLetter, DeadLetters, DeadOriginal, DeadReason, EmbeddedBus, ExchangeName,
        MessageBus, QueueName, RoutingKey, Topology,
    };

    /// A letter, as a later version might write it.
    fn letter(change: impl FnOnce(&mut Value)) -> Value {
        let original = DeadOriginal::Record {
            file: "f".into(),
            place: "line 2".into(),
            raw: "x".into(),
            head: None,
        };
        let letter = DeadLetter::new("things", DeadReason::default(), 1, original);
        let mut letter = serde_json::to_value(letter).unwrap();
        change(&mut letter);
        letter
    }

    #[test]
    fn what_a_newer_version_wrote_beside_is_carried_along() {
        let newer = letter(|letter| letter["cluster"] = json!({"name": "a"}));
        let read = DeadLetter::parse(newer.to_string().as_bytes()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), newer);
        let again = read.again(DeadReason::default());
        assert_eq!(
            serde_json::to_value(again).unwrap()["cluster"],
            json!({"name": "a"})
        );
    }

    #[test]
    fn what_an_older_version_did_not_write_is_not_missed() {
        let older = letter(|letter| {
            letter.as_object_mut().unwrap().remove("further");
        });
        let read = DeadLetter::parse(older.to_string().as_bytes()).unwrap();
        assert!(read.further.is_empty());
        assert_eq!(serde_json::to_value(read).unwrap(), older);
    }

    #[test]
    fn a_message_that_looks_a_little_like_a_letter_is_none() {
        for body in [
            json!({"owner": "things"}),
            json!({"program": "p", "owner": "o", "original": 1}),
        ] {
            let name = QueueName::new("maas.dead.things").unwrap();
            let (exchange, key) = (
                ExchangeName::default_exchange(),
                RoutingKey::new("k").unwrap(),
            );
            let body = body.to_string();
            let read = DeadLetter::read(&name, &exchange, &key, body.as_bytes(), BTreeMap::new());
            assert_eq!(read.reason.kind, "foreign message");
        }
    }

    /// It must neither be lost nor be given to a queue as if it were a message.
    #[tokio::test]
    async fn a_letter_of_a_kind_that_is_not_known_stays_and_says_who_wrote_it() {
        let folder = tempfile::tempdir().unwrap();
        let bus: Arc<dyn MessageBus> = Arc::new(EmbeddedBus::open(folder.path()).unwrap());
        let parking = vec!["things".to_owned()];
        let topology = Topology {
            parking,
            ..Topology::default()
        };
        bus.declare(&topology).await.unwrap();
        let newer = letter(|letter| {
            letter["original"] = json!({"type": "stream", "offset": 7});
            letter["program"] = json!("maas 9.0.0");
        });
        let mut outgoing = DeadLetter::parse(letter(|_| {}).to_string().as_bytes())
            .unwrap()
            .to_outgoing()
            .unwrap();
        outgoing.body = newer.to_string().into_bytes();
        bus.publish(vec![outgoing]).await.unwrap();
        let letters = DeadLetters::new(Arc::clone(&bus));
        let resolved = letters.replay(&DeadFilter::default(), 10).await.unwrap();
        assert_eq!(resolved.done, Vec::<String>::new());
        assert!(resolved.kept[0].1.contains("`maas 9.0.0`"), "{resolved:?}");
        let name = Topology::parking_queue("things").unwrap();
        let kept = bus.peek(&name, 10).await.unwrap();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].body, newer.to_string().into_bytes());
    }
}
