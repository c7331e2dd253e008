//! Typed access to the fields of a document, for engines: see [`view!`](crate::view).
//!
//! A view holds the document as it is and reads a field when it is asked for it. So unknown fields
//! survive a read-modify-write, and nothing is converted that nobody looks at.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Document, Source, parse_date_text};
use crate::model::{FieldType, Model};

#[doc(hidden)]
pub use pastey::paste;

/// How a view shows a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A text.
    Text,
    /// A list of texts; one text counts as a list of one.
    Texts,
    /// An instant.
    Date,
    /// A whole number.
    Long,
    /// A number.
    Double,
    /// True or false.
    Boolean,
    /// A JSON object.
    Object,
    /// Any JSON value.
    Value,
}

impl Kind {
    /// Whether fields of this type can be shown so.
    pub fn shows(self, kind: FieldType) -> bool {
        use FieldType as F;
        match self {
            Self::Text | Self::Texts => matches!(kind, F::Keyword | F::Text | F::Ip | F::Binary),
            Self::Date => kind == F::Date,
            Self::Long => matches!(kind, F::Long | F::Integer | F::Short | F::Byte),
            Self::Double => matches!(kind, F::Double | F::Float | F::HalfFloat),
            Self::Boolean => kind == F::Boolean,
            Self::Object => matches!(kind, F::Object | F::Nested | F::GeoShape | F::GeoPoint),
            Self::Value => true,
        }
    }
}

/// What does not fit between a view (its `MODEL` and `FIELDS`) and a model; empty when all fits. For a test.
pub fn mismatches(fields: &[(&str, Kind)], model: &Model) -> Vec<String> {
    let mismatch = |(name, kind): &(&str, Kind)| match model.fields.get(*name) {
        None => Some(format!("`{}` does not declare `{name}`", model.name)),
        Some(field) if !kind.shows(field.kind) => Some(format!(
            "`{name}` is a `{}` in `{}`, not {kind:?}",
            field.kind, model.name
        )),
        Some(_) => None,
    };
    fields.iter().filter_map(mismatch).collect()
}

/// A field that holds text.
pub fn text<'a>(document: &'a Document, field: &str) -> Option<&'a str> {
    document.text(field)
}

/// The texts of a field; empty when it is absent. Items of other types are left out.
pub fn texts<'a>(document: &'a Document, field: &str) -> Vec<&'a str> {
    match document.source.get(field) {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(text)) => vec![text],
        _ => Vec::new(),
    }
}

/// A field that holds a date.
pub fn date(document: &Document, field: &str) -> Option<DateTime<Utc>> {
    parse_date_text(document.text(field)?).ok()
}

/// A field that holds a whole number, also as `12.0`.
pub fn long(document: &Document, field: &str) -> Option<i64> {
    let value = document.source.get(field)?;
    value.as_i64().or_else(|| {
        let float = value.as_f64()?;
        // Whole floats of up to 53 bits are exact.
        (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
    })
}

/// A field that holds a number.
pub fn double(document: &Document, field: &str) -> Option<f64> {
    document.source.get(field)?.as_f64()
}

/// A field that is true or false.
pub fn boolean(document: &Document, field: &str) -> Option<bool> {
    document.source.get(field)?.as_bool()
}

/// A field that holds an object.
pub fn object<'a>(document: &'a Document, field: &str) -> Option<&'a Source> {
    document.source.get(field)?.as_object()
}

/// A field as it is; `None` when it is absent or null.
pub fn value<'a>(document: &'a Document, field: &str) -> Option<&'a Value> {
    document.source.get(field).filter(|value| !value.is_null())
}

/// Declares a typed view of the documents of a model.
///
/// ```
/// maas_model::view! {
///     /// A published product.
///     pub struct Product("CdsProduct") {
///         /// Its file name.
///         name: text,
///         /// When it was last written.
///         update_time: date = "updateTime",
///         /// The tickets it is part of.
///         cams_tickets: texts,
///     }
/// }
/// # use maas_model::document::{Document, DocumentId, IndexName, Source};
/// # let index = IndexName::new("cds-product-2024")?;
/// # let document = Document::new(index, DocumentId::new("id")?, Source::new());
/// let mut product = Product::new(document);
/// product.set_name("S1A_IW_RAW__0S".to_owned());
/// assert_eq!(product.name(), Some("S1A_IW_RAW__0S"));
/// product.set_name(None);
/// assert!(product.name().is_none() && product.cams_tickets().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Kinds: `text`, `texts`, `date`, `long`, `double`, `boolean`, `object`, `value`. Every getter gives an
/// `Option` (`texts` a list); a field of another type reads as absent. Setters take a value or an `Option`;
/// `None` removes the field. The struct also has `MODEL`, `FIELDS`, the name of every field as a constant
/// (`NAME`), `new`, `document`, `document_mut` and `into_document`.
///
/// A view takes a document, `&Document` or `&mut Document`; setters are there for what may be changed:
/// `Product::new(&document).name()`.
#[macro_export]
macro_rules! view {
    (
        $(#[$doc:meta])*
        $visible:vis struct $view:ident($model:literal) {
            $( $(#[$field_doc:meta])* $field:ident : $kind:ident $(= $key:literal)? ),* $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        $visible struct $view<D = $crate::document::Document>(D);

        #[allow(dead_code, unreachable_pub, missing_docs)]
        impl $view<$crate::document::Document> {
            /// The model of the documents.
            pub const MODEL: &'static str = $model;

            /// The fields, as they are named in the documents.
            pub const FIELDS: &'static [(&'static str, $crate::document::view::Kind)] = &[
                $( ($crate::__view_key!($field $(= $key)?), $crate::__view_kind!($kind)) ),*
            ];

            $( $crate::__view_name! { $field ($crate::__view_key!($field $(= $key)?)) } )*
        }

        #[allow(dead_code, unreachable_pub, missing_docs)]
        impl<D: ::std::borrow::Borrow<$crate::document::Document>> $view<D> {
            /// Shows `document`.
            pub fn new(document: D) -> Self {
                Self(document)
            }

            /// The document.
            pub fn document(&self) -> &$crate::document::Document {
                self.0.borrow()
            }

            /// What is shown, with its changes.
            pub fn into_document(self) -> D {
                self.0
            }

            $(
                $crate::__view_field! {
                    get $kind $field ($crate::__view_key!($field $(= $key)?)) $(#[$field_doc])*
                }
            )*
        }

        #[allow(dead_code, unreachable_pub, missing_docs)]
        impl<D: ::std::borrow::BorrowMut<$crate::document::Document>> $view<D> {
            /// The document, to be changed.
            pub fn document_mut(&mut self) -> &mut $crate::document::Document {
                self.0.borrow_mut()
            }

            $(
                $crate::__view_field! {
                    set $kind $field ($crate::__view_key!($field $(= $key)?))
                }
            )*
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __view_name {
    ($field:ident ($key:expr)) => {
        $crate::document::view::paste! {
            #[doc = concat!("Name of the field of [`", stringify!($field), "`](Self::", stringify!($field), ").")]
            pub const [<$field:upper>]: &'static str = $key;
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __view_key {
    ($field:ident = $key:literal) => {
        $key
    };
    ($field:ident) => {
        stringify!($field)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __view_kind {
    (text) => {
        $crate::document::view::Kind::Text
    };
    (texts) => {
        $crate::document::view::Kind::Texts
    };
    (date) => {
        $crate::document::view::Kind::Date
    };
    (long) => {
        $crate::document::view::Kind::Long
    };
    (double) => {
        $crate::document::view::Kind::Double
    };
    (boolean) => {
        $crate::document::view::Kind::Boolean
    };
    (object) => {
        $crate::document::view::Kind::Object
    };
    (value) => {
        $crate::document::view::Kind::Value
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __view_field {
    ($way:ident text $($rest:tt)*) => {
        $crate::__view_accessor! { $way text (Option<&str>) (String) $($rest)* }
    };
    ($way:ident texts $($rest:tt)*) => {
        $crate::__view_accessor! { $way texts (Vec<&str>) (Vec<String>) $($rest)* }
    };
    ($way:ident date $($rest:tt)*) => {
        $crate::__view_accessor! {
            $way date
            (Option<$crate::document::view::Instant>)
            ($crate::document::view::Instant)
            $($rest)*
        }
    };
    ($way:ident long $($rest:tt)*) => {
        $crate::__view_accessor! { $way long (Option<i64>) (i64) $($rest)* }
    };
    ($way:ident double $($rest:tt)*) => {
        $crate::__view_accessor! { $way double (Option<f64>) (f64) $($rest)* }
    };
    ($way:ident boolean $($rest:tt)*) => {
        $crate::__view_accessor! { $way boolean (Option<bool>) (bool) $($rest)* }
    };
    ($way:ident object $($rest:tt)*) => {
        $crate::__view_accessor! {
            $way object
            (Option<&$crate::document::Source>)
            ($crate::document::Source)
            $($rest)*
        }
    };
    ($way:ident value $($rest:tt)*) => {
        $crate::__view_accessor! {
            $way value
            (Option<&$crate::document::view::Json>)
            ($crate::document::view::Json)
            $($rest)*
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __view_accessor {
    (get $read:ident ($get:ty) ($set:ty) $field:ident ($key:expr) $(#[$doc:meta])*) => {
        $(#[$doc])*
        pub fn $field(&self) -> $get {
            $crate::document::view::$read(self.0.borrow(), $key)
        }
    };
    (set $read:ident ($get:ty) ($set:ty) $field:ident ($key:expr)) => {
        $crate::document::view::paste! {
            #[doc = concat!("Sets `", stringify!($field), "`; `None` removes it.")]
            pub fn [<set_ $field>](&mut self, value: impl Into<Option<$set>>) {
                let value = value.into().map($crate::document::view::IntoField::into_field);
                self.0.borrow_mut().set($key, value);
            }
        }
    };
}

#[doc(hidden)]
pub type Instant = DateTime<Utc>;
#[doc(hidden)]
pub type Json = Value;

/// What a setter of a view takes.
#[doc(hidden)]
pub trait IntoField {
    /// The stored form.
    fn into_field(self) -> Value;
}

impl IntoField for Instant {
    fn into_field(self) -> Value {
        Value::String(super::zulu(self))
    }
}

macro_rules! into_field {
    ($($kind:ty),*) => {
        $(impl IntoField for $kind {
            fn into_field(self) -> Value {
                self.into()
            }
        })*
    };
}

into_field!(String, Vec<String>, i64, f64, bool, Source, Value);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::{DocumentId, IndexName};
    use crate::model::ModelSpec;

    crate::view! {
        /// A product.
        struct Product("CdsProduct") {
            /// Its file name.
            name: text,
            tickets: texts,
            update_time: date = "updateTime",
            content_length: long,
            cloud_cover: double,
            is_late: boolean,
            service: object,
            anything: value,
        }
    }

    #[test]
    fn borrowed_documents_are_shown_and_changed_in_place() {
        let mut document = product(json!({"name": "old"})).into_document();
        assert_eq!(Product::new(&document).name(), Some("old"));
        Product::new(&mut document).set_name("new".to_owned());
        assert_eq!(document.text(Product::NAME), Some("new"));
        assert_eq!(Product::UPDATE_TIME, "updateTime");
    }

    fn product(source: Value) -> Product {
        Product::new(Document::new(
            IndexName::new("cds-product").unwrap(),
            DocumentId::new("id").unwrap(),
            serde_json::from_value(source).unwrap(),
        ))
    }

    #[test]
    fn fields_are_read_by_their_kind() {
        let stored = json!({
            "name": "n", "tickets": "t", "updateTime": "2024-03-30T12:47:25.806Z",
            "content_length": 12.0, "cloud_cover": 3, "is_late": false, "service": {"a": 1},
            "anything": [1], "unknown": {"kept": true},
        });
        let product = product(stored.clone());
        assert_eq!(product.name(), Some("n"));
        assert_eq!(product.tickets(), ["t"]);
        assert_eq!(
            product.update_time().map(crate::document::zulu).as_deref(),
            stored["updateTime"].as_str()
        );
        assert_eq!(product.content_length(), Some(12));
        assert_eq!(product.cloud_cover(), Some(3.0));
        assert_eq!(product.is_late(), Some(false));
        assert_eq!(product.service().unwrap()["a"], 1);
        assert_eq!(product.anything(), Some(&json!([1])));
        assert_eq!(Value::Object(product.into_document().source), stored);
    }

    #[test]
    fn other_types_read_as_absent() {
        let product = product(json!({
            "name": 1, "tickets": {}, "updateTime": "x", "content_length": 1.5,
            "cloud_cover": "1", "is_late": 0, "service": [], "anything": null,
        }));
        assert!(product.name().is_none() && product.tickets().is_empty());
        assert!(product.update_time().is_none() && product.content_length().is_none());
        assert!(product.cloud_cover().is_none() && product.is_late().is_none());
        assert!(product.service().is_none() && product.anything().is_none());
    }

    #[test]
    fn setters_write_the_stored_form() {
        let mut product = product(json!({"unknown": 1, "name": "old"}));
        product.set_name(None);
        product.set_update_time(DateTime::UNIX_EPOCH);
        product.set_content_length(Some(7));
        product.set_tickets(vec!["a".to_owned()]);
        product.set_cloud_cover(f64::NAN);
        let wanted = json!({
            "unknown": 1, "updateTime": "1970-01-01T00:00:00.000Z", "content_length": 7, "tickets": ["a"],
        });
        assert_eq!(Value::Object(product.into_document().source), wanted);
    }

    #[test]
    fn a_view_is_checked_against_its_model() {
        let spec: ModelSpec = serde_json::from_value(json!({
            "index": "cds-product",
            "fields": {
                "name": "keyword", "tickets": "keyword", "updateTime": "date", "content_length": "keyword",
                "cloud_cover": "float", "is_late": "boolean", "service": "object",
            },
        }))
        .unwrap();
        let found = mismatches(Product::FIELDS, &spec.build(Product::MODEL).unwrap());
        assert_eq!(
            found,
            [
                "`content_length` is a `keyword` in `CdsProduct`, not Long",
                "`CdsProduct` does not declare `anything`",
            ]
        );
    }
}
