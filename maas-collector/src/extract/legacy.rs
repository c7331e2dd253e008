//! Extractor settings of the Python system, as settings of ours: what the translations share.
//!
//! Each extractor registers its old class beside itself, as [`LegacyName`], with a function that takes
//! the old arguments out of `Arguments`.

use maas_model::expression::Expression;
use maas_model::plugin::{
    LegacyError, LegacyName, SettingError, Translation, suggestion, translate_legacy,
};
use serde_json::{Map, Value, json};

use super::ExtractorPlugin;
use super::field::wrong;

/// Translates the `extractor` object of a collector configuration: `class`, `args`, `converter_map`.
pub fn translate(extractor: &Value) -> Result<Translation, LegacyError> {
    let class = extractor["class"].as_str().unwrap_or_default();
    translate_legacy("extractor", class, extractor)
}

/// The old class that an extractor stands for.
pub(super) const fn old_class(
    class: &'static str,
    translate: fn(&Value) -> Result<Translation, Vec<SettingError>>,
) -> LegacyName {
    LegacyName {
        kind: "extractor",
        class,
        translate,
    }
}

/// Of a class that takes the arguments that all take, and obeys none.
pub(super) fn without_settings(
    old: &Value,
    plugin: &'static str,
) -> Result<Translation, Vec<SettingError>> {
    let mut arguments = Arguments::of(old);
    arguments.ignore(&["converter_map", "allow_partial"]);
    arguments.finish(plugin)
}

/// The arguments of one extractor, taken out one by one, and what was found wrong with them.
pub(super) struct Arguments {
    values: Map<String, Value>,
    known: Vec<&'static str>,
    converters: Option<(&'static str, Value)>,
    errors: Vec<SettingError>,
    warnings: Vec<SettingError>,
    /// The settings of ours as far as they are known.
    pub(super) settings: Map<String, Value>,
}

impl Arguments {
    /// Of an `extractor` object.
    pub(super) fn of(extractor: &Value) -> Self {
        let mut errors = Vec::new();
        let mut values = match extractor.get("args") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(values)) => values.clone(),
            Some(_) => {
                errors.push(wrong("args", "it is no object"));
                Map::new()
            }
        };
        let within = values.shift_remove("converter_map");
        // The one beside `args` replaces the one within.
        let converters = match extractor.get("converter_map") {
            Some(beside) => Some(("converter_map", beside.clone())),
            None => within.map(|within| ("args.converter_map", within)),
        };
        Self {
            values,
            known: vec!["converter_map"],
            converters: converters.filter(|(_, converters)| !converters.is_null()),
            errors,
            warnings: Vec::new(),
            settings: Map::new(),
        }
    }

    /// An argument; `None` when it is absent or null.
    pub(super) fn take(&mut self, argument: &'static str) -> Option<Value> {
        self.known.push(argument);
        let value = self.values.shift_remove(argument);
        value.filter(|value| !value.is_null())
    }

    /// A text argument.
    pub(super) fn text(&mut self, argument: &'static str) -> Option<String> {
        match self.take(argument)? {
            Value::String(text) => Some(text),
            _ => {
                self.refuse(argument, "it is no text");
                None
            }
        }
    }

    /// A true or false argument; false when it is absent.
    pub(super) fn flag(&mut self, argument: &'static str) -> bool {
        self.take(argument) == Some(Value::Bool(true))
    }

    /// A mandatory argument that is an object.
    pub(super) fn object(&mut self, argument: &'static str) -> Map<String, Value> {
        match self.take(argument) {
            Some(Value::Object(object)) => object,
            _ => {
                self.refuse(argument, "an object is wanted");
                Map::new()
            }
        }
    }

    /// The fields of `attr_map`; `source_of` gives the source of one in words of ours.
    pub(super) fn fields(
        &mut self,
        attr_map: Map<String, Value>,
        mut source_of: impl FnMut(&mut Self, &str, Value) -> Option<Value>,
    ) {
        let mut fields = Map::new();
        for (field, entry) in attr_map {
            if let Some(source) = source_of(self, &field, entry) {
                fields.insert(field, source);
            }
        }
        self.settings.insert("fields".into(), fields.into());
    }

    /// The `attr_map` of a table. A list is told by `positions`; in an object a text names a column, and all else
    /// is a lambda, `reworded` for what it sees here.
    pub(super) fn columns(
        &mut self,
        positions: fn(&mut Self, Vec<Value>),
        reworded: fn(&Value) -> Value,
    ) {
        match self.take("attr_map") {
            Some(Value::Array(entries)) => positions(self, entries),
            Some(Value::Object(attr_map)) => {
                self.fields(attr_map, |arguments, field, entry| match entry {
                    Value::String(_) => Some(entry),
                    _ => arguments.lambda(field, &reworded(&entry)),
                });
            }
            _ => self.refuse("attr_map", "an object or a list is wanted"),
        }
    }

    /// The source of a field whose entry in `attr_map` has to be a lambda.
    pub(super) fn lambda(&mut self, field: &str, entry: &Value) -> Option<Value> {
        match entry.get("python").and_then(Value::as_str) {
            Some(text) => Some(as_source(text)),
            None => {
                let reason = "a text or an object with `python` is wanted";
                self.refuse(&format!("attr_map.{field}"), reason);
                None
            }
        }
    }

    /// An argument is wrong; `path` within `args`.
    pub(super) fn refuse(&mut self, path: &str, reason: impl ToString) {
        self.errors.push(wrong(format!("args.{path}"), reason));
    }

    /// `allow_partial`; whether it is set.
    pub(super) fn partial(&mut self) -> bool {
        let partial = self.flag("allow_partial");
        if partial {
            self.settings.insert("partial".into(), true.into());
        }
        partial
    }

    /// `converter_map`, which may stand beside `args` too.
    pub(super) fn converters(&mut self) {
        let Some((path, converters)) = self.converters.take() else {
            return;
        };
        let Value::Object(converters) = converters else {
            return self.errors.push(wrong(path, "it is no object"));
        };
        let mut converted = Map::new();
        for (field, converter) in converters {
            match convert(&converter) {
                Ok(converter) => {
                    converted.insert(field, converter);
                }
                Err(reason) => self.errors.push(wrong(format!("{path}.{field}"), reason)),
            }
        }
        self.settings.insert("convert".into(), converted.into());
    }

    /// An argument does not do what it says; `path` within `args`.
    pub(super) fn warn(&mut self, path: &str, reason: impl ToString) {
        self.warnings.push(wrong(format!("args.{path}"), reason));
    }

    /// Leaves out converters of fields that there are not: they are never called.
    pub(super) fn drop_unused_converters(&mut self) {
        let Some(Value::Object(mut converters)) = self.settings.shift_remove("convert") else {
            return;
        };
        let fields = self.settings.get("fields");
        converters.retain(|field, _| {
            let used = fields.is_some_and(|fields| fields.get(field).is_some());
            if !used {
                let path = format!("converter_map.{field}");
                self.warnings.push(wrong(path, "there is no such field"));
            }
            used
        });
        if !converters.is_empty() {
            self.settings.insert("convert".into(), converters.into());
        }
    }

    /// Arguments that the class takes and does not obey.
    pub(super) fn ignore(&mut self, arguments: &[&'static str]) {
        for argument in arguments {
            let path = match *argument {
                "converter_map" => self.converters.take().map(|(path, _)| path.to_owned()),
                argument => self.take(argument).map(|_| format!("args.{argument}")),
            };
            let warning = path.map(|path| wrong(path, "this extractor does not obey it"));
            self.warnings.extend(warning);
        }
    }

    /// All is taken: nothing may be left, and the settings have to work.
    pub(super) fn finish(mut self, plugin: &'static str) -> Result<Translation, Vec<SettingError>> {
        for unknown in self.values.keys() {
            let path = format!("args.{unknown}");
            self.errors.push(SettingError {
                hint: suggestion(unknown, self.known.iter().copied()),
                ..wrong(path, "this extractor has no such argument")
            });
        }
        if let Some((path, _)) = self.converters {
            self.errors
                .push(wrong(path, "this extractor has no such argument"));
        }
        let settings = Value::Object(self.settings);
        if self.errors.is_empty() {
            let plugin = ExtractorPlugin::find(plugin);
            let errors = plugin.map(|plugin| (plugin.info().check)(&settings));
            let errors = errors.into_iter().flatten().map(in_old_words);
            self.errors.extend(errors);
        }
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        Ok(Translation {
            plugin,
            settings,
            warnings: self.warnings,
        })
    }
}

/// An error of the new settings, at the old setting that the new one comes from.
fn in_old_words(error: SettingError) -> SettingError {
    let path = match error.path.split_once('.') {
        Some(("fields", field)) => match field.strip_suffix(".expr") {
            Some(field) => format!("args.attr_map.{field}.python"),
            None => format!("args.attr_map.{field}"),
        },
        Some(("convert", field)) => match field.strip_suffix(".regex") {
            Some(field) => format!("converter_map.{field}.expression"),
            None => format!("converter_map.{field}"),
        },
        _ if error.path == "records" => "args.iterate_nodes".into(),
        _ => format!("args.{}", error.path),
    };
    SettingError { path, ..error }
}

fn convert(converter: &Value) -> Result<Value, String> {
    let text = |key: &str| {
        let text = converter.get(key).and_then(Value::as_str);
        text.ok_or_else(|| format!("`{key}` is missing or no text"))
    };
    match text("type")? {
        "python" => Ok(as_lambda(text("python")?).into()),
        "regex" => {
            let mut regex = json!({"regex": text("expression")?});
            if converter.get("format").is_some() {
                regex["format"] = text("format")?.into();
            }
            Ok(regex)
        }
        other => Err(format!("`{other}` is no type of converter")),
    }
}

/// The source of a field that is computed: a value that is always the same stands there as such.
fn as_source(text: &str) -> Value {
    let constant = Expression::from_lambda(text).ok();
    let constant = constant.and_then(|(_, expression)| expression.constant().cloned());
    match constant {
        None | Some(Value::Null) => json!({"expr": as_lambda(text)}),
        Some(value) => json!({"value": value}),
    }
}

/// A lambda as it is; the name of a function as a call of it.
fn as_lambda(text: &str) -> String {
    if text.trim_start().starts_with("lambda") {
        text.to_owned()
    } else {
        format!("lambda value: {text}(value)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(extractor: &Value) -> Vec<String> {
        match translate(extractor) {
            Err(LegacyError::Settings(errors)) => {
                errors.into_iter().map(|error| error.path).collect()
            }
            other => vec![format!("{other:?}")],
        }
    }

    #[test]
    fn errors_have_the_path_of_the_old_setting() {
        let old = json!({
            "class": "CSVExtractor",
            "args": {"attr_map": {"a": "A", "b": {}}, "atr_map": 1},
            "converter_map": {"a": {"type": "regexp"}},
        });
        assert_eq!(
            paths(&old),
            ["args.attr_map.b", "converter_map.a", "args.atr_map"]
        );
        let old = json!({
            "class": "CSVExtractor",
            "args": {"attr_map": {"a": {"python": "lambda x: open(x)"}}},
            "converter_map": {"a": {"type": "regex", "expression": "("}},
        });
        assert_eq!(
            paths(&old),
            ["args.attr_map.a.python", "converter_map.a.expression"]
        );
    }

    #[test]
    fn an_unknown_class_is_another_matter() {
        let error = translate(&json!({"class": "CSVExtracter"})).unwrap_err();
        let LegacyError::UnknownClass { class, hint, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(class, "CSVExtracter");
        assert_eq!(hint.as_deref(), Some("did you mean `CSVExtractor`?"));
    }
}
