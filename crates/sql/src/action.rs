//! What a statement does: actions, and effects on relations.

use std::borrow::Cow;
use std::fmt;

use crate::Name;

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// One kind of thing a statement does. The lower-case names are stable: policies are written with them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Action {
            $($(#[$doc])* $variant,)*
        }

        impl Action {
            /// Every action, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable lower-case name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

actions! {
    /// Reads rows, or computes a result without a relation.
    Select = "select",
    /// Adds rows.
    Insert = "insert",
    /// Changes rows.
    Update = "update",
    /// Removes rows.
    Delete = "delete",
    /// Empties a table.
    Truncate = "truncate",
    /// `COPY … FROM`: adds rows in bulk.
    CopyIn = "copy_in",
    /// `COPY … TO`: takes rows out in bulk.
    CopyOut = "copy_out",
    /// Creates or replaces an object.
    Create = "create",
    /// Changes an object's definition, owner, name, comment or label.
    Alter = "alter",
    /// Changes what the database itself does with values, or what holds protected ones: a trigger, a rule, a function, an
    /// operator, a table with declared columns. Only where columns are declared, beside the effect itself.
    Redefine = "redefine",
    /// Removes an object.
    Drop = "drop",
    /// Gives privileges or membership, or changes default privileges.
    Grant = "grant",
    /// Takes privileges or membership.
    Revoke = "revoke",
    /// Calls a procedure, or a function that may write.
    Call = "call",
    /// Locks tables, rows or advisory keys.
    Lock = "lock",
    /// Changes a setting of the session.
    Set = "set",
    /// Changes who the session acts as.
    SetRole = "set_role",
    /// Shows a setting.
    Show = "show",
    /// Begins, ends or marks a transaction.
    Transaction = "transaction",
    /// Listens, or stops listening, on a channel.
    Listen = "listen",
    /// Notifies a channel.
    Notify = "notify",
    /// Prepares a statement under a name.
    Prepare = "prepare",
    /// Runs a prepared statement.
    Execute = "execute",
    /// Forgets a prepared statement.
    Deallocate = "deallocate",
    /// Declares, reads, moves or closes a cursor.
    Cursor = "cursor",
    /// Discards session state.
    Discard = "discard",
    /// Shows a plan. With `ANALYZE` the statement's own effects stand beside it.
    Explain = "explain",
    /// Vacuums, analyzes, clusters, reindexes, refreshes, or writes a checkpoint.
    Maintenance = "maintenance",
    /// Moves a sequence.
    Sequence = "sequence",
    /// Reads or changes large objects.
    LargeObject = "large_object",
    /// Reads a file or directory of the server.
    ReadFile = "read_file",
    /// Writes a file of the server.
    WriteFile = "write_file",
    /// Runs a program or loads a library on the server.
    Program = "program",
    /// Reaches another server.
    Connect = "connect",
    /// Administers the server: its settings, its backends, its log, replication.
    Administer = "administer",
    /// Makes the server wait.
    Wait = "wait",
    /// Does what the text alone does not tell.
    Opaque = "opaque",
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One effect of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// What is done.
    pub action: Action,
    /// The kind of object, in upper case as in `CREATE TABLE`; empty when the action says it all.
    pub object: &'static str,
    /// The relation, function, role or other object it is done to, when the statement names one.
    pub relation: Option<Name>,
    /// Columns named as targets (`INSERT (a, b)`, `UPDATE … SET a`, `COPY t (a)`); `None` when all or not known.
    pub columns: Option<Vec<String>>,
    /// For update and delete: there is a condition, and it depends on the row.
    pub has_where: bool,
    /// There is a `LIMIT` or `FETCH FIRST` at the outermost level of the query that has this effect.
    pub has_limit: bool,
    /// Why it is opaque, or which function or option brings the effect.
    pub reason: Option<Cow<'static, str>>,
}

impl Effect {
    /// An effect that names nothing.
    #[must_use]
    pub fn new(action: Action) -> Self {
        Self {
            action,
            object: "",
            relation: None,
            columns: None,
            has_where: false,
            has_limit: false,
            reason: None,
        }
    }

    /// An effect on a relation or another named object.
    #[must_use]
    pub fn on(action: Action, object: &'static str, name: Option<Name>) -> Self {
        Self {
            object,
            relation: name,
            ..Self::new(action)
        }
    }

    /// An effect with the reason for it.
    #[must_use]
    pub fn because(action: Action, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason: Some(reason.into()),
            ..Self::new(action)
        }
    }
}

/// `action`, `action name`, `action OBJECT name`, with `where` and the reason where they apply: for people and tests.
impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.action.name())?;
        if !self.object.is_empty() {
            write!(f, " {}", self.object)?;
        }
        if let Some(name) = &self.relation {
            write!(f, " {name}")?;
        }
        if let Some(columns) = &self.columns {
            write!(f, "({})", columns.join(","))?;
        }
        if self.has_where {
            f.write_str(" where")?;
        }
        if let Some(reason) = &self.reason {
            write!(f, " [{reason}]")?;
        }
        Ok(())
    }
}
