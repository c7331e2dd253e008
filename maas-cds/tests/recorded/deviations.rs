//! Where ours does something else on purpose.

use super::case::Case;

/// One reason to differ: which cases it is for, and what ours does in them.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deviation {
    /// Why ours is better. For the reader, and shown when the case fails all the same.
    pub(crate) reason: String,
    /// The outcomes of the original.
    recorded: Vec<String>,
    /// One of the engines of the case is one of these.
    engines: Vec<String>,
    /// What becomes of the message with ours.
    pub(crate) ours: String,
    /// Whether ours gives up some inputs, or may do so when this is absent.
    pub(crate) dead_letters: Option<bool>,
}

impl Deviation {
    fn concerns(&self, case: &Case) -> bool {
        self.recorded.contains(&case.outcome)
            && case
                .engines()
                .any(|id| self.engines.iter().any(|engine| engine == id))
    }
}

/// All of them.
pub(crate) fn read() -> Vec<Deviation> {
    serde_yaml::from_str(include_str!("deviations.yaml")).expect("deviations.yaml")
}

/// The first that concerns `case`.
pub(crate) fn of<'a>(deviations: &'a [Deviation], case: &Case) -> Option<&'a Deviation> {
    deviations.iter().find(|deviation| deviation.concerns(case))
}
