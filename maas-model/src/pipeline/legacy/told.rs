//! What is said about the old files while they are translated.

use std::collections::HashMap;

use crate::pipeline::report::Reports;
use crate::pipeline::tree::Place;

/// What is wrong, or probably not meant so, and where.
#[derive(Default)]
pub(super) struct Told {
    errors: Vec<Remark>,
    warnings: Vec<Remark>,
    /// Of warnings that are told once, however often they apply: which, and how often.
    often: HashMap<String, (usize, usize)>,
    /// Secrets, which are not shown.
    masks: Vec<String>,
}

#[derive(Debug)]
struct Remark {
    file: usize,
    place: Place,
    message: String,
    hint: Option<String>,
}

impl Told {
    pub(super) fn error(
        &mut self,
        file: usize,
        place: Place,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.errors.push(Remark {
            file,
            place,
            message: message.into(),
            hint,
        });
    }

    pub(super) fn warning(
        &mut self,
        file: usize,
        place: Place,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.warnings.push(Remark {
            file,
            place,
            message: message.into(),
            hint: Some(hint.into()),
        });
    }

    /// A warning that says the same wherever it applies: told at the first place, with the number of the
    /// others.
    pub(super) fn often(&mut self, file: usize, place: Place, message: &str, hint: &str) {
        let next = self.warnings.len();
        let (_, count) = self.often.entry(message.to_owned()).or_insert((next, 0));
        *count += 1;
        if *count == 1 {
            self.warning(file, place, message, hint);
        }
    }

    /// From now on the text is not shown.
    pub(super) fn mask(&mut self, secret: &str) {
        self.masks.push(secret.to_owned());
    }

    /// Passes everything on.
    pub(super) fn report(mut self, reports: &mut Reports) {
        for secret in &self.masks {
            reports.mask(secret, "***");
        }
        for (index, count) in self.often.into_values().filter(|(_, count)| *count > 1) {
            if let Some(remark) = self.warnings.get_mut(index) {
                remark.message += &format!(" (here and in {} other places)", count - 1);
            }
        }
        for Remark {
            file,
            place,
            message,
            hint,
        } in self.errors
        {
            reports.error_in(file, place, message, hint);
        }
        for Remark {
            file,
            place,
            message,
            hint,
        } in self.warnings
        {
            reports.warning_in(file, place, message, hint);
        }
    }
}
