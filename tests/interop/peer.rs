//! Who stands at the other end: what it needs, and how it is called.

use std::{os::unix::process::CommandExt, path::PathBuf, process::Command};

use crate::{packages, process::Process, tally::Tally};

pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    /// Whether it has a server.
    pub(crate) serves: bool,
    /// Cases that our client cannot run against its server, by the beginning of their names, and why.
    pub(crate) lacks: &'static [(&'static str, &'static str)],
}

/// A file of `peers/`, and what runs it.
pub(crate) enum Program {
    Python(&'static str),
    Node(&'static str),
}

/// How a peer is called.
#[derive(Clone)]
pub(crate) struct Call {
    name: &'static str,
    program: PathBuf,
    script: PathBuf,
    variables: Vec<(&'static str, PathBuf)>,
}

impl Peer {
    /// Installs what it needs. `Err` is why it cannot be had.
    pub(crate) fn prepare(&self) -> Result<Call, String> {
        let (program, script, variables) = match self.program {
            Program::Python(script) => (packages::python()?, script, Vec::new()),
            Program::Node(script) => {
                let (packages, temporary) = packages::node()?;
                let variables = vec![("INTEROP_PACKAGES", packages), ("TMPDIR", temporary)];
                (PathBuf::from("node"), script, variables)
            }
        };
        Ok(Call { name: self.name, program, script: packages::peers().join(script), variables })
    }
}

impl Call {
    /// Runs the peer's cases against the server at `url`.
    pub(crate) fn run_client(&self, url: &str) -> Tally {
        let process = match self.start(&["client", url]) {
            Ok(process) => process,
            Err(why) => return Tally::skipped(self.name, why),
        };
        let mut tally = Tally::new(format!("{} as client", process.version));
        while let Some(line) = process.line() {
            match line.split_once(' ') {
                Some(("ok", _)) => tally.pass(),
                Some(("failed", what)) => tally.fail(what),
                Some(("skipped", what)) => tally.skip(what.rsplit_once(": ").map_or(what, |(_, why)| why)),
                _ if line == "done" => return tally,
                _ => tally.fail(format!("a line that says nothing: {line}")),
            }
        }
        tally.fail("it ended, or was silent, before it was done");
        tally
    }

    /// Starts its server. Its version and its port come with it.
    pub(crate) fn start_server(&self) -> Result<(Process, u16), String> {
        let process = self.start(&["server"])?;
        let port = process.port()?;
        Ok((process, port))
    }

    fn start(&self, arguments: &[&str]) -> Result<Process, String> {
        let mut command = Command::new(&self.program);
        command.arg(&self.script).args(arguments).envs(self.variables.iter().cloned());
        command.process_group(0); // so that a browser goes with whoever started it
        Process::start(command)
    }
}
