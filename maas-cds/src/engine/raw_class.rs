//! The classes of raw documents that consolidation knows.

use maas_engine::engine::EngineError;

/// What a message of raw products is about. A class stands here once every engine that takes it has an
/// arm for it: `publication/mod.rs` and `product/mod.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawClass {
    /// A product of a production interface point.
    PripProduct,
}

impl RawClass {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::PripProduct];

    /// The class that a message names.
    pub fn of(document_class: &str) -> Result<Self, EngineError> {
        let known = Self::ALL
            .into_iter()
            .find(|class| class.name() == document_class);
        known.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|class| class.name()).collect();
            EngineError::Refused(format!(
                "there is no consolidation of `{document_class}`; known are: {}",
                names.join(", ")
            ))
        })
    }

    /// The name of its model.
    pub fn name(self) -> &'static str {
        match self {
            Self::PripProduct => "PripProduct",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_class_is_refused_with_the_known_ones() {
        let error = RawClass::of("PripProdukt").unwrap_err().to_string();
        assert!(
            error.contains("`PripProdukt`") && error.ends_with("PripProduct"),
            "{error}"
        );
    }
}
