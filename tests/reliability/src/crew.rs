//! The parts of a chain, each in a process of its own.

use anyhow::{Context, Result, ensure};

use crate::chain::Chain;
use crate::program::Running;
use crate::scrape::address;

/// One process per part; they are killed when this is dropped.
#[derive(Debug)]
pub struct Crew(Vec<Running>);

impl Crew {
    /// What each process runs.
    pub const PARTS: [&'static str; 4] = ["collectors", "pool=copy", "pool=derive", "pool=sum"];

    /// Starts all of them.
    pub fn start(chain: &Chain) -> Result<Self> {
        let members = (0..Self::PARTS.len()).map(|at| member(chain, at));
        Ok(Self(members.collect::<Result<_>>()?))
    }

    /// Where each of them serves its metrics.
    pub fn addresses() -> Vec<String> {
        (0..Self::PARTS.len()).map(address).collect()
    }

    /// Kills one of them.
    ///
    /// # Errors
    /// When it ended by itself before: a process must live through everything else that is done.
    pub fn kill(&mut self, at: usize) -> Result<()> {
        let part = Self::PARTS[at];
        let member = self.0.get_mut(at).context("there is no such process")?;
        let ended = member.ended()?;
        ensure!(
            ended.is_none(),
            "`{part}` ended by itself:\n{}",
            member.said()
        );
        member.kill()
    }

    /// Kills all of them, as [`kill`](Self::kill) does.
    pub fn kill_all(&mut self) -> Result<()> {
        (0..self.0.len()).try_for_each(|at| self.kill(at))
    }

    /// Starts one again that was killed.
    pub fn replace(&mut self, chain: &Chain, at: usize) -> Result<()> {
        self.0[at] = member(chain, at)?;
        Ok(())
    }

    /// All of them, in the order of [`PARTS`](Self::PARTS).
    pub fn members(&self) -> &[Running] {
        &self.0
    }

    /// To be waited for one by one.
    pub fn into_members(self) -> Vec<Running> {
        self.0
    }
}

fn member(chain: &Chain, at: usize) -> Result<Running> {
    let further = ["--metrics", &address(at)];
    Running::start(&mut chain.command_for(&[Crew::PARTS[at]], &further)?)
}
