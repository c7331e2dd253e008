//! What dead letters say of why.

use maas_model::message::DeadReason;

use super::chain::Step;
use super::plan::Key;
use super::verdict::{Cause, Stop};

/// What is said of a failure once the tries run out.
pub(super) fn too_many_tries(component: &str, detail: String) -> DeadReason {
    DeadReason {
        kind: "too many tries".to_owned(),
        detail,
        component: Some(component.to_owned()),
        ..DeadReason::default()
    }
}

/// The engine could not do it this time.
pub(super) fn failed(step: &Step, cause: Cause, detail: String) -> Stop {
    let reason = of(step, "too many tries", detail);
    Stop::Failed { cause, reason }
}

/// The engine panicked. The stack is empty when nobody listened.
pub(super) fn panicked(step: &Step, text: &str, stack: String) -> Stop {
    let detail = format!("the engine panicked: {text}");
    let reason = DeadReason {
        stack: (!stack.is_empty()).then_some(stack),
        ..of(step, "too many tries", detail)
    };
    Stop::Failed {
        cause: Cause::Panic,
        reason,
    }
}

/// The engine will never be able to do it.
pub(super) fn engine_failed(step: &Step, detail: String) -> DeadReason {
    of(step, "engine failed", detail)
}

/// The store will never take it.
pub(super) fn document_refused(step: &Step, (index, id): &Key, reason: &str) -> DeadReason {
    let detail = format!("`{id}` in `{index}`: {reason}");
    of(step, "document refused", detail)
}

/// The message names documents that nobody has.
pub(super) fn missing_documents(count: usize) -> DeadReason {
    DeadReason {
        kind: "missing documents".to_owned(),
        detail: format!("{count} documents named in the message do not exist"),
        ..DeadReason::default()
    }
}

fn of(step: &Step, kind: &str, detail: String) -> DeadReason {
    DeadReason {
        kind: kind.to_owned(),
        detail,
        component: Some(step.id.clone()),
        version: Some(step.maker.clone()),
        ..DeadReason::default()
    }
}
