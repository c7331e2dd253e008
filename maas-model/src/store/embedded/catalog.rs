//! Which indices there are, which models are installed, and what an index name or alias stands for.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::document::IndexName;
use crate::model::Model;
use crate::store::Kinds;
use crate::store::rule::{self, Rule};

/// What one installed model says of the indices of its alias.
#[derive(Debug)]
pub(super) struct Installed {
    pub(super) alias: String,
    /// Whether the alias stands for the indices named `alias-*` too.
    pub(super) partitioned: bool,
    pub(super) rules: BTreeMap<String, Rule>,
    pub(super) kinds: Arc<Kinds>,
}

/// The installed models, as of one version of the counter `models`.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    version: i64,
    models: Vec<Arc<Installed>>,
}

/// One index and the table with its documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) number: i64,
    pub(super) index: IndexName,
    pub(super) documents: u64,
}

impl Installed {
    pub(super) fn covers(&self, index: &str) -> bool {
        index
            .strip_prefix(self.alias.as_str())
            .is_some_and(|rest| rest.is_empty() || (self.partitioned && rest.starts_with('-')))
    }

    /// Whether `name` can only be an alias.
    fn is_alias(&self, name: &str) -> bool {
        self.partitioned && self.alias == name
    }
}

impl Catalog {
    /// The counter that every installation raises, in this process or another.
    pub(super) fn current_version(connection: &Connection) -> rusqlite::Result<i64> {
        connection
            .prepare_cached("SELECT value FROM counters WHERE name = 'models'")?
            .query_row([], |row| row.get(0))
    }

    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let version = Self::current_version(connection)?;
        let mut statement =
            connection.prepare("SELECT alias, partitioned, fields FROM models ORDER BY alias")?;
        let models = statement
            .query_map([], |row| {
                let fields: String = row.get(2)?;
                let rules: BTreeMap<String, Rule> = serde_json::from_str(&fields)
                    .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
                Ok(Arc::new(Installed {
                    alias: row.get(0)?,
                    partitioned: row.get(1)?,
                    kinds: Arc::new(rule::kinds(&rules)),
                    rules,
                }))
            })?
            .collect::<Result<_, _>>()?;
        Ok(Self { version, models })
    }

    pub(super) fn version(&self) -> i64 {
        self.version
    }

    pub(super) fn aliases(&self) -> Vec<String> {
        self.models
            .iter()
            .map(|model| model.alias.clone())
            .collect()
    }

    /// The partitioned aliases that `index` belongs to.
    pub(super) fn aliases_of(&self, index: &str) -> Vec<IndexName> {
        self.models
            .iter()
            .filter(|model| model.partitioned && model.covers(index))
            .filter_map(|model| IndexName::new(model.alias.as_str()).ok())
            .collect()
    }

    pub(super) fn is_alias(&self, name: &str) -> bool {
        self.models.iter().any(|model| model.is_alias(name))
    }

    /// The model that describes the documents of an index or alias: that of the longest alias.
    pub(super) fn model_of(&self, name: &str) -> Option<&Arc<Installed>> {
        self.models
            .iter()
            .filter(|model| model.covers(name))
            .max_by_key(|model| model.alias.len())
    }

    pub(super) fn kinds_of(&self, name: &str) -> Arc<Kinds> {
        self.model_of(name)
            .map(|model| Arc::clone(&model.kinds))
            .unwrap_or_default()
    }

    /// The tables behind an index or alias, by name. Asked of the file each time: another process may
    /// just have made one.
    pub(super) fn tables(
        &self,
        connection: &Connection,
        name: &IndexName,
    ) -> rusqlite::Result<Vec<Table>> {
        // `.` follows `-` in ASCII: the range is exactly the names that begin with `NAME-`.
        let sql = if self.is_alias(name.as_str()) {
            "SELECT number, name, documents FROM indices
             WHERE name = ?1 OR (name >= ?1 || '-' AND name < ?1 || '.') ORDER BY name"
        } else {
            "SELECT number, name, documents FROM indices WHERE name = ?1"
        };
        connection
            .prepare_cached(sql)?
            .query_map([name.as_str()], table)?
            .collect()
    }
}

/// Every index, by name.
pub(super) fn all_tables(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    connection
        .prepare_cached("SELECT number, name, documents FROM indices ORDER BY name")?
        .query_map([], table)?
        .collect()
}

/// Whether the table still is there; another process may have dropped its index.
pub(super) fn has_table(connection: &Connection, number: i64) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM indices WHERE number = ?1")?
        .exists([number])
}

/// Remembers a model; fields that an earlier one declared for the same alias stay known.
pub(super) fn install(transaction: &Transaction<'_>, model: &Model) -> rusqlite::Result<()> {
    let alias = model.alias.as_str();
    let known: Option<(bool, String)> = transaction
        .query_row(
            "SELECT partitioned, fields FROM models WHERE alias = ?1",
            [alias],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let mut rules: BTreeMap<String, Rule> = match &known {
        Some((_, fields)) => serde_json::from_str(fields).unwrap_or_default(),
        None => BTreeMap::new(),
    };
    rules.extend(rule::rules(&model.fields));
    let fields = serde_json::to_string(&rules)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let partitioned = model.partition.is_some();
    if known == Some((partitioned, fields.clone())) {
        return Ok(());
    }
    transaction.execute(
        "INSERT OR REPLACE INTO models VALUES (?1, ?2, ?3)",
        params![alias, partitioned, fields],
    )?;
    transaction.execute(
        "UPDATE counters SET value = value + 1 WHERE name = 'models'",
        [],
    )?;
    Ok(())
}

/// Forgets an index and its documents.
pub(super) fn drop_index(transaction: &Transaction<'_>, index: &str) -> rusqlite::Result<()> {
    let number: Option<i64> = transaction
        .query_row(
            "SELECT number FROM indices WHERE name = ?1",
            [index],
            |row| row.get(0),
        )
        .optional()?;
    let Some(number) = number else {
        return Ok(());
    };
    transaction.execute_batch(&format!("DROP TABLE d{number}"))?;
    transaction.execute("DELETE FROM indices WHERE number = ?1", [number])?;
    Ok(())
}

fn table(row: &rusqlite::Row<'_>) -> rusqlite::Result<Table> {
    let name: String = row.get(1)?;
    Ok(Table {
        number: row.get(0)?,
        index: IndexName::new(name)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?,
        documents: row.get::<_, i64>(2)?.unsigned_abs(),
    })
}
