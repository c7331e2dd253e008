//! `maas completions`: completion scripts for shells.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Outcome;

/// Print the completion script of a shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(crate) fn execute<C: CommandFactory>(self) -> anyhow::Result<Outcome> {
        let mut command = C::command();
        clap_complete::generate(self.shell, &mut command, "maas", &mut std::io::stdout());
        Ok(Outcome::Done)
    }
}
