//! Passwords and tokens: where they are rather than what they are, and never shown.

mod veil;
mod words;

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};

use crate::pipeline::expand;

pub use secrecy::ExposeSecret;
pub(crate) use veil::percent_decoded;
pub use veil::{COVER, cover, covered};
pub use words::without_url_secrets;
pub(crate) use words::{NAMES, cover_url_secrets, sounds_secret, without_secrets_of_urls};

/// A password, token or other text that nobody may see. Never printed.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(extend("writeOnly" = true))]
pub enum Secret {
    /// The text itself. Better: one of the others.
    Text(#[schemars(with = "String")] SecretString),
    /// In an environment variable.
    Env(SecretEnv),
    /// In a file; a line break at its end does not count.
    File(SecretFile),
    /// In several environment variables, or in one with something around it.
    Written(SecretWritten),
}

/// A secret in an environment variable.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretEnv {
    /// Name of the variable.
    #[schemars(length(min = 1))]
    env: String,
}

/// A secret that is made of environment variables.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretWritten {
    /// The text with the variables in it: `Bearer ${TOKEN}`.
    written: String,
}

/// A secret in a file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretFile {
    /// Path, relative to the folder of the pipeline.
    file: PathBuf,
    /// Where it stands in the file, which is JSON then: `/interfaces/0/client_password`.
    pointer: Option<String>,
}

/// Why a secret cannot be had. Names its place, never its text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The variable is not set, or is no text.
    #[error("environment variable `{name}` is not set; it should hold a secret")]
    Env {
        /// Its name.
        name: String,
    },
    /// One of its variables is not set.
    #[error("a variable in a secret is not set")]
    Variable,
    /// The file cannot be read.
    #[error("cannot read the secret in `{}`", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What happened.
        #[source]
        source: std::io::Error,
    },
    /// The file has nothing there.
    #[error("`{}` is no JSON with a text at `{pointer}`; a secret should stand there", path.display())]
    Pointer {
        /// Its path.
        path: PathBuf,
        /// The place in it.
        pointer: String,
    },
}

impl Secret {
    /// A secret that is known already.
    pub fn new(text: impl Into<String>) -> Self {
        Self::Text(SecretString::from(text.into()))
    }

    /// Fetches the text. `base` is the folder of the pipeline. To be called when the thing that needs it
    /// is built, and kept no longer than that needs it. From now on it is [`covered`] in logs and errors.
    pub fn reveal(&self, base: &Path) -> Result<SecretString, SecretError> {
        let text = self.fetch(base)?;
        cover(text.expose_secret());
        Ok(text)
    }

    fn fetch(&self, base: &Path) -> Result<SecretString, SecretError> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Env(SecretEnv { env }) => match std::env::var(env) {
                Ok(text) => Ok(SecretString::from(text)),
                Err(_) => Err(SecretError::Env { name: env.clone() }),
            },
            Self::Written(SecretWritten { written }) => {
                expand(written, &|name| std::env::var(name).ok())
                    .map(SecretString::from)
                    .map_err(|_| SecretError::Variable)
            }
            Self::File(SecretFile { file, pointer }) => {
                let path = base.join(file);
                let text = match std::fs::read_to_string(&path) {
                    Ok(text) => text,
                    Err(source) => return Err(SecretError::File { path, source }),
                };
                let Some(pointer) = pointer else {
                    return Ok(SecretString::from(text.trim_end_matches(['\r', '\n'])));
                };
                let json: Option<serde_json::Value> = serde_json::from_str(&text).ok();
                let found = json
                    .as_ref()
                    .and_then(|json| json.pointer(pointer)?.as_str());
                found
                    .map(SecretString::from)
                    .ok_or_else(|| SecretError::Pointer {
                        path,
                        pointer: pointer.clone(),
                    })
            }
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Secret(***)"),
            Self::Env(SecretEnv { env }) => write!(f, "Secret(env {env})"),
            Self::Written(SecretWritten { written }) => {
                write!(f, "Secret(written {})", shown(written))
            }
            Self::File(SecretFile { file, pointer }) => {
                let pointer = pointer.as_deref().unwrap_or_default();
                write!(f, "Secret(file {}{pointer})", file.display())
            }
        }
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (key, place, pointer) = match self {
            Self::Text(_) => return serializer.serialize_str(COVER),
            Self::Env(SecretEnv { env }) => ("env", env.clone(), &None),
            Self::Written(SecretWritten { written }) => {
                ("written", shown(written).to_owned(), &None)
            }
            Self::File(SecretFile { file, pointer }) => {
                ("file", file.display().to_string(), pointer)
            }
        };
        let pointer = pointer.iter().map(|pointer| ("pointer", pointer.clone()));
        serializer.collect_map(std::iter::once((key, place)).chain(pointer))
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.expose_secret() == b.expose_secret(),
            (Self::Env(a), Self::Env(b)) => a.env == b.env,
            (Self::Written(a), Self::Written(b)) => a.written == b.written,
            (Self::File(a), Self::File(b)) => (&a.file, &a.pointer) == (&b.file, &b.pointer),
            _ => false,
        }
    }
}

/// A text with variables in it, unless something else in it may be secret itself: a default, or more than the word
/// that says what sort of secret it is.
pub(crate) fn shown(written: &str) -> &str {
    let mut around = String::new();
    let mut rest = written;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else {
            return COVER;
        };
        if name.contains(':') || before.ends_with('$') {
            return COVER;
        }
        around.push_str(before);
        rest = after;
    }
    around.push_str(rest);
    let word = around.trim_matches(|letter: char| !letter.is_alphanumeric());
    match word.to_ascii_lowercase().as_str() {
        "" | "bearer" | "basic" | "token" | "apikey" => written,
        _ => COVER,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let secret = Secret::new("hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert_eq!(serde_json::to_value(&secret).unwrap(), json!("***"));
        assert_eq!(
            secret.reveal(Path::new("")).unwrap().expose_secret(),
            "hunter2"
        );
    }

    #[test]
    fn a_file_is_read_without_its_last_line_break() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), "hunter2\n").unwrap();
        let secret: Secret = serde_json::from_value(json!({"file": "password"})).unwrap();
        assert_eq!(
            secret.reveal(folder.path()).unwrap().expose_secret(),
            "hunter2"
        );
        assert_eq!(
            serde_json::to_value(&secret).unwrap(),
            json!({"file": "password"})
        );
    }

    #[test]
    fn a_file_may_hold_many() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("all.json"),
            r#"{"a": [{"b": "hunter2"}]}"#,
        )
        .unwrap();
        let at = |pointer: &str| {
            let reference = json!({"file": "all.json", "pointer": pointer});
            let secret: Secret = serde_json::from_value(reference.clone()).unwrap();
            assert_eq!(serde_json::to_value(&secret).unwrap(), reference);
            secret.reveal(folder.path())
        };
        assert_eq!(at("/a/0/b").unwrap().expose_secret(), "hunter2");
        let error = at("/a/1/b").unwrap_err().to_string();
        assert!(
            error.contains("`/a/1/b`") && !error.contains("hunter2"),
            "{error}"
        );
    }

    #[test]
    fn a_secret_around_variables_is_shown_without_what_may_be_secret() {
        for (written, expected) in [
            ("Bearer ${TOKEN}", "Bearer ${TOKEN}"),
            ("${USER}:${PASSWORD}", "${USER}:${PASSWORD}"),
            ("hunter2${X}", COVER),
            ("${X:-hunter2}", COVER),
            ("${X", COVER),
            ("$${X} ${Y}", COVER),
        ] {
            assert_eq!(shown(written), expected);
        }
        let secret: Secret = serde_json::from_value(json!({"written": "Bearer ${PATH}"})).unwrap();
        let text = secret.reveal(Path::new("")).unwrap();
        assert!(text.expose_secret().starts_with("Bearer /"));
        assert_eq!(
            serde_json::to_value(&secret).unwrap(),
            json!({"written": "Bearer ${PATH}"})
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let secret: Secret = serde_json::from_value(json!({"env": "MAAS_TEST_NOT_SET"})).unwrap();
        let error = secret.reveal(Path::new("")).unwrap_err();
        assert!(error.to_string().contains("MAAS_TEST_NOT_SET"));
        let secret: Secret = serde_json::from_value(json!({"file": "nowhere"})).unwrap();
        assert!(
            secret
                .reveal(Path::new(""))
                .unwrap_err()
                .to_string()
                .contains("`nowhere`")
        );
    }
}
